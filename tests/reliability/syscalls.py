"""One whole cycle is killed at every system call that writes or sends: afterwards everything is told once.

    python -m tests.reliability.syscalls

The cycle is a release in which trials changed, with one that a list has newly taken up: open the database, take the
lease, recover, ask the registry over HTTP, compare, store, compose, hand over by SMTP, give the lease back.  ``strace``
puts a SIGKILL in place of the first ``pwrite64``, the second, and so on until a life gets through; then the same of
each other call of ``CALLS``.  The cycle's threads run one after the other, so that every call has one number.  Each
life begins with the same files.

After each death the database must be consistent, in a copy.  Then it is started again, and runs twice: every reader
must have been told everything once.  A mail may come again, once, under the same Message-ID, where the server had taken
it and the dead process had not recorded that.

Needs ``strace`` (Debian: strace).
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.consistency import at_the_dot, inconsistencies
from tests.reliability.ledger import Letter, Publisher
from tests.reliability.nursery import Nursery, Plan, opened, settings
from tests.reliability.steps import Step, Steps
from tests.smtp_server import Accepted, MailServer
from watcher.logs import configure_logs
from watcher.notify.smtp import Security, SmtpServer

CALLS = (
    "pwrite64", "write", "writev", "pwritev", "sendto", "sendmsg", "fdatasync", "fsync", "ftruncate", "fallocate",
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "mkdir", "mkdirat", "connect",
    "shutdown",
)  # fmt: skip
EXPECTED = frozenset({"pwrite64", "fdatasync", "sendto"})  # without which the cycle would have written or sent nothing
STEPS = frozenset({Step.STORE, Step.COMPOSE, Step.MAIL, Step.DATA, Step.DOT, Step.RECEIPT})  # that deaths must strike
_KNOWN, _NEWCOMER = ("NCT00000001", "NCT00000002", "NCT00000003"), "NCT00000004"
_READERS = ("first@example.org", "second@example.org")
_MOST = 2_000  # calls of one kind in a cycle; the loop must end


@dataclass(slots=True)
class Report:
    """What the deaths showed."""

    struck: Counter[str] = field(default_factory=Counter)  # deaths by call
    steps: Counter[Step] = field(default_factory=Counter)  # deaths by step
    taken_unrecorded: int = 0  # deaths after a mail was taken, and before that was recorded
    repeats: int = 0
    wrong: list[str] = field(default_factory=list)

    def failures(self, *, calls: Sequence[str] = CALLS) -> list[str]:
        found = list(self.wrong)
        found += [f"no death at {call}" for call in sorted(EXPECTED & set(calls)) if not self.struck[call]]
        if set(calls) == set(CALLS):
            found += [f"no death in the step {step.name}" for step in sorted(STEPS) if not self.steps[step]]
            found += [] if self.taken_unrecorded else ["no death between the final dot and its record"]
        return found

    def row(self) -> str:
        """Return the row of a Markdown table."""
        where = ", ".join(f"{call} {count}" for call, count in self.struck.most_common())
        return (
            "| SIGKILL at every system call of a cycle that writes or sends "
            f"| {sum(self.struck.values())} calls ({where}) "
            f"| {len(self.wrong)} inconsistent, lost or told twice; {self.repeats} mails came again under the same "
            f"Message-ID, after {self.taken_unrecorded} deaths between final dot and record |"
        )


def run(folder: Path, *, calls: Sequence[str] = CALLS, stride: int = 1) -> Report:
    """Kill at each call in turn.

    Args:
        folder: an empty one.
        calls: the kinds of calls.
        stride: 1 = every call; n = every n-th, for a quick look.
    """
    report = Report()
    with Publisher((*_KNOWN, _NEWCOMER)) as registry, MailServer() as mail:
        plan = _plan(folder / "life", registry.url, mail, trials=(*_KNOWN, _NEWCOMER))
        _prepare(folder / "before", registry.url, mail)
        numbers = registry.change(_KNOWN[:2])
        expected = {f"change {number}" for number in numbers.values()} | {f"joined {_NEWCOMER}"}
        with Nursery(plan) as nursery:
            cycles = _Cycles(folder=folder, nursery=nursery, mail=mail, expected=expected, report=report)
            cycles.live(None)
            for call in calls:
                for number in range(1, _MOST, stride):
                    if not cycles.live(f"{call}:signal=SIGKILL:when={number}"):
                        break
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cycles:
    """The same cycle, again and again."""

    folder: Path
    nursery: Nursery
    mail: MailServer
    expected: set[str]  # facts that every reader has to be told
    report: Report

    def live(self, blow: str | None) -> bool:
        """Begin with the same files, die at a call, start again; return whether it died."""
        life = self.nursery.plan.folder
        shutil.rmtree(life, ignore_errors=True)
        shutil.copytree(self.folder / "before", life)
        self.mail.accepted.clear()
        death = self.nursery.cycle(blow)
        self.mail.wait_until_all_left()
        if death.signal is not None:
            self._note_death(str(blow), death.steps)
        in_doubt = at_the_dot(self.nursery.plan.database)
        taken = {mail.message_id for mail in self.mail.accepted} & in_doubt
        self.report.taken_unrecorded += bool(taken)
        self._check(str(blow), inconsistencies(self.nursery.plan.database))
        after = self.nursery.cycle(None)
        self._check(str(blow), [] if after.code == 0 else [f"it did not live again: {self.nursery.log()}"])
        self.mail.wait_until_all_left()
        self._check(str(blow), _misdelivered(self.mail.accepted, self.expected, again=taken))
        self._check(str(blow), inconsistencies(self.nursery.plan.database, settled=True))
        self.report.repeats += len(self.mail.accepted) - len({mail.message_id for mail in self.mail.accepted})
        return death.signal is not None

    def _note_death(self, blow: str, steps: tuple[Step, Step]) -> None:
        self.report.struck[blow.partition(":")[0]] += 1
        self.report.steps.update({*steps} - {Step.IDLE})

    def _check(self, blow: str, wrong: Sequence[str]) -> None:
        self.report.wrong += [f"{blow}: {one}" for one in wrong]


def _misdelivered(accepted: Sequence[Accepted], expected: set[str], *, again: set[str]) -> list[str]:
    """Return which facts were lost or told twice, and which mails came again although they must not."""
    found = []
    copies = Counter(mail.message_id for mail in accepted)
    found += [f"came again: {one}" for one, count in copies.items() if count > (2 if one in again else 1)]
    if len({(mail.message_id, mail.mime) for mail in accepted}) > len(copies):
        found.append("one Message-ID, two contents")
    once = {mail.message_id: mail for mail in accepted}.values()
    for reader in _READERS:
        told = Counter(fact for mail in once if mail.recipient == reader for fact in _facts(mail))
        found += [f"lost to {reader}: {fact}" for fact in sorted(expected - set(told))]
        found += [f"told {reader} {count} times: {fact}" for fact, count in told.items() if count > 1]
        found += [f"told {reader} what never was: {fact}" for fact in sorted(set(told) - expected)]
    return found


def _facts(mail: Accepted) -> set[str]:
    facts = {f"change {number}" for number in Letter.of(mail.mime).tells}
    joined = mail.words.partition("These are the records:")[2]
    return facts | {f"joined {trial}" for trial in (*_KNOWN, _NEWCOMER) if trial in joined}


def _prepare(folder: Path, registry: str, mail: MailServer) -> None:
    """Leave a database that knows the trials but for the newcomer."""
    folder.mkdir()
    app = opened(_plan(folder, registry, mail, trials=_KNOWN), Steps())
    with app.working():
        app.declare_lists()
        app.pipeline.run_round(now=app.now())
    app.close()
    mail.accepted.clear()


def _plan(folder: Path, registry: str, mail: MailServer, *, trials: Sequence[str]) -> Plan:
    return Plan(
        folder=folder,
        settings=settings(registry, folder, trials, _READERS, operator="operator@example.org"),
        smtp=SmtpServer(host=mail.host, port=mail.port, security=Security.NONE),
        journal=None,
    )


def main() -> int:
    """Run it; return 1 if the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stride", type=int, default=1, help="kill at every n-th call of each kind only")
    asked = parser.parse_args()
    configure_logs("error", "text")
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), stride=asked.stride)
    sys.stdout.write(f"{report.row()}\n")
    failures = report.failures()
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
