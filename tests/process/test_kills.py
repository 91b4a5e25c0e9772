"""The daemon is killed between days, at each step of its work, and at moments of chance; each change is mailed once.

Once means: under one Message-ID, with the same bytes.  A double can only come of a mail that the server took and whose
answer the daemon did not live to hear.  Deaths at each commit are in ``flow/test_crash.py``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from tests.process.office import FIRST, TRIALS, WEEK, Office, title
from tests.process.processes import until
from tests.smtp_server import Accepted, Act, Step

CHANCE_FROM, CHANCE_TO = 0.1, 1.8  # seconds from the start of a process: from its imports to its first mails


def telling(office: Office, trial: str, before: str, day: str) -> list[Accepted]:
    """Return the mails that tell what a day changed in a trial: they name its title of the day before, and its own."""
    return [
        mail
        for mail in list(office.mail.accepted)
        if title(trial, before) in mail.words and title(trial, day) in mail.words
    ]


def assert_one_mail(mails: list[Accepted], *, copies: int, what: object) -> None:
    assert (what, len(mails)) == (what, copies)
    assert (what, len({(mail.message_id, mail.mime) for mail in mails})) == (what, 1)


# --- at each step -----------------------------------------------------------------------------------------------------

Wait = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A step in which the daemon is killed."""

    name: str
    hold: Callable[[Office], Wait]  # holds the step up from outside; what it returns waits until the daemon is there
    copies: int = 1  # of the mail that tells the day


def hanging_at(path: str) -> Callable[[Office], Wait]:
    def hold(office: Office) -> Wait:
        asked = len(office.registry.requests)
        office.registry.fault("hang", path=path, times=None)
        return lambda: until(
            lambda: any(path in request.target for request in office.registry.requests[asked:]), f"a request to {path}"
        )

    return hold


def silent_at(step: Step) -> Callable[[Office], Wait]:
    def hold(office: Office) -> Wait:
        office.mail.answer(step, Act.SILENCE)
        return lambda: office.mail.wait_until_reached(step)

    return hold


def silent_when_taken(office: Office) -> Wait:
    taken = len(office.mail.accepted)
    office.mail.answer(Step.DOT, Act.TAKE_AND_BE_SILENT)
    return lambda: office.mail.wait_until(lambda: len(office.mail.accepted) > taken, "a mail that is taken")


STEPS = [
    Interrupted(name="asking the release", hold=hanging_at("/version")),
    Interrupted(name="fetching", hold=hanging_at("/studies")),
    Interrupted(name="RCPT", hold=silent_at(Step.RCPT)),
    Interrupted(name="the text", hold=silent_at(Step.BODY)),
    Interrupted(name="the dot, not taken", hold=silent_at(Step.DOT)),
    Interrupted(name="the answer to the dot", hold=silent_when_taken, copies=2),
]


def test_killed_between_days_and_in_whatever_step_it_mails_the_change_of_each_day_once(busy_office: Office) -> None:
    daemon = busy_office.start()
    daemon.logged('"delivered"')
    days = list(zip(STEPS, pairwise(WEEK), strict=True))
    for step, _ in days:
        daemon.kill()
        wait_until_there = step.hold(busy_office)
        busy_office.registry.advance()
        daemon = busy_office.start()
        wait_until_there()
        daemon.kill()
        busy_office.registry.clear_faults()
        busy_office.mail.behave()
        daemon = busy_office.start()
        daemon.logged('"delivered"')

    for step, (before, day) in days:
        assert_one_mail(telling(busy_office, FIRST, before, day), copies=step.copies, what=step.name)
    welcomes = 1
    assert len(busy_office.mail.accepted) == welcomes + sum(step.copies for step in STEPS)


# --- at moments of chance ---------------------------------------------------------------------------------------------


def test_killed_between_days_and_at_moments_of_chance_it_mails_every_change_once(busy_office: Office) -> None:
    chance = random.Random(4711)
    busy_office.settle(trials=TRIALS)
    daemon = busy_office.start()
    daemon.logged('"delivered"')
    days = list(pairwise(WEEK[:5]))
    for before, day in days:
        daemon.kill()
        busy_office.registry.advance()
        busy_office.start().kill_after(chance.uniform(CHANCE_FROM, CHANCE_TO))
        daemon = busy_office.start()
        daemon.logged('"started"')
        busy_office.mail.wait_until(
            lambda: all(telling(busy_office, trial, before, day) for trial in TRIALS),  # noqa: B023
            f"the mails of {day}",
        )

    for before, day in days:
        for trial in TRIALS:
            mails = telling(busy_office, trial, before, day)
            assert_one_mail(mails, copies=len(mails), what=(trial, day))
