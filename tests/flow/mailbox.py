"""A mailbox in this process, written by hand, to which reports come.

It passes the same contract tests as the one that is read by IMAP (``tests/edges/test_mailbox_contract.py``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Phase
from watcher.notify.mailbox import LONGEST_MAIL, MOST_AT_ONCE


@dataclass(slots=True)
class FakeMailbox:
    """What has arrived, and what of it was read."""

    mails: dict[str, bytes] = field(default_factory=dict)  # by key, in the order in which they came
    settled: list[str] = field(default_factory=list)
    down: bool = False
    locked: str | None = None  # the words with which nobody is let in; None = everybody is
    breaks_at_settling: int = 0  # how often the line breaks there

    @property
    def name(self) -> str:
        return "memory"

    def arrive(self, mail: bytes) -> None:
        self.mails[str(len(self.mails) + 1)] = mail

    @contextmanager
    def reading(self) -> Iterator["FakeReading"]:
        """Let somebody in.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        if self.down:
            raise ChannelDown(Phase.CONNECT, "memory: connection refused")
        if self.locked:
            raise ChannelRefused(Phase.CONNECT, self.locked)
        yield FakeReading(self)


class FakeReading:
    """One look into it."""

    def __init__(self, mailbox: FakeMailbox) -> None:
        self._mailbox = mailbox

    def unread(self) -> list[str]:
        return [key for key in self._mailbox.mails if key not in self._mailbox.settled][:MOST_AT_ONCE]

    def fetch(self, key: str) -> bytes | None:
        mail = self._mailbox.mails.get(key)
        return None if mail is None else mail[:LONGEST_MAIL]

    def settle(self, key: str) -> None:
        if self._mailbox.breaks_at_settling:
            self._mailbox.breaks_at_settling -= 1
            raise ChannelDown(Phase.CONNECT, "memory: the line broke")
        if key in self._mailbox.mails:
            self._mailbox.settled.append(key)
