"""What a delivery run is given beside its channels, and what it says that it did."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from watcher.core.targets import MAIL
from watcher.errors import MailError
from watcher.model import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    down_for: timedelta  # until the next try of a channel that is down
    give_up_after: timedelta  # the age at which a message is given up, or told by another one
    journal_wait: timedelta = timedelta(minutes=2)  # until a message that was taken is sure to be in the journal
    turn: timedelta = timedelta(minutes=1)  # that one run takes, so that new settings and other channels have theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must not be read where it is used: chance and time."""

    stopping: Callable[[], bool]  # whether the service is ending
    chance: Callable[[], float]  # 0 to 1
    monotonic: Callable[[], float]  # seconds that go by, whoever sets the clock


@dataclass(slots=True)
class Handed:
    """What a delivery run did."""

    states: Counter[DeliveryState] = field(default_factory=Counter)
    troubles: dict[str, MailError] = field(default_factory=dict)  # channels that do not work as a whole, by name
    more: bool = False  # messages were left that may be due

    @property
    def trouble(self) -> MailError | None:
        """Why a channel as a whole does not work: the mail server, or else the first of the others."""
        return self.troubles.get(MAIL) or next(iter(self.troubles.values()), None)

    def add(self, other: "Handed") -> None:
        """Take in what another run, or another channel, did."""
        self.states += other.states
        self.troubles |= other.troubles
        self.more = self.more or other.more
