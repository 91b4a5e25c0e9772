"""A channel that takes messages to some people only: so that no reader gets mail from a place where things are tried.

Stands before the real channel, so that no way of sending leads past it.  Which addresses are allowed: ``core``.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from watcher.core.allow_list import allowed
from watcher.errors import MessageBarred
from watcher.model import Message, Phase, Receipt
from watcher.notify.channel import Channel, Session


class AllowListChannel:
    """A channel behind a list of who may get mail."""

    def __init__(self, channel: Channel, patterns: Sequence[str]) -> None:
        """Take the channel, and the patterns of ``mail.only_to``."""
        self._channel = channel
        self._patterns = tuple(patterns)

    @property
    def name(self) -> str:
        return self._channel.name

    @contextmanager
    def session(self) -> Iterator["AllowListSession"]:
        """Open a conversation with the real channel; raises what that raises."""
        with self._channel.session() as session:
            yield AllowListSession(session, self._patterns)


class AllowListSession:
    """A conversation in which only those are named who may be."""

    def __init__(self, session: Session, patterns: Sequence[str]) -> None:
        self._session = session
        self._patterns = patterns

    def send(self, message: Message, *, on_phase: Callable[[Phase], None]) -> Receipt:
        """Hand one message over; see ``channel.Session.send``."""
        if not allowed(message.recipient, self._patterns):
            raise MessageBarred(Phase.CONNECT, f"{message.recipient} is not on mail.only_to: nothing was sent")
        return self._session.send(message, on_phase=on_phase)
