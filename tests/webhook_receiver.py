"""A receiver of webhooks on this machine, which keeps what it is sent and answers as the test says."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Self

SECRET = "whsec_" + "c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVzISEh"
_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Receiver:
    """Takes whole requests; answers 204 unless ``status`` says otherwise."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE.total_seconds()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if len(body) == int(self.headers["Content-Length"]):
                    receiver.take(self, body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request: Any, client_address: Any) -> None:
                with receiver.changed:
                    receiver.serving += 1
                try:
                    if tls is None:
                        super().finish_request(request, client_address)
                    else:
                        with tls.wrap_socket(request, server_side=True) as wrapped:
                            super().finish_request(wrapped, client_address)
                finally:
                    with receiver.changed:
                        receiver.serving -= 1
                        receiver.changed.notify_all()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Expect that callers hang up."""

        self.changed = Condition()
        self.serving = 0
        self.posted: list[Posted] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.before_answer: Callable[[], object] = lambda: None
        self.silent = Event()  # set: takes the request and hangs up without an answer
        self._tls = tls
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[bytes]:
        return [one.body for one in self.posted]

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.posted]

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.posted.append(Posted(path=handler.path, headers=headers, body=body))
        self.before_answer()
        if self.silent.is_set():
            return
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def wait_until_idle(self) -> None:
        """Return when nobody is connected any more."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.serving == 0, _PATIENCE.total_seconds())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_PATIENCE.total_seconds())
