"""Hand messages over to a program of somebody's own: a signed POST of JSON, as Standard Webhooks has it.

``webhook-id`` is the message's own identifier, the same on every attempt, so that a receiver which keeps those it has
seen acts once on a message that came twice.  Does not write the document (``render/payload.py``), keep a queue or try
again, and repeats nothing of an answer but its number: it may quote what it was sent.

Sources: Standard Webhooks 1.0.0 (github.com/standard-webhooks, read 2026-11-22), RFC 9110 (what numbers mean).
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import responses

from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    MailError,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
)
from watcher.model import Message, Phase, Receipt
from watcher.notify.webhook_line import Answer, Broken, Endpoint, Line, Network, open_line

__all__ = ["Endpoint", "Network", "WebhookChannel"]

SECRET_PREFIX = "whsec_"  # noqa: S105 a prefix, not a secret
SECRET_SIZES = range(24, 65)  # bytes: what the standard asks for
_GONE = 410
# The address or the login is wrong, for every message alike.
_OPERATORS = frozenset({401, 402, 403, 404, 405, 407, 421, 426})
_LATER = frozenset({408, 423, 425, 429})

OnPhase = Callable[[Phase], None]


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for.

    Raises:
        ValueError: it is not written as the standard has it; the secret is not repeated.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in SECRET_SIZES:
        sizes = f"{SECRET_SIZES[0]} to {SECRET_SIZES[-1]}"
        raise ValueError(f'is not the secret of a webhook; write "{SECRET_PREFIX}" and {sizes} random bytes in Base64')
    return key


def signature(key: bytes, message_id: str, sent_at: datetime, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    signed = b".".join([message_id.encode(), str(int(sent_at.timestamp())).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class WebhookChannel:
    """One receiver."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: bytes,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        network: Network = Network(),  # noqa: B008 frozen
    ) -> None:
        """Prepare.

        Args:
            endpoint: where the receiver is.
            key: what signs, see ``key_of``.
            now: the clock that the receiver compares its own with.
            monotonic: seconds that go by, for deadlines.
            network: looks names up and makes connections.
        """
        self._endpoint = endpoint
        self._key = key
        self._now = now
        self._open_line = lambda: open_line(endpoint, network=network, monotonic=monotonic)

    @property
    def name(self) -> str:
        return f"webhook {self._endpoint.name}"

    @contextmanager
    def session(self) -> Iterator["WebhookSession"]:
        """Connect, and say nothing yet.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        session = WebhookSession(self._endpoint, self._key, now=self._now, open_line=self._open_line)
        try:
            yield session
        finally:
            session.close()


class WebhookSession:
    """Messages to one receiver, each on a connection of its own; the first is opened at once."""

    def __init__(
        self, endpoint: Endpoint, key: bytes, *, now: Callable[[], datetime], open_line: Callable[[], Line]
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._now = now
        self._open_line = open_line
        self._line: Line | None = open_line()
        self._over = False

    def close(self) -> None:
        self._over = True
        if self._line is not None:
            with self._line:
                self._line = None

    def send(self, message: Message, *, on_phase: OnPhase) -> Receipt:
        """Hand one message over; see ``channel.Session.send``.  The steps are DATA for the head, DOT for the body."""
        if self._over:
            raise ChannelDown(Phase.CONNECT, f"the session with webhook {self._endpoint.name} is over; open a new one")
        _check(message)
        if self._line is None:
            on_phase(Phase.CONNECT)
        line, self._line = self._line, None
        try:
            with line or self._open_line() as opened:
                return self._post(opened, message, on_phase)
        except (MessageDeferred, MessageRefused):
            raise
        except MailError:
            self._over = True
            raise

    def _post(self, line: Line, message: Message, on_phase: OnPhase) -> Receipt:
        head = self._head(message)
        line.allow(self._endpoint.timeout)
        on_phase(Phase.DATA)
        sent = _said(lambda: line.send(head))
        if sent is not None:
            raise MessageDeferred(Phase.DATA, f"the line broke before the message was complete: {sent}")
        on_phase(Phase.DOT)
        broken = _said(lambda: line.send(message.mime))
        # Who answers before the end (413) and hangs up is heard as well.
        answers: list[Answer] = []
        lost = _said(lambda: answers.append(line.answer()))
        if not answers:
            raise MessageUncertain(Phase.DOT, f"the answer was lost: {broken or lost}")
        return self._receipt(answers[0])

    def _head(self, message: Message) -> bytes:
        endpoint, now = self._endpoint, self._now()
        lines = [
            f"POST {endpoint.path} HTTP/1.1",
            f"Host: {endpoint.authority}",
            "User-Agent: trialwatch",
            "Content-Type: application/json",
            f"Content-Length: {len(message.mime)}",
            f"webhook-id: {message.id}",
            f"webhook-timestamp: {int(now.timestamp())}",
            f"webhook-signature: {signature(self._key, message.id, now, message.mime)}",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def _receipt(self, answer: Answer) -> Receipt:
        """Return the receipt; raise what any other answer means."""
        status = answer.status
        words = f"HTTP {status} {responses.get(status, '')}".rstrip()
        if 200 <= status < 300:
            return Receipt(reply=words)
        if status == _GONE:
            remove = f"the receiver wants no more; take the target {self._endpoint.name} out of the settings"
            raise MessageRefused(Phase.DOT, f"{words}: {remove}")
        if status in _LATER or status >= 500:
            raise MessageDeferred(Phase.DOT, words, retry_after=_wait(answer.retry_after, self._now()))
        if 300 <= status < 400:
            raise ChannelRefused(Phase.DOT, f"{words}: redirects are not followed; write the address they lead to")
        if status in _OPERATORS:
            raise ChannelRefused(Phase.DOT, f"{words}: look at the URL of the target {self._endpoint.name}")
        raise MessageRefused(Phase.DOT, words)


def _said(step: Callable[[], None]) -> str | None:
    """Take a step, and return how the line broke; None = it did not.

    What is raised because of it is raised outside, so that no error of a library goes with it.
    """
    try:
        step()
    except Broken as error:
        return str(error)
    return None


def _check(message: Message) -> None:
    """Refuse what cannot be written as one request."""
    if not message.id.isascii() or not message.id.isalnum():
        raise MessageRefused(Phase.CONNECT, f"message id {message.id!r}: it should be letters and digits")
    if not message.mime:
        raise MessageRefused(Phase.CONNECT, "the message is empty")


def _wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long a receiver asks us to wait; None = it does not say, or not in a form that can be read."""
    if retry_after is None:
        return None
    if retry_after.isdecimal() and retry_after.isascii():
        return timedelta(seconds=min(int(retry_after), 10**7))
    try:
        date = parsedate_to_datetime(retry_after)
        return max(date.replace(tzinfo=date.tzinfo or UTC) - now, timedelta(0))
    except (ValueError, OverflowError):
        return None
