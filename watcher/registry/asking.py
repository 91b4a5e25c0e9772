"""Ask one question of the registry until there is a usable answer, or until it is plain that there will be none.

What is worth another try says the error itself; how long to wait says the registry (Retry-After) or the back-off.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

from watcher.core.text import one_line
from watcher.errors import RegistryError
from watcher.model import Reason
from watcher.registry.connection import Answer, Connection
from watcher.registry.pace import LONGEST_RETRY_AFTER, LONGEST_SILENCE, Limiter, backoff

Read = TypeVar("Read")
_TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
_WORDS = 200  # characters of the registry's own text that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a pure program would not have: passed in, so that tests decide it."""

    wait: Callable[[timedelta], None]  # sleeps, or raises to stop
    chance: Callable[[], float]  # random numbers from 0 to 1
    now: Callable[[], datetime]


class Asker:
    """Sends requests at the limiter's pace and tries again what may succeed."""

    def __init__(
        self, connection: Connection, limiter: Limiter, *, base_url: str, attempts: int, surroundings: Surroundings
    ) -> None:
        self._connection = connection
        self._limiter = limiter
        self._base_url = base_url
        self._attempts = attempts
        self._surroundings = surroundings
        self._not_before: datetime | None = None  # the registry's wish, when it was longer than one pass can wait

    def ask(self, path: str, params: Mapping[str, str], *, cap: int, read: Callable[[Answer], Read]) -> Read:
        """Return what ``read`` makes of the answer.

        Args:
            path: below the base URL, with its slash.
            params: the query.
            cap: bytes of the body, inflated.
            read: parses; a RegistryError that it raises counts as a failed answer.

        Raises:
            RegistryError: the last failure.
        """
        self._refuse_early(path)
        failures = 0
        while True:
            self._limiter.pass_one()
            try:
                with self._connection.get(self._base_url + path, params=params, cap=cap) as answer:
                    self._refuse_bad_status(answer, path)
                    return read(answer)
            except RegistryError as error:
                failures += 1
                self._note_wish(error)
                if not error.retry or self._not_before or failures >= self._attempts:
                    raise
                self._surroundings.wait(error.retry_after or backoff(failures, chance=self._surroundings.chance()))

    def _note_wish(self, error: RegistryError) -> None:
        if error.retry_after is not None and error.retry_after > LONGEST_RETRY_AFTER:
            # Not longer than a day: a mistake of the registry's must not keep us silent for a year.
            self._not_before = self._surroundings.now() + min(error.retry_after, LONGEST_SILENCE)

    def _refuse_early(self, path: str) -> None:
        """Leave the registry alone as long as it has asked us to.

        Raises:
            RegistryError: RATE_LIMITED; ask again at the next tick.
        """
        if self._not_before is None:
            return
        left = self._not_before - self._surroundings.now()
        if timedelta(0) < left <= LONGEST_SILENCE:
            until = f"{self._not_before:%Y-%m-%d %H:%M:%S} UTC"
            raise RegistryError(
                Reason.RATE_LIMITED, f"{path} was not asked for: the registry wants a pause until {until}"
            )
        self._not_before = None  # over; or the clock was set back so far that it says nothing any more

    def _refuse_bad_status(self, answer: Answer, path: str) -> None:
        status = answer.status
        # An obsolete ID is answered by a redirect to its record; nothing else of the registry is.
        if status == HTTPStatus.OK or (status == HTTPStatus.MOVED_PERMANENTLY and path.startswith("/studies/")):
            return
        words = one_line(answer.body[: _WORDS * 4].decode("utf-8", "replace"), _WORDS)
        detail = f"{status} {words}".strip()
        if status == HTTPStatus.FORBIDDEN:
            raise RegistryError(Reason.BLOCKED, detail)
        if status == HTTPStatus.BAD_REQUEST:
            raise RegistryError(Reason.MALFORMED_ID, detail)
        if status == HTTPStatus.NOT_FOUND:
            # A path that does not exist is answered by an empty or an HTML page; only the text speaks of a record, and
            # only the one that names it speaks of the one that was asked for.
            if words.startswith(f"NCT number {path.rpartition('/')[2]} ") and words.endswith("not found"):
                raise RegistryError(Reason.NOT_FOUND, words)
            raise RegistryError(Reason.SERVER_ERROR, f"{detail} (no such path; see registry.base_url)")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RegistryError(Reason.RATE_LIMITED, detail, retry=True, retry_after=self._retry_after(answer))
        if status in range(300, 400):
            raise RegistryError(
                Reason.SERVER_ERROR, f"{detail} (a redirect, which is not followed; see registry.base_url)"
            )
        again = status in _TRANSIENT
        raise RegistryError(Reason.SERVER_ERROR, detail, retry=again, retry_after=self._retry_after(answer))

    def _retry_after(self, answer: Answer) -> timedelta | None:
        """Read Retry-After: seconds or a date (RFC 9110, section 10.2.3); None = absent or unreadable."""
        text = answer.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text[:9]), 86_400 * 365))
        try:
            moment = parsedate_to_datetime(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(aware - self._surroundings.now(), timedelta(0))
        except (ValueError, OverflowError):
            return None
