"""Tokens to log in to a mail server with, instead of a password: OAuth 2.0, client credentials.

A token is kept in memory until shortly before it expires, or until the mail server refuses it.  Neither it nor the
secret that it is had for stands in an error, a representation or a log.

Does not log in (``smtp_connection.py``), ask a person, or follow redirects: the secret would go with it.

Sources: RFC 6749 sections 4.4 and 5, RFC 6750; Microsoft's and Google's pages on XOAUTH2.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import requests

from watcher.core.text import one_line
from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Json, Phase

ANSWER_LIMIT = 65_536  # bytes; a token has some 2,000
_MARGIN = timedelta(minutes=2)  # before it expires, a token is not used any more
_SHORTEST_LIFE = timedelta(minutes=5)  # of a token whose server does not say how long it lives
_LONGEST_LIFE = timedelta(days=30)  # that is believed
_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 30.0  # seconds
_DEADLINE = timedelta(seconds=60)  # for the whole answer, however slowly it drips
_WORDS_LIMIT = 300  # characters of a server's words that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Client:
    """Where tokens are had, and as whom."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    ca_bundle: Path | None = None  # PEM; None = the usual authorities


class TokenSource:
    """Has tokens.  Threads may share it."""

    def __init__(self, client: OAuth2Client, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0  # on the monotonic clock

    def token(self) -> tuple[str, bool]:
        """Return a token, and whether it is a new one: not the one that was kept.

        Raises:
            ChannelDown: the token server cannot be reached, or not now.
            ChannelRefused: it refuses us, or does not answer as a token server does.
        """
        with self._lock:
            if self._token is not None and self._monotonic() < self._good_until:
                return self._token, False
            self._token, life = self._fetched()
            self._good_until = self._monotonic() + max(life - _MARGIN, life / 2).total_seconds()
            return self._token, True

    def forget(self, token: str) -> None:
        """Forget a token that a mail server did not take: the next one is a new one."""
        with self._lock:
            if token == self._token:
                self._token = None

    def _fetched(self) -> tuple[str, timedelta]:
        status, body = self._answer()
        try:
            answer: Json = json.loads(body)
        except ValueError:
            answer = None
        if status >= 500 or status in {408, 429}:
            raise ChannelDown(Phase.CONNECT, f"{self._where}: HTTP {status}")
        if status != requests.codes.ok:
            raise ChannelRefused(Phase.CONNECT, f"{self._where}: HTTP {status}{self._words_of(answer)}")
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            detail = f"{self._where}: its answer holds no access_token; is it the address of a token endpoint?"
            raise ChannelRefused(Phase.CONNECT, detail)
        life = answer.get("expires_in") if isinstance(answer, dict) else None
        if isinstance(life, int) and not isinstance(life, bool) and 0 < life <= _LONGEST_LIFE.total_seconds():
            return token, timedelta(seconds=life)
        return token, _SHORTEST_LIFE

    def _answer(self) -> tuple[int, bytes]:
        """Ask once; return status and body."""
        client = self._client
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "scope": client.scope,
        }
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy, and no password, that nobody named here
                with session.post(
                    client.token_url,
                    data=form,
                    headers={"Accept": "application/json", "User-Agent": "trialwatch"},
                    timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
                    allow_redirects=False,
                    stream=True,
                    verify=str(client.ca_bundle) if client.ca_bundle else True,
                ) as response:
                    return response.status_code, self._body(response)
        except requests.exceptions.SSLError as error:
            # Not the error's own words, nor the error itself: they may quote the request.
            detail = f"{self._where}: its certificate is not accepted ({type(error).__name__})"
            raise ChannelRefused(Phase.CONNECT, detail) from None
        except (requests.RequestException, OSError) as error:
            raise ChannelDown(Phase.CONNECT, f"{self._where}: {type(error).__name__}") from None

    def _body(self, response: requests.Response) -> bytes:
        ends_at, body = self._monotonic() + _DEADLINE.total_seconds(), b""
        for piece in response.iter_content(8_192):
            body += piece
            if len(body) > ANSWER_LIMIT or self._monotonic() > ends_at:
                raise ChannelDown(Phase.CONNECT, f"{self._where}: an answer that is too long, or too slow")
        return body

    @property
    def _where(self) -> str:
        return f"token server {self._client.token_url}"

    def _words_of(self, answer: Json) -> str:
        """Return what an error answer says, in one line and without the secret."""
        found = [answer.get(key) for key in ("error", "error_description")] if isinstance(answer, dict) else []
        words = one_line(": ".join(one for one in found if isinstance(one, str)), _WORDS_LIMIT)
        return f" ({words.replace(self._client.client_secret, '***')})" if words else ""
