"""What the registry has published, what the readers' mailboxes hold, and whether the one is the other.

Each change has a number that no other change has, on any trial: the enrollment that it sets.  A trial is changed again
only when every reader has been told of its last change, so that no change is overtaken by the next before anybody could
see it.  What was told is read from what arrived, not from the program's database.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes, policy
from hashlib import sha256
from typing import Self

import orjson

from tests.factories import study
from tests.flow.registry import BEFORE_THE_FIRST, GrowingDataset
from watcher.replay.days import read_days
from watcher.replay.server import RegistryServer

FIRST = 100_000  # the number that all trials begin with
_TOLD = re.compile(r"→ ([\d,]+) \(estimated\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail in a mailbox."""

    message_id: str
    content: bytes  # hash of the mail from its Message-ID on: servers write their trace before what was sent
    tells: frozenset[int]  # numbers of changes

    @classmethod
    def of(cls, mime: bytes) -> Self:
        mail = message_from_bytes(mime, policy=policy.default)
        text = mail.get_body(("plain",))
        words = text.get_content() if text is not None else ""
        numbers = (int(number.replace(",", "")) for number in _TOLD.findall(words))
        sent = mime.partition(b"\nSubject:")[2].replace(b"\r\n", b"\n")
        return cls(
            message_id=str(mail["Message-ID"]),
            content=sha256(sent).digest(),
            tells=frozenset(number for number in numbers if number > FIRST),
        )


class Publisher:
    """A registry on loopback, each of whose releases is one day after the one before; a context manager."""

    def __init__(self, trials: Iterable[str]) -> None:
        self._growing = GrowingDataset()
        self._server = RegistryServer(self._growing)
        self._day = BEFORE_THE_FIRST
        self._last = FIRST
        self.publish(dict.fromkeys(trials, FIRST))

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return self._server.url

    def change(self, trials: Iterable[str]) -> dict[str, int]:
        """Release a dataset in which these trials have changed; return the number of each one's change."""
        numbers = {trial: self._last + place for place, trial in enumerate(trials, 1)}
        self._last += len(numbers)
        self.publish(numbers)
        return numbers

    def publish(self, numbers: dict[str, int]) -> None:
        self._day += timedelta(days=1)
        day = self._day.isoformat()
        records = (study(trial, enrollment=number, updated=day, stamp=day) for trial, number in numbers.items())
        self._growing.add(day, read_days({day: [orjson.dumps(record) for record in records]}, names={day: day})[day])
        self._server.go_to(day)

    @property
    def day(self) -> date:
        return self._day


@dataclass(slots=True)
class Ledger:
    """Who has to hear of which changes, and who did."""

    readers: Sequence[str]
    current: dict[str, int]  # number of each trial's last change
    published: set[int] = field(default_factory=set)
    letters: dict[str, list[Letter]] = field(default_factory=dict)  # by reader, the welcome included
    _heard: dict[str, set[int]] = field(default_factory=dict)

    def note_published(self, numbers: dict[str, int]) -> None:
        self.current |= numbers
        self.published.update(numbers.values())

    def note_arrived(self, reader: str, letters: Iterable[Letter]) -> None:
        for letter in letters:
            self.letters.setdefault(reader, []).append(letter)
            self._heard.setdefault(reader, set()).update(letter.tells)

    def settled(self) -> list[str]:
        """Return the trials of whose last change every reader has been told."""
        return [trial for trial, number in self.current.items() if number == FIRST or self._all_heard(number)]

    def some_settled(self, chance: random.Random, *, most: int) -> list[str]:
        """Return some of them, at random."""
        settled = self.settled()
        return chance.sample(settled, min(len(settled), chance.randint(1, most)))

    @property
    def all_welcomed(self) -> bool:
        """Whether every reader has had a mail: until then, a change is none to them."""
        return all(self.letters.get(reader) for reader in self.readers)

    @property
    def complete(self) -> bool:
        return len(self.settled()) == len(self.current)

    def _all_heard(self, number: int) -> bool:
        return all(number in self._heard.get(reader, ()) for reader in self.readers)

    def verdict(self) -> "Verdict":
        """Compare what was published with what arrived."""
        found = Verdict(published=len(self.published), readers=len(self.readers))
        for reader in self.readers:
            letters = self.letters.get(reader, [])
            by_number: dict[int, list[Letter]] = {number: [] for number in self.published}
            for letter in letters:
                for number in letter.tells:
                    by_number.setdefault(number, []).append(letter)
            found.mails += len(letters)
            found.repeats += len(letters) - len({letter.message_id for letter in letters})
            for number, telling in by_number.items():
                found.add(f"change {number} to {reader}", telling, is_known=number in self.published)
        return found


@dataclass(slots=True)
class Verdict:
    """What came of it."""

    published: int
    readers: int
    mails: int = 0
    repeats: int = 0  # mails that came again under the same Message-ID
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)  # told by more than one mail, whatever their Message-IDs
    differently: list[str] = field(default_factory=list)  # by mails of different Message-IDs, or contents
    invented: list[str] = field(default_factory=list)  # told, and never published

    def add(self, what: str, telling: Sequence[Letter], *, is_known: bool) -> None:
        if not is_known:
            self.invented.append(what)
        if not telling:
            self.lost.append(what)
        if len(telling) > 1:
            self.twice.append(what)
        if len({(letter.message_id, letter.content) for letter in telling}) > 1:
            self.differently.append(what)

    def broken(self, *, once: bool) -> list[str]:
        """Return how the promise was broken.

        Args:
            once: nothing may come twice; False = it may, under the same Message-ID.
        """
        found = [f"lost: {one}" for one in self.lost] + [f"never published: {one}" for one in self.invented]
        found += [f"told by different mails: {one}" for one in self.differently]
        return found + ([f"told twice: {one}" for one in self.twice] if once else [])
