"""The journal: a mailbox that gets a copy of every mail, and so knows what the mail server has taken.

Does not decide what follows from that.  That a mail is not there proves nothing where the server delivers copies later,
or rewrites Message-IDs.  Source: RFC 3501, 6.4.4 (SEARCH).
"""

import imaplib
import re

from watcher.notify.imap_connection import Answer, ImapServer, asked, imap_errors, opened_folder

_MOST_HITS = 50  # that are looked at; IMAP finds every header that contains what is looked for
_SEARCHABLE = re.compile(r"<[!#-\[\]-~]{1,900}>")  # in quotation marks as it is


class ImapJournal:
    """The copies in a folder on an IMAP server."""

    def __init__(self, server: ImapServer, *, address: str) -> None:
        """Name a journal.

        Args:
            server: where it is read.
            address: where a copy of every mail is sent.
        """
        self._server = server
        self._address = address

    @property
    def address(self) -> str:
        return self._address

    def holds(self, message_id: str) -> bool:
        """Return whether a mail with this Message-ID, angle brackets included, has arrived.

        Raises:
            ChannelDown: nobody answers now.  Try again later.
            ChannelRefused: it will not work until the operator changes something.
        """
        if not _SEARCHABLE.fullmatch(message_id):
            return False  # not one that this program writes
        with opened_folder(self._server, readonly=True) as connection, imap_errors(self._server):
            answer: Answer = connection.uid("SEARCH", "HEADER", "Message-ID", f'"{message_id}"')
            found = asked(answer, "search its folder", self._server)
            hits = [one.decode("ascii") for line in found if isinstance(line, bytes) for one in line.split()]
            return any(self._is(connection, hit, message_id) for hit in hits[-_MOST_HITS:])

    def _is(self, connection: imaplib.IMAP4, uid: str, message_id: str) -> bool:
        """Compare the header itself: the search finds longer ones too, whatever their case."""
        answer: Answer = connection.uid("FETCH", uid, "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]<0.2000>)")
        for one in asked(answer, "hand a header out", self._server):
            if isinstance(one, tuple):
                value = one[1].decode("ascii", "replace").partition(":")[2]
                if "".join(value.split()) == message_id:
                    return True
        return False
