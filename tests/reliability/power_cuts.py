"""Cut the power at moments of chance, and see what the program finds when it is back.

python -m tests.reliability.power_cuts [--count 2000] [--lives 60]

What writes is the store itself: the whole pipeline on a real ``Database``, with its schema, migrations, pragmas and
transactions, a registry that publishes and a mail server that fails now and then.  Below it, a recorded disk notes
every write and sync (``recorded_disk.py``), and between them each commit that returned and each mail that was taken.
Each cut leaves what was synced at its moment and any part of the rest.  What is left is opened with the standard
library's SQLite: the database must be intact, and hold exactly what it held at the last acknowledged commit, or at the
one under way.  After some of the cuts the program starts again on it and lives on for two days.  Then

- every change has been told to each reader once, by mails before the cut and after it;
- no mail came again that was recorded as sent; one whose receipt was not recorded yet came at most once more, with the
  same Message-ID and the same bytes, and never with a journal mailbox.

To show that losses would be found, the same life is recorded with ``synchronous`` NORMAL and OFF in the place of the
store's FULL, and with FULL on a disk that says it has synced and has not.  There losses must be found.

Does not cut the power of a real machine; what the model leaves out is said in ``recorded_disk.py``.  The driver below
SQLAlchemy is apsw's while the life is recorded, so that the SQLite library is apsw's, too; its version is printed.
"""

import argparse
import logging
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import apsw
import structlog

from tests.flow.journal import FakeJournal
from tests.flow.mail_server import FakeMailServer
from tests.flow.registry import BEFORE_THE_FIRST, PublishedRegistry
from tests.flow.world import READER, Clock, World, daily, immediate
from tests.reliability.recorded_disk import Committed, Event, Note, Platter, RecordedDisk, Write, content_of
from tests.smtp_conversation import Accepted
from watcher.model import Message

DATABASE = "recorded.sqlite3"
DAILY = "daily@example.org"
TRIALS = tuple(f"NCT1000000{number}" for number in range(6))
STEPS = 60  # publications in one recorded life: enough for several checkpoints of the write-ahead log
_FIRST_NUMBER = 101  # the target enrolment that the first publication brings


@dataclass(frozen=True, slots=True)
class Published:
    """The registry has published; from here on the world is as it says."""

    step: int  # 0: the trials as they are at first
    trials: tuple[str, ...]  # that changed
    day: str  # the registry's
    moment: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail was taken by the server."""

    mail: Accepted


@dataclass(slots=True)
class NotingMailServer(FakeMailServer):
    """Notes what it takes at the moment at which it does."""

    note: Callable[[object], None] = print

    def take(self, message: Message) -> None:
        FakeMailServer.take(self, message)
        self.note(Taken(self.accepted[-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A recorded life, to be cut anywhere."""

    disk: RecordedDisk
    registry: PublishedRegistry
    journal: bool  # whether the mail server puts each mail into a journal mailbox as well

    @property
    def checkpoints(self) -> int:
        """How often pages came from the write-ahead log into the database's file."""
        to_log = [event.name.endswith("-wal") for event in self.disk.log if isinstance(event, Write)]
        return sum(before and not after for before, after in pairwise(to_log))


def live(folder: Path, *, seed: int = 1, journal: bool = False, synchronous: str = "FULL", steps: int = STEPS) -> Life:
    """Record a life from an empty folder on: migrations, first sights, changes, a failing mail server, restarts."""
    disk, registry = RecordedDisk(synchronous), PublishedRegistry()
    server = NotingMailServer(note=disk.note, journal=FakeJournal() if journal else None)
    chance = Random(seed)
    path = folder / DATABASE
    with disk.recording(path):
        world = World(f"sqlite:///{path}", folder, registry=registry, mail_server=server, begins=False)
        _declare(world)
        for step in range(steps):
            _live_on(world, disk, step, chance)
        world.close()
    return Life(disk=disk, registry=registry, journal=journal)


def _declare(world: World) -> None:
    world.watch(*TRIALS, readers=[immediate(), daily(DAILY)])


def _live_on(world: World, disk: RecordedDisk, step: int, chance: Random) -> None:
    trials = TRIALS if step == 0 else tuple(sorted(chance.sample(TRIALS, chance.randint(1, 3))))
    world.registry.publish_all({trial: {"enrollment": _FIRST_NUMBER + step} if step else {} for trial in trials})
    disk.note(Published(step, trials, world.registry.day, world.clock()))
    world.mail_server.down = chance.random() < 0.1
    if chance.random() < 0.2:
        world.mail_server.defer(READER, times=chance.randint(1, 2))
    world.round()
    world.mail_server.behave()
    world.later(hours=chance.choice((1, 4, 9)))
    if chance.random() < 0.1:
        world.restart()
    world.round()


# --- the cuts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What there is when the power is back."""

    files: dict[str, bytes]
    commits: int  # acknowledged
    contents: tuple[int, ...]  # that the database may have: at the last acknowledged commit, or at the one under way
    published: list[Published]
    taken: list[Accepted]


@dataclass(slots=True)
class Figures:
    cuts: int = 0
    resumed: int = 0  # lives that went on
    commits: int = 0  # acknowledged before the cuts, in all
    mails: int = 0  # taken before the cuts
    doubles: int = 0  # mails that came again, with the same Message-ID and the same bytes
    wrong: list[str] = field(default_factory=list)
    losses: Counter[str] = field(default_factory=Counter)

    def row(self, what: str) -> str:
        """Return it as a row of a table: what, size, result."""
        size = f"{self.cuts:,} cuts, {self.commits // max(self.cuts, 1):,} commits and "
        size += f"{self.mails // max(self.cuts, 1):,} mails before each on average; {self.resumed:,} lives went on"
        lost = ", ".join(f"{count:,} {loss}" for loss, count in sorted(self.losses.items())) or "0 lost or damaged"
        result = lost + (f"; {len(self.wrong):,} told wrongly, {self.doubles:,} mails twice" if self.resumed else "")
        return f"| {what} | {size} | {result} |"


def cuts(life: Life, moments: Sequence[int], chance: Random, *, lies: bool = False) -> Iterator[Remains]:
    """Yield what is left of a life that is cut right before each of these events, which are in order."""
    platter = Platter(lies=lies)
    contents, published, taken = [_EMPTY], list[Published](), list[Accepted]()
    every_content = [_EMPTY, *(what.content for what in _notes(life.disk.log) if isinstance(what, Committed))]
    done = 0
    for moment in moments:
        for event in life.disk.log[done:moment]:
            platter.apply(event)
        for what in _notes(life.disk.log[done:moment]):
            match what:
                case Committed(content):
                    contents.append(content)
                case Published():
                    published.append(what)
                case Taken(mail):
                    taken.append(mail)
        done = moment
        yield Remains(
            files=platter.after_a_cut(chance),
            commits=len(contents) - 1,
            contents=tuple(every_content[len(contents) - 1 : len(contents) + 1]),
            published=list(published),
            taken=list(taken),
        )


def _notes(events: Sequence[Event]) -> Iterator[object]:
    return (event.what for event in events if isinstance(event, Note))


def _content_of_nothing() -> int:
    with closing(sqlite3.connect(":memory:")) as empty:
        return content_of(empty)


_EMPTY = _content_of_nothing()


def loss_in(remains: Remains, path: Path) -> str | None:
    """Put the files back and return what of the acknowledged is not there; None = all is."""
    for name, left in remains.files.items():
        path.with_name(name).write_bytes(left)
    try:
        with closing(sqlite3.connect(path)) as database:
            [intact] = database.execute("PRAGMA integrity_check").fetchone()
            if intact != "ok":
                return "damaged"
            if database.execute("PRAGMA foreign_key_check").fetchone():
                return "damaged"
            content = content_of(database)
    except sqlite3.DatabaseError:
        return "cannot be read"
    return None if content in remains.contents else "acknowledged commits lost"


def live_on(life: Life, remains: Remains, path: Path) -> tuple[list[str], int]:
    """Start the program on what is left, and let two days go by; return what is wrong then, and how many doubles."""
    published = remains.published
    life.registry.day = published[-1].day if published else BEFORE_THE_FIRST.isoformat()
    moment = published[-1].moment if published else Clock().moment
    journal = FakeJournal(kept=[mail.mime for mail in remains.taken]) if life.journal else None
    server = FakeMailServer(accepted=list(remains.taken), journal=journal)
    recorded_as_sent = _recorded_as_sent(path)
    clock = Clock(moment=moment)
    world = World(
        f"sqlite:///{path}", path.parent, registry=life.registry, mail_server=server, clock=clock, begins=False
    )
    try:
        _declare(world)
        for hours in (0.2, 1, 24, 0.2, 24, 0.2):
            world.later(hours=hours)
            world.round()
    finally:
        world.close()
    wrong = list(_told_wrongly(published, server.accepted))
    wrong += _repeated_wrongly(server.accepted, recorded_as_sent, journal=life.journal)
    ids = {mail.message_id for mail in server.accepted}
    return wrong, len(server.accepted) - len(ids)


def _recorded_as_sent(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'message'").fetchone():
            return set()
        return {row[0] for row in database.execute("SELECT message_id FROM message WHERE state = 'sent'")}


def _told_wrongly(published: Sequence[Published], accepted: Sequence[Accepted]) -> Iterator[str]:
    for reader in (READER, DAILY):
        first_copies = {mail.message_id: mail for mail in accepted if mail.recipient == reader}
        text = "\n".join(mail.text for mail in first_copies.values())
        for news in published[1:]:
            told = text.count(f"→ {_FIRST_NUMBER + news.step} (estimated)")
            if told != len(news.trials):
                yield f"step {news.step} was told to {reader} {told} times, not {len(news.trials)}"


def _repeated_wrongly(accepted: Sequence[Accepted], recorded_as_sent: set[str], *, journal: bool) -> Iterator[str]:
    copies = Counter(mail.message_id for mail in accepted)
    for message_id, count in copies.items():
        if count > 1 and (journal or message_id in recorded_as_sent or count > 2):
            yield f"{message_id} came {count} times"
        if len({mail.mime for mail in accepted if mail.message_id == message_id}) > 1:
            yield f"{message_id} was not the same twice"


def run(life: Life, folder: Path, *, count: int, lives: int, seed: int = 1, lies: bool = False) -> Figures:
    """Cut a life so often; as many times as ``lives`` says, start the program again on what is left."""
    figures, chance = Figures(), Random(seed)
    moments = sorted(chance.randrange(1, len(life.disk.log)) for _ in range(count))
    going_on = set(chance.sample(range(count), lives))
    for number, remains in enumerate(cuts(life, moments, chance, lies=lies)):
        place = folder / f"cut-{number}"
        place.mkdir()
        path = place / DATABASE
        figures.cuts += 1
        figures.commits += remains.commits
        figures.mails += len(remains.taken)
        where = f"cut {number} before event {moments[number]:,}"
        loss = loss_in(remains, path)
        if loss:
            figures.losses[loss] += 1
        elif number in going_on:
            wrong, doubles = live_on(life, remains, path)
            figures.resumed += 1
            figures.doubles += doubles
            figures.wrong += [f"{where}: {one}" for one in wrong]
        shutil.rmtree(place)
    return figures


# --- what has to be found ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A life under other conditions, that must lose something, or must not."""

    name: str
    synchronous: str = "FULL"
    lies: bool = False
    journal: bool = False

    @property
    def must_hold(self) -> bool:
        return self.synchronous == "FULL" and not self.lies


VARIANTS = (
    Variant(name="as the store sets it, no journal"),
    Variant(name="as the store sets it, with the journal", journal=True),
    Variant(name="synchronous=NORMAL in its place", synchronous="NORMAL"),
    Variant(name="synchronous=OFF in its place", synchronous="OFF"),
    Variant(name="as the store sets it, on a disk that lies", lies=True),
)


def play(variant: Variant, folder: Path, *, count: int, lives: int, steps: int) -> tuple[Life, Figures]:
    """Record a variant's life and cut it; where something must be lost, no life goes on."""
    life = live(folder, journal=variant.journal, synchronous=variant.synchronous, steps=steps)
    figures = run(life, folder, count=count, lives=lives if variant.must_hold else 0, lies=variant.lies)
    return life, figures


def broken(variant: Variant, life: Life, figures: Figures) -> list[str]:
    """Return what of the promise does not hold, or was not put to the test."""
    problems = list(figures.wrong)
    losses = sum(figures.losses.values())
    if variant.must_hold and losses:
        problems.append(f"{variant.name}: {dict(figures.losses)}")
    if not variant.must_hold and not losses:
        problems.append(f"{variant.name}: no loss was found, so that this proves nothing")
    if not life.checkpoints or not figures.commits or not figures.mails:
        problems.append(f"{variant.name}: nothing was written that could be lost")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.power_cuts", description="Cut the power.")
    parser.add_argument("--count", type=int, default=2_000, metavar="N", help="cuts, in all that must hold")
    parser.add_argument("--lives", type=int, default=60, metavar="N", help="after how many the program is started")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help="publications in a recorded life")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    problems = []
    for variant in VARIANTS:
        with TemporaryDirectory(prefix="trialwatch-cuts-") as folder:
            count, lives = asked.count // 2, asked.lives // 2
            life, figures = play(variant, Path(folder), count=count, lives=lives, steps=asked.steps)
        problems += broken(variant, life, figures)
        sys.stdout.write(figures.row(f"power cuts, SQLite {apsw.sqlite_lib_version()}: {variant.name}") + "\n")
        sys.stdout.flush()
    sys.stdout.writelines(f"BROKEN: {problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
