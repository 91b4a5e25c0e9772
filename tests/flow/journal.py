"""A journal mailbox in this process, written by hand: it keeps what is put into it, and can be out of reach.

It passes the same contract tests as the journals that the program has (``tests/edges/test_journal_contract.py``).
"""

from dataclasses import dataclass, field
from email import message_from_bytes

from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Phase


@dataclass(slots=True)
class FakeJournal:
    address: str = "journal@example.org"
    down: bool = False
    locked: bool = False  # the login is refused
    asked: list[str] = field(default_factory=list)  # Message-IDs
    kept: list[bytes] = field(default_factory=list)

    def put(self, mime: bytes) -> None:
        """Let a mail arrive."""
        self.kept.append(mime)

    def holds(self, message_id: str) -> bool:
        """Return whether a mail has arrived; see ``channel.Journal.holds``."""
        self.asked.append(message_id)
        if self.down:
            raise ChannelDown(Phase.CONNECT, "journal: connection refused")
        if self.locked:
            raise ChannelRefused(Phase.CONNECT, "journal: login refused")
        return any(message_from_bytes(mime)["Message-ID"] == message_id for mime in self.kept)
