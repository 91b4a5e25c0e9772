"""A mailbox that reports come to: what is unread there, one mail after the other.

``Mailbox`` and ``Reading`` are what every form looks like; all pass ``tests/edges/test_mailbox_contract.py``.  A mail
stays unread until ``settle``: the caller records first what it says, so that nothing is lost between the two.

Does not understand what it reads (``reports.py``), and deletes nothing.  Sources: RFC 3501.
"""

import imaplib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from watcher.notify.imap_connection import Answer, ImapServer, asked, imap_errors, opened_folder

MOST_AT_ONCE = 500  # mails of one reading; the next one takes the next
LONGEST_MAIL = 2**20  # bytes that are read of one; what a report says stands at its beginning
_LITERAL = re.compile(rb"\bBODY\[\](?:<0>)? ", re.IGNORECASE)


class Reading(Protocol):
    """One look into the mailbox."""

    def unread(self) -> list[str]:
        """Return the keys of mails that nobody has read, oldest first; at most ``MOST_AT_ONCE``."""

    def fetch(self, key: str) -> bytes | None:
        """Return a mail, cut off at ``LONGEST_MAIL``; None when it is gone.  It stays unread."""

    def settle(self, key: str) -> None:
        """Mark a mail as read."""


class Mailbox(Protocol):
    @property
    def name(self) -> str:
        """For logs: "imap mail.example.org:993"."""

    def reading(self) -> AbstractContextManager[Reading]:
        """Look into it, until the end of the ``with`` block.

        Raises, there and in everything that is done with it:
            ChannelDown: nobody answers now.  Try again later.
            ChannelRefused: it will not work until the operator changes something.
        """


class ImapMailbox:
    """A folder on an IMAP server."""

    def __init__(self, server: ImapServer) -> None:
        self._server = server

    @property
    def name(self) -> str:
        return self._server.where

    @contextmanager
    def reading(self) -> Iterator["ImapReading"]:
        """Connect and open the folder.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        with opened_folder(self._server, readonly=False) as connection:
            yield ImapReading(connection, self._server)


class ImapReading:
    """One connection to it.  The keys are UIDs."""

    def __init__(self, connection: imaplib.IMAP4, server: ImapServer) -> None:
        self._connection = connection
        self._server = server

    def unread(self) -> list[str]:
        found = self._ask("search its folder", "SEARCH", "UNSEEN", "UNDELETED")
        numbers = sorted(int(one) for line in found if isinstance(line, bytes) for one in line.split() if one.isdigit())
        return [str(number) for number in numbers[:MOST_AT_ONCE]]

    def fetch(self, key: str) -> bytes | None:
        found = self._ask("hand a mail out", "FETCH", key, f"(BODY.PEEK[]<0.{LONGEST_MAIL}>)")
        return next((one[1] for one in found if isinstance(one, tuple) and _LITERAL.search(one[0])), None)

    def settle(self, key: str) -> None:
        self._ask("mark a mail as read", "STORE", key, "+FLAGS.SILENT", r"(\Seen)")

    def _ask(self, what: str, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes]]:
        with imap_errors(self._server):
            answer: Answer = self._connection.uid(command, *arguments)
            return asked(answer, what, self._server)
