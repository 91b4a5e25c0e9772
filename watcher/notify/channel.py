"""What every way of handing mails over looks like to the pipeline.

Interfaces only.  All forms keep the same promises, and pass the same tests (``tests/edges/test_channel_contract.py``):

- A ``Receipt`` means that the message was taken, whole, and will survive a power cut on the other side.
- ``on_phase`` is called *before* a step begins, and for ``Phase.DOT`` before the first moment at which the message can
  be taken; with ``Phase.JOURNALLED`` in its place where the journal mailbox will get the message if the reader does.
  The caller stores the phase there.  If it raises, nothing more is sent and the connection is dropped, so that nothing
  is ever taken of which the database does not know that it might have been.
- An error is always of the ``MailError`` family and says what it means for the message, the channel and a retry.
  After ``MessageRefused``, ``MessageDeferred`` and ``MessageBarred`` the session can go on with the next message.
  After any other error it cannot: what is sent through it then is answered with ``ChannelDown``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from watcher.model import Message, Phase, Receipt


class Session(Protocol):
    """One conversation, in which any number of messages can be handed over."""

    def send(self, message: Message, *, on_phase: Callable[[Phase], None]) -> Receipt:
        """Hand one message over and return the proof.

        Args:
            message: complete; sent as it is.
            on_phase: called with each step before it begins: ``CONNECT`` only where a connection is replaced;
                a channel leaves out steps that it does not have.

        Raises:
            MessageDeferred: not taken.  Try this message again later; go on with the next.
            LineBroken: the same, but nobody refused it: try it again at once, in this session.
            MessageRefused: not taken, and never will be.  Give this message up; go on with the next.
            MessageBarred: not handed over, because the settings allow no mail to this person; go on with the next.
            MessageUncertain: perhaps taken.  Look it up, or send it again under the same Message-ID; in a new session.
            ChannelDown: not taken, and no message is to blame.  Stop, and try all again later.
            ChannelRefused: not taken.  Stop, and tell the operator.
        """


class Channel(Protocol):
    """A place to hand messages over to."""

    @property
    def name(self) -> str:
        """For logs and ``status``: "smtp mail.example.org:587" or "files in state/mail"."""

    def session(self) -> AbstractContextManager[Session]:
        """Open a conversation, and close it at the end of the ``with`` block.

        Raises:
            ChannelDown: nobody answers now.  Try again later; no message's attempt is to be counted.
            ChannelRefused: it will not work until the operator changes something.
        """


class Journal(Protocol):
    """A mailbox that gets every mail beside its reader, and so knows what the mail server has taken.

    All forms pass the same tests (``tests/edges/test_journal_contract.py``).  That a mail is not there proves something
    only where the server takes a mail for both or for neither, delivers to the journal at once, and leaves Message-IDs
    as they are.
    """

    @property
    def address(self) -> str:
        """Return the mailbox's address, which is named as a second recipient."""

    def holds(self, message_id: str) -> bool:
        """Return whether a mail has arrived.

        Args:
            message_id: the header, with its angle brackets.

        Raises:
            ChannelDown: nobody answers now.  Try again later.
            ChannelRefused: it will not work until the operator changes something.
        """
