"""Take the registry, the mail server or both away for 72 hours, and see what readers and the operator hear.

python -m tests.reliability.outages [--trials 500] [--every 1]

The jobs of the service run on a clock that steps, woken as the scheduler would: at each interval of
``mail.deliver_every``.  Between them stand the real pipeline and a real database; the registry and the mail server are
this process's own.  The registry fails in turn by 503, by time-outs, by refused connections and by names that cannot be
resolved.  Meanwhile it publishes three releases; some trials change in one of them, some in all.  Then

- each reader has heard each change once, and nothing twice; what was published and replaced while nobody could ask is
  told as one change, from what was known to what is;
- the first mail comes at most one interval after the end of the outage: of the mails, or of the checks;
- what was delayed says so, and since when; what was not, does not;
- the registry is never asked faster than the cap, nor more than an outage's attempts at each check;
- the operator hears once that the outage began and once that it is over (of the mail server's only when it is over: no
  mail can tell that it is down), each reader once that nothing can be verified and once that all is well again.

Does not start a process, and does not wait: see ``tests/process`` for the scheduler itself.
"""

import argparse
import logging
import socket
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
import structlog
from requests import PreparedRequest, Response

from tests.flow.mail_server import FakeMailServer
from tests.flow.registry import PublishedRegistry
from tests.flow.world import OPERATOR, READER, Clock, World, daily, immediate
from tests.smtp_conversation import Accepted
from watcher.app import Stopped, StopSignal
from watcher.errors import RegistryError
from watcher.model import Message
from watcher.service.in_force import InForce
from watcher.service.jobs import mail, watch

DAILY = "daily@example.org"
READERS = (READER, DAILY)
OUTAGE = timedelta(hours=72)
AFTER = timedelta(hours=30)  # long enough for the daily reader's next mail
RELEASES = tuple(timedelta(hours=hours) for hours in (10, 34, 58))  # after the outage began
REQUESTS_PER_MINUTE = 30
ATTEMPTS = 3
CHECK_EVERY = timedelta(minutes=30)
_MINUTE = timedelta(minutes=1)
_CHANGING = 20  # one of so many trials changes in a release: fewer than what holds a release up


class Trouble(StrEnum):
    UNAVAILABLE = "503"
    TIME_OUT = "time-out"
    REFUSED = "refused"
    NO_NAME = "no name"


class SteppingStop(StopSignal):
    """Lets the clock go on where the service would sleep."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, duration: timedelta) -> None:
        if self.is_set():
            raise Stopped("the service is ending")
        self._clock.moment += duration


class FailingRegistry(PublishedRegistry):
    """A registry that can be out of reach, and notes when it was asked."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.down_since: datetime | None = None
        self.asked_at: list[datetime] = []
        self.played: Counter[Trouble] = Counter()

    def send(self, request: PreparedRequest, *network: Any, **details: Any) -> Response:
        self.asked_at.append(self._clock())
        if self.down_since is None:
            return super().send(request, *network, **details)
        quarters = int((self._clock() - self.down_since) / (OUTAGE / len(Trouble)))
        trouble = list(Trouble)[min(quarters, len(Trouble) - 1)]
        self.played[trouble] += 1
        match trouble:
            case Trouble.UNAVAILABLE:
                self.fault("server_error")
                return super().send(request, *network, **details)
            case Trouble.TIME_OUT:
                raise requests.ReadTimeout("no answer", request=request)
            case Trouble.REFUSED:
                raise _because(ConnectionRefusedError(111, "Connection refused"), request)
            case Trouble.NO_NAME:
                raise _because(socket.gaierror(-3, "Temporary failure in name resolution"), request)


def _because(cause: OSError, request: PreparedRequest) -> requests.ConnectionError:
    error = requests.ConnectionError(str(cause), request=request)
    error.__context__ = cause
    return error


@dataclass(slots=True)
class TimedMailServer(FakeMailServer):
    """Notes when it took each mail."""

    clock: Clock = field(default_factory=Clock)
    taken_at: list[datetime] = field(default_factory=list)

    def take(self, message: Message) -> None:
        FakeMailServer.take(self, message)
        self.taken_at.append(self.clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    name: str
    registry: bool = False
    mail: bool = False


OUTAGES = (
    Outage(name="registry down", registry=True),
    Outage(name="mail server down", mail=True),
    Outage(name="both down", registry=True, mail=True),
)


@dataclass(slots=True, kw_only=True)
class Course:
    """One outage, from before its beginning to after its end."""

    outage: Outage
    world: World
    registry: FailingRegistry
    server: TimedMailServer
    every: timedelta  # how often mails are handed over
    trials: list[str]
    began: datetime = field(init=False)
    ended: datetime = field(init=False)
    released: list[tuple[datetime, dict[str, int]]] = field(default_factory=list)  # when; the new numbers by trial

    def mails(self, recipient: str) -> list[tuple[datetime, Accepted]]:
        """Return what somebody got since the outage began, with when."""
        taken = zip(self.server.taken_at, self.server.accepted, strict=True)
        return [(moment, one) for moment, one in taken if one.recipient == recipient and moment >= self.began]

    def requests_while_down(self) -> int:
        asked = self.registry.asked_at
        return bisect_left(asked, self.ended) - bisect_left(asked, self.began)


def live_through(outage: Outage, folder: Path, *, trials: int, every: timedelta) -> Course:
    """Begin well, let the outage last, and let a day go by after it."""
    clock = Clock()
    registry, server = FailingRegistry(clock), TimedMailServer(clock=clock)
    world = World(
        f"sqlite:///{folder / 'store.sqlite3'}",
        folder,
        options={
            "registry": {
                "attempts": ATTEMPTS,
                "requests_per_minute": REQUESTS_PER_MINUTE,
                "check_every": CHECK_EVERY,
            },
            "mail": {"deliver_every": every},
            "guards": {"hold_share": 20},
        },
        registry=registry,
        mail_server=server,
        clock=clock,
        begins=False,
        stop=SteppingStop(clock),
    )
    nct_ids = [f"NCT2{number:07}" for number in range(trials)]
    course = Course(outage=outage, world=world, registry=registry, server=server, every=every, trials=nct_ids)
    try:
        _live(course)
    finally:
        world.close()
    return course


def _live(course: Course) -> None:
    world = course.world
    world.watch(*course.trials, readers=[immediate(), daily(DAILY)])
    course.registry.publish_all({trial: {"enrollment": 40} for trial in course.trials})
    jobs = InForce(world.app, lambda: world.app)
    _work(course, jobs, until=world.clock() + timedelta(hours=26))  # all are welcomed
    course.began = world.clock()
    course.registry.down_since = course.began if course.outage.registry else None
    course.server.down = course.outage.mail
    for number, after in enumerate(RELEASES):
        _work(course, jobs, until=course.began + after)
        _release(course, number)
    _work(course, jobs, until=course.began + OUTAGE)
    course.ended = world.clock()
    course.registry.down_since, course.server.down = None, False
    _work(course, jobs, until=course.ended + AFTER)


def _work(course: Course, jobs: InForce, *, until: datetime) -> None:
    """Wake the jobs at each interval, as the scheduler does."""
    clock = course.world.clock
    while clock() < until:
        with suppress(RegistryError):  # logged by the service, which goes on
            watch(jobs)
        mail(jobs)
        clock.moment += course.every


def _release(course: Course, number: int) -> None:
    """Publish: some trials change in this release only, some in each."""
    changing = course.trials[number + 1 :: _CHANGING * 2] + course.trials[:: _CHANGING * 2]
    new = {trial: 100_000 + 10 * course.trials.index(trial) + number for trial in changing}
    course.registry.publish_all({trial: {"enrollment": count} for trial, count in new.items()})
    course.released.append((course.world.clock(), new))


# --- the verdict ------------------------------------------------------------------------------------------------------


def wrong_with(course: Course) -> Iterator[str]:
    """Yield what of the promise does not hold, or was not put to the test."""
    yield from _not_put_to_the_test(course)
    for reader in READERS:
        yield from _told_wrongly(course, reader)
        yield from _standing_wrongly(course, reader)
    yield from _late(course)
    yield from _too_many_requests(course)
    yield from _operator_wrongly(course)


def _not_put_to_the_test(course: Course) -> Iterator[str]:
    if course.outage.registry and set(course.registry.played) != set(Trouble):
        yield f"the registry failed only by {dict(course.registry.played)}"
    if len(course.released) != len(RELEASES) or not all(new for _, new in course.released):
        yield "the registry did not publish"
    if any(moment < course.ended for moment in _moments(course)) and course.outage.mail:
        yield "the mail server took mails while it was down"


def _moments(course: Course) -> list[datetime]:
    return [moment for moment in course.server.taken_at if moment >= course.began]


def told(mail: Accepted, number: int) -> int:
    """Return how often a mail tells that the target enrolment is now this: in its text, or else in its table."""
    in_text = mail.words.count(f"→ {number:,} (estimated)")
    tables = [part.get_content() for part in mail.message.iter_attachments() if part.get_content_type() == "text/csv"]
    return max([in_text, *(str(table).count(f"→ {number:,} (estimated)") for table in tables)])


def _told_wrongly(course: Course, reader: str) -> Iterator[str]:
    mails = [mail for _, mail in course.mails(reader)]
    if len({mail.message_id for mail in mails}) != len(mails):
        yield f"{reader} got a mail twice"
    last = {trial: number for _, new in course.released for trial, number in new.items()}
    for moment, new in course.released:
        for trial, number in new.items():
            # What was replaced while nobody could ask is not known to anybody.
            expected = 0 if course.outage.registry and number != last[trial] else 1
            found = sum(told(mail, number) for mail in mails)
            if found != expected:
                yield f"{reader} was told {found} times, not {expected}, that {trial} changed on {moment:%d %b}"


def _standing_wrongly(course: Course, reader: str) -> Iterator[str]:
    """Look whether a reader hears that nothing is verified, and what was delayed."""
    texts = [mail.words for _, mail in course.mails(reader)]
    for words in ("None of your trials could be verified since", "Your trials are verified again."):
        found, expected = sum(text.count(words) for text in texts), int(course.outage.registry)
        if found != expected:
            yield f'{reader} was told {found} times, not {expected}: "{words}"'
    delayed = {moment for moment in _first_written(course, reader) if moment >= course.began}
    marks = [f"first written on {moment:%Y-%m-%d} at {moment:%H:%M} UTC" for moment in sorted(delayed)]
    for mark in marks:
        if not any(mark in text for text in texts):
            yield f'{reader} was not told: "{mark}"'
    if not marks and any("first written on" in text for text in texts):
        yield f"{reader} was told of a delay that there was not"


def _first_written(course: Course, reader: str) -> Iterator[datetime]:
    """Yield when mails about the releases were written that could not go out, but for the one that took them along."""
    if course.outage.registry or not course.outage.mail:
        return
    for moment, _ in course.released[:-1]:
        if reader == READER:
            checked = next(at for at in course.registry.asked_at if at >= moment)
            yield checked.replace(second=0, microsecond=0)
        else:
            yield (moment - timedelta(hours=7)).replace(hour=7, minute=0) + timedelta(days=1)


def _late(course: Course) -> Iterator[str]:
    # A check may be in the middle of its attempts, and the mail after it waits for its own turn.
    longest = (CHECK_EVERY if course.outage.registry else timedelta(0)) + course.every + _MINUTE
    after = [moment for moment in _moments(course) if moment >= course.ended]
    if not after or after[0] - course.ended > longest:
        yield f"the first mail came {after[0] - course.ended if after else 'never'} after the end of the outage"


def _too_many_requests(course: Course) -> Iterator[str]:
    asked = course.registry.asked_at
    for place, moment in enumerate(asked):
        in_a_minute = bisect_left(asked, moment + _MINUTE) - place
        if in_a_minute > REQUESTS_PER_MINUTE + 2:  # a burst of two is let through
            yield f"{in_a_minute} requests in the minute from {moment}"
            break
    most = ATTEMPTS * (OUTAGE // CHECK_EVERY + 1)
    if course.outage.registry and course.requests_while_down() > most:
        yield f"{course.requests_while_down()} requests while the registry was down; {most} are enough"


def _operator_wrongly(course: Course) -> Iterator[str]:
    texts = [mail.words for _, mail in course.mails(OPERATOR)]
    expected = {
        "The registry cannot be asked: ": course.outage.registry,
        "The registry can be asked again; it could not since ": course.outage.registry,
        "Mail cannot be handed over: ": course.outage.mail,
    }
    for words, wanted in expected.items():
        found = sum(text.count(words) for text in texts)
        if found != wanted:
            yield f'the operator was told {found} times, not {int(wanted)}: "{words}"'
    if len(texts) > sum(expected.values()):
        yield f"the operator got {len(texts)} mails"


def row(course: Course) -> str:
    """Return the course as a row of a table: what, size, result."""
    changes = sum(len(new) for _, new in course.released)
    first = min(moment for moment in _moments(course) if moment >= course.ended) - course.ended
    mails = {who: len(course.mails(who)) for who in (*READERS, OPERATOR)}
    size = (
        f"72 h, {len(course.trials):,} trials, {changes:,} changes published, {course.requests_while_down():,} requests"
    )
    each = ", ".join(f"{count} to {who.partition('@')[0]}" for who, count in mails.items())
    problems = list(wrong_with(course))
    return f"| {course.outage.name} | {size} | mails: {each}; the first after {first}; {len(problems)} wrong |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.outages", description="Take servers away.")
    parser.add_argument("--trials", type=int, default=500, metavar="N", help="that are watched")
    parser.add_argument("--every", type=int, default=1, metavar="MINUTES", help="how often mails are handed over")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    problems = []
    for outage in OUTAGES:
        with TemporaryDirectory(prefix="trialwatch-outage-") as folder:
            every = timedelta(minutes=asked.every)
            course = live_through(outage, Path(folder), trials=asked.trials, every=every)
            problems += [f"{outage.name}: {problem}" for problem in wrong_with(course)]
            sys.stdout.write(row(course) + "\n")
            sys.stdout.flush()
    sys.stdout.writelines(f"BROKEN: {problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
