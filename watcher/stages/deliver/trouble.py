"""Writes what is wrong with a channel as a whole, or looked as if it was."""

from collections.abc import Sequence
from datetime import datetime

from watcher.core.targets import MAIL
from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Delivery
from watcher.stages.deliver.incidents import delayed, incident_of, trouble_of
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.incidents import close_incidents, open_incident, open_incidents


class Trouble:
    """The incidents of one channel."""

    def __init__(self, database: Database, channel: str, *, operator: str) -> None:
        self._database = database
        self._channel = channel
        self._operator = operator

    @property
    def channel(self) -> str:
        return self._channel

    def begins(self, error: ChannelDown | ChannelRefused, *, until: datetime, now: datetime) -> None:
        """Record that the channel does not work, and is left alone for a while."""
        what = "Mail" if self._channel == MAIL else f"What {self._channel} is to hear"
        with self._database.writing() as db:
            outbox.defer_all(db, until=until, channel=self._channel)
            key = trouble_of(self._channel, refused=isinstance(error, ChannelRefused))
            open_incident(db, key, f"{what} cannot be handed over: {error.reply}", now=now)

    def is_over(self, now: datetime) -> None:
        """Record that the channel works."""
        with self._database.writing() as db:
            close_incidents(db, [trouble_of(self._channel, refused=refused) for refused in (False, True)], now=now)

    def was_not_the_channel_s(self, refused: Sequence[tuple[Delivery, str]], *, now: datetime) -> None:
        """Tell the operator of messages that were refused as if the channel were to blame, when it was not."""
        with self._database.writing() as db:
            known = {incident.key for incident in open_incidents(db)}
            for delivery, reply in refused:
                message = delivery.message
                if delayed(message.recipient) in known:
                    continue  # the operator knows that nothing gets through to that person
                summary = (
                    f'The mail "{message.subject}" to {message.recipient} is refused for a reason that only you '
                    f"can put right; it is tried again: {reply}."
                )
                open_incident(db, incident_of(delivery, self._operator), summary, now=now)
