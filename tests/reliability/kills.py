"""The daemon is killed thousands of times, anywhere in its work: nothing is lost; with a journal nothing comes twice.

    python -m tests.reliability.kills [--count 2000]

Real are the daemon (``service.serve`` with its scheduler and threads, forked after its imports), its database file, the
registry over HTTP, Postfix and Dovecot with STARTTLS and logins, and the journal, which is searched by IMAP.  Before
each life the registry publishes changes of trials whose last change has arrived everywhere.  Half of the lives are
ended by SIGKILL at a random moment, from the fork on or from the first work on, half at a random moment of a random
step (asking, comparing, storing, composing, each step of the SMTP conversation).  After the last kill the daemon lives
until everything has arrived.

Then the mailboxes are read.  With the journal each change must be in exactly one mail to each reader; without it, in
mails of one Message-ID and one content.  The kills are counted by the step in which they struck: a run that did not
strike each of the steps proves too little, and fails.

Between a kill and the next life, Postfix delivers what it has taken: that is what ``mail.journal.wait`` is for.
"""

import argparse
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mail_office.servers import MailOffice, running_mail_office
from tests.reliability.consistency import inconsistencies
from tests.reliability.ledger import FIRST, Ledger, Publisher, Verdict
from tests.reliability.maildirs import Maildirs
from tests.reliability.nursery import Blow, Death, Nursery, Plan, settings
from tests.reliability.steps import TALKING, WATCHING, Step

FULL = 2_000  # kills, with the journal and without
STEPS = frozenset({*WATCHING, *TALKING})  # that have to be struck
_TRIALS = tuple(f"NCT{number:08}" for number in range(1, 25))
_READERS = 3
_MOST_CHANGES = 6  # in one release
_LONGEST_LIFE = 0.4  # seconds from the fork, of those that may end before any work
_LONGEST_WORK = 0.3  # seconds from the first work
_IN_STEP = 0.002  # seconds from the beginning of a step
_LONGEST_WAIT = 1.0  # seconds from the fork in which a step is waited for that may not come
_LIFE_IN_PEACE = Blow(after=1.0, number=signal.SIGTERM)
_LIVES_IN_PEACE = 60  # by which everything must have arrived
_NAMES = {
    Step.IDLE: "starting or idle",
    Step.CHECK: "asking",
    Step.COMPARE: "comparing",
    Step.STORE: "storing",
    Step.COMPOSE: "composing",
    Step.DELIVER: "claiming or recording",
    Step.SETTLE: "searching the journal",
    Step.CONNECT: "connecting",
    Step.MAIL: "MAIL",
    Step.RCPT: "RCPT",
    Step.DATA: "DATA",
    Step.DOT: "final dot sent, not answered",
    Step.RECEIPT: "answered, not recorded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run of kills showed."""

    journal: bool
    struck: Counter[Step]  # kills; one is counted in both threads' steps
    kills: int
    while_delivering: int  # of the kills
    verdict: Verdict
    doubles: int  # mails that came again to anybody, the journal and the operator included
    wrong: list[str]  # in the database, at the end

    def failures(self, *, steps: Collection[Step] = STEPS) -> list[str]:
        """Return how the promise was broken, or why the run does not prove it.

        Args:
            steps: in which kills must have struck.
        """
        found = [*self.verdict.broken(once=self.journal), *self.wrong]
        if self.journal and self.doubles:
            found.append(f"{self.doubles} mails came twice under the same Message-ID")
        if self.verdict.repeats > self.while_delivering:
            found.append(
                f"{self.verdict.repeats} mails came again, after {self.while_delivering} kills while it delivered:"
                " only the mail in hand may"
            )
        found += [f"no kill struck the step {_NAMES[step]!r}" for step in steps if not self.struck[step]]
        return found

    def row(self) -> str:
        """Return the row of a Markdown table."""
        where = ", ".join(f"{_NAMES[step]} {self.struck[step]}" for step in (*WATCHING, *TALKING, Step.SETTLE))
        verdict = self.verdict
        doubles = f"{len(verdict.twice)} twice" if self.journal else f"{verdict.repeats} mails came again"
        return (
            f"| SIGKILL of the forked daemon, {'with' if self.journal else 'without'} a journal mailbox "
            f"| {self.kills:,} kills ({where}); {verdict.published:,} changes to {verdict.readers} readers"
            f" in {verdict.mails:,} mails "
            f"| {len(verdict.lost)} lost, {doubles}, {len(verdict.differently)} under another Message-ID |"
        )


def random_blows(count: int, chance: random.Random) -> Iterator[Blow]:
    """Draw when and where lives end."""
    for _ in range(count):
        kind = chance.random()
        if kind < 1 / 4:
            yield Blow(after=chance.uniform(0, _LONGEST_LIFE))
        elif kind < 1 / 2:
            yield Blow(after=chance.uniform(0, _LONGEST_WORK), steps=frozenset(Step) - {Step.IDLE})
        else:
            step = chance.choice(chance.choice([WATCHING, TALKING, TALKING]))
            yield Blow(after=chance.uniform(0, _IN_STEP), steps=frozenset({step}), at_most=_LONGEST_WAIT)


def run(office: MailOffice, folder: Path, blows: Iterable[Blow], *, journal: bool, chance: random.Random) -> Report:
    """End a life by each blow, let the daemon finish, and compare what arrived with what was published.

    Args:
        office: real mail servers.
        folder: an empty one, for the database.
        blows: in turn.
        journal: whether there is a mailbox that knows what was taken.
        chance: which trials change, and how many.
    """
    readers = [office.new_address("reader") for _ in range(_READERS)]
    operator = office.new_address("operator")
    box = office.new_address("journal") if journal else None
    with Publisher(_TRIALS) as registry:
        plan = Plan(
            folder=folder,
            settings=settings(registry.url, folder, _TRIALS, readers, operator=operator),
            smtp=office.smtp_server(),
            journal=office.imap_server(box) if box else None,
        )
        mailboxes = Maildirs(office)
        ledger = Ledger(readers=readers, current=dict.fromkeys(_TRIALS, FIRST))
        with Nursery(plan) as nursery:
            lives = _Lives(nursery=nursery, mailboxes=mailboxes, ledger=ledger, registry=registry)
            lives.live_until(lambda: ledger.all_welcomed)
            deaths = lives.kill(blows, chance)
            lives.live_until(lambda: ledger.complete)
            lives.live_once()  # more, for what would come twice
    letters = {one: mailboxes.all(one) for one in (*readers, operator, *([box] if box else []))}
    doubles = sum(len(found) - len({letter.message_id for letter in found}) for found in letters.values())
    return Report(
        journal=journal,
        struck=_struck(deaths),
        kills=len(deaths),
        while_delivering=sum(death.steps[1] is not Step.IDLE for death in deaths),
        verdict=ledger.verdict(),
        doubles=doubles,
        wrong=inconsistencies(plan.database, settled=True),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lives:
    """Lives of one daemon, and the world around it."""

    nursery: Nursery
    mailboxes: Maildirs
    ledger: Ledger
    registry: Publisher

    def kill(self, blows: Iterable[Blow], chance: random.Random) -> list[Death]:
        """Let a life end by each blow, with something new to tell in each."""
        deaths = []
        for blow in blows:
            self._publish(chance)
            deaths.append(self.nursery.live(blow))
            self._look()
        return deaths

    def live_until(self, condition: Callable[[], bool]) -> None:
        """Let the daemon live in peace until something is so; what never arrives, the verdict will name."""
        for _ in range(_LIVES_IN_PEACE):
            if condition():
                break
            self.live_once()

    def live_once(self) -> None:
        self.nursery.live(_LIFE_IN_PEACE)
        self._look()

    def _publish(self, chance: random.Random) -> None:
        trials = self.ledger.some_settled(chance, most=_MOST_CHANGES)
        if trials:
            self.ledger.note_published(self.registry.change(trials))

    def _look(self) -> None:
        self.mailboxes.wait_until_all_delivered()
        for reader in self.ledger.readers:
            self.ledger.note_arrived(reader, self.mailboxes.new(reader))


def _struck(deaths: Iterable[Death]) -> Counter[Step]:
    return Counter(step for death in deaths for step in set(death.steps))


def main() -> int:
    """Run both forms at the size that is asked for; return 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=FULL, help="kills, with the journal and without")
    parser.add_argument("--seed", type=int, default=4711, help="of the moments")
    parser.add_argument("--only", choices=["with", "without"], help="the journal")
    asked = parser.parse_args()
    failures = []
    with running_mail_office() as office:
        for journal in (True, False):
            if asked.only == ("without" if journal else "with"):
                continue
            chance = random.Random(asked.seed)
            with tempfile.TemporaryDirectory() as folder:
                blows = random_blows(asked.count, chance)
                report = run(office, Path(folder), blows, journal=journal, chance=chance)
            sys.stdout.write(f"{report.row()}\n")
            sys.stdout.flush()
            failures += report.failures()
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
