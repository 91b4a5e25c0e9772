"""A token server on loopback, for logins by OAuth 2.0: gives tokens, and misbehaves on request."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

PATIENCE = 20.0  # seconds
SECRET = "canary-client-secret"


@dataclass(eq=False)
class TokenServer:
    """The server; a context manager.  Tokens are "token-1", "token-2", …"""

    expires_in: object = 3600
    asked: list[dict[str, str]] = field(default_factory=list)  # the forms that came
    answer: tuple[int, bytes] | None = None  # instead of a token
    location: str | None = None  # of a redirect, with the answer
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(self._answer))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, form: dict[str, str]) -> tuple[int, bytes, str | None]:
        self.asked.append(form)
        if self.answer is not None:
            return *self.answer, self.location
        body = {"token_type": "Bearer", "access_token": f"token-{len(self.asked)}", "expires_in": self.expires_in}
        return 200, json.dumps(body).encode(), None


def _answering(answer: Callable[[dict[str, str]], tuple[int, bytes, str | None]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, body, location = answer({key: values[0] for key, values in parse_qs(form).items()})
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
