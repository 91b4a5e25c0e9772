"""``trialwatch run`` is started as an operator does, killed at a random moment, and started again, 200 times.

    python -m tests.reliability.cold_starts [--count 200]

Real is everything: the command as a process of its own with its imports, a settings file, the database file, the
registry over HTTP, Postfix and Dovecot with STARTTLS and logins.  Before each start the registry publishes changes of
trials whose last change has arrived.  Half of the processes are killed at any moment from their start on, half at any
moment of their first work.  After the last kill the service works until everything has arrived, and ends by SIGTERM.

Each change must have arrived at every reader, and whatever came again must have come under the same Message-ID.  No
journal: the file's shortest ``mail.journal.wait`` is longer than these lives; see ``kills`` for that.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from tests.mail_office.configuration import PASSWORD
from tests.mail_office.servers import MailOffice, running_mail_office
from tests.process.processes import Daemon, came
from tests.reliability.consistency import at_the_dot, in_hand, inconsistencies
from tests.reliability.ledger import FIRST, Ledger, Publisher, Verdict
from tests.reliability.maildirs import Maildirs

FULL = 200  # starts
_TRIALS = tuple(f"NCT{number:08}" for number in range(1, 13))
_READERS = 3
_MOST_CHANGES = 4  # in one release
_FIRST_WORK = 0.6  # seconds from the daemon's word that it works
_STARTS_WITHIN = timedelta(minutes=2)  # the first start may compile everything
_FINISHED_WITHIN = timedelta(seconds=60)
_SETTINGS = """\
operator = "{operator}"
database.url = "sqlite:///store.sqlite3"
registry = {{base_url = "{registry}", check_every = "1s", requests_per_minute = 0, attempts = 1}}
watching = {{all_clear = false, stale_after = 0}}
guards.hold_share = 0
log.format = "json"
[mail]
sender = "trialwatch@office.test"
deliver_every = "1s"
merge_for = "0s"
[mail.smtp]
host = "{smtp.host}"
port = {smtp.port}
security = "starttls"
username = "{smtp.username}"
password = "{password}"
ca_bundle = "{smtp.ca_bundle}"
[[watchlist]]
name = "Ours"
trials = {trials}
recipients = [{recipients}]
"""


@dataclass(slots=True)
class Struck:
    """Where the kills struck, as far as the database tells."""

    before_work: int = 0  # while the process started
    at_work: int = 0
    mail_in_hand: int = 0  # of all: while a message was being handed over
    at_the_dot: int = 0  # of these: after it was recorded that the final dot comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    struck: Struck
    verdict: Verdict
    wrong: list[str]  # in the database, or in how the service ended

    def failures(self, *, struck: Sequence[str] = ("before_work", "at_work", "mail_in_hand")) -> list[str]:
        """Return how the promise was broken, or why the run does not prove it.

        Args:
            struck: the fields of ``Struck`` that must not be nothing.
        """
        found = [*self.verdict.broken(once=False), *self.wrong]
        if self.verdict.repeats > self.struck.at_the_dot:
            found.append(f"{self.verdict.repeats} repeats after {self.struck.at_the_dot} kills at a final dot")
        missed = [name for name in struck if not getattr(self.struck, name)]
        return found + [f"no kill struck {name}" for name in missed]

    def row(self) -> str:
        """Return the row of a Markdown table."""
        struck, verdict = self.struck, self.verdict
        return (
            f"| SIGKILL of `trialwatch run` as a process | {struck.before_work + struck.at_work} cold starts "
            f"(starting {struck.before_work}, at work {struck.at_work}; of these with a mail in hand "
            f"{struck.mail_in_hand}, at the final dot {struck.at_the_dot}); {verdict.published:,} changes to "
            f"{verdict.readers} readers in {verdict.mails:,} mails | {len(verdict.lost)} lost, {verdict.repeats} mails "
            f"came again, {len(verdict.differently)} under another Message-ID |"
        )


def run(office: MailOffice, folder: Path, *, count: int, seed: int) -> Report:
    """Start and kill so often, let the service finish, and compare what arrived with what was published."""
    readers = [office.new_address("reader") for _ in range(_READERS)]
    chance = random.Random(seed)
    with Publisher(_TRIALS) as registry:
        _settle(folder, office, registry.url, readers)
        mailboxes = Maildirs(office)
        ledger = Ledger(readers=readers, current=dict.fromkeys(_TRIALS, FIRST))
        starts = _Starts(folder=folder, mailboxes=mailboxes, ledger=ledger, registry=registry)
        with starts:
            longest = starts.first()
            struck = Struck()
            for _ in range(count):
                starts.kill(chance, struck, longest=longest)
            wrong = starts.finish()
    return Report(
        struck=struck,
        verdict=ledger.verdict(),
        wrong=wrong + inconsistencies(folder / "store.sqlite3", settled=True),
    )


@dataclass(slots=True, kw_only=True)
class _Starts:
    """Starts of one service, and the world around it; a context manager that leaves no process behind."""

    folder: Path
    mailboxes: Maildirs
    ledger: Ledger
    registry: Publisher
    _last: Daemon | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None and self._last.process.poll() is None:
            self._last.process.kill()

    def start(self) -> Daemon:
        self._last = Daemon(self.folder)
        return self._last

    def first(self) -> float:
        """Let the readers be welcomed; return the seconds from the start to the first mails."""
        began = time.monotonic()
        daemon = self.start()
        _wait_until_logged(daemon, '"delivered"')
        took = time.monotonic() - began
        assert came(lambda: self._looked() and self.ledger.all_welcomed, within=_FINISHED_WITHIN), daemon.log
        daemon.kill()
        return took

    def kill(self, chance: random.Random, struck: Struck, *, longest: float) -> None:
        """Publish something, start, and kill."""
        trials = self.ledger.some_settled(chance, most=_MOST_CHANGES)
        if trials:
            self.ledger.note_published(self.registry.change(trials))
        daemon = self.start()
        if chance.random() < 0.5:
            daemon.kill_after(chance.uniform(0, longest))
        else:
            _wait_until_logged(daemon, '"started"')
            daemon.kill_after(chance.uniform(0, _FIRST_WORK))
        if '"started"' in daemon.log:
            struck.at_work += 1
        else:
            struck.before_work += 1
        store = self.folder / "store.sqlite3"
        struck.mail_in_hand += bool(in_hand(store))
        struck.at_the_dot += bool(at_the_dot(store)) and '"started"' in daemon.log  # else it was the one before
        self._looked()

    def finish(self) -> list[str]:
        """Let the service work until everything has arrived; return what was wrong with that."""
        daemon = self.start()
        _wait_until_logged(daemon, '"started"')
        # If not all comes, the verdict says what is lost.
        came(lambda: self._looked() and self.ledger.complete, within=_FINISHED_WITHIN)
        code = daemon.end(signal.SIGTERM)
        self._looked()
        return [] if code == 0 else [f"the service ended with {code}: {daemon.log[-2000:]}"]

    def _looked(self) -> bool:
        self.mailboxes.wait_until_all_delivered()
        for reader in self.ledger.readers:
            self.ledger.note_arrived(reader, self.mailboxes.new(reader))
        return True


def _wait_until_logged(daemon: Daemon, words: str) -> None:
    assert came(lambda: words in daemon.log, within=_STARTS_WITHIN), f"not logged: {words}; but {daemon.log}"


def _settle(folder: Path, office: MailOffice, registry: str, readers: list[str]) -> None:
    file = folder / "trialwatch.toml"
    file.touch(mode=0o600)  # there is a password in it
    text = _SETTINGS.format(
        operator=office.new_address("operator"),
        registry=registry,
        smtp=office.smtp_server(),
        password=PASSWORD,
        trials=list(_TRIALS),
        recipients=", ".join(f'{{address = "{one}", cadence = "immediate"}}' for one in readers),
    )
    file.write_text(text, encoding="utf-8")


def main() -> int:
    """Run it at the size that is asked for; return 1 if the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=FULL, help="starts")
    parser.add_argument("--seed", type=int, default=4711, help="of the moments")
    asked = parser.parse_args()
    with running_mail_office() as office, tempfile.TemporaryDirectory() as folder:
        report = run(office, Path(folder), count=asked.count, seed=asked.seed)
    sys.stdout.write(f"{report.row()}\n")
    failures = report.failures()
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
