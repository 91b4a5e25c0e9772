"""An office: a folder with settings, and a registry and a mail server on loopback that they name.

Commands are typed there in this process, daemons are started there as processes of their own; both read the same file.
"""

import signal
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.factories import Json, study, write_days
from tests.process.processes import Daemon
from tests.process.typed import Run
from tests.smtp_server import MailServer
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer

FIRST, SECOND, THIRD, UNKNOWN = "NCT00000001", "NCT00000002", "NCT00000003", "NCT09999999"
TRIALS = (FIRST, SECOND, THIRD)
READER = "reader@example.org"
_SETTINGS = """\
operator = "operations@example.org"
database.url = "sqlite:///{database}"
registry = {{base_url = "{registry}", check_every = "{every}", requests_per_minute = 0, attempts = 1}}
mail = {{deliver_every = "1s", merge_for = "0s"{mail}}}
watching = {{all_clear = false, stale_after = 0}}
guards = {{hold_share = 0}}
log.format = "json"
[[watchlist]]
name = "{name}"
trials = {trials}
recipients = [{{address = "{to}", cadence = "immediate"}}]
"""

Days = Mapping[str, Sequence[Json]]


def title(trial: str, day: str) -> str:
    """Return a title that no other trial and no other day has."""
    return f"Study {trial[-1]} as of {day}"


# One trial changes over three days, two do not.
FEW_CHANGES: Days = {
    "2026-03-02": [study(FIRST, stamp="2026-03-02"), study(SECOND), study(THIRD)],
    "2026-03-03": [study(FIRST, status="SUSPENDED", updated="2026-03-03")],
    "2026-03-05": [study(FIRST, status="SUSPENDED", enrollment=400, updated="2026-03-05")],
}
WEEK = tuple(f"2026-03-{number:02}" for number in range(2, 9))
ALL_CHANGE_DAILY: Days = {
    day: [study(each, title=title(each, day), stamp=day, updated=day) for each in TRIALS] for day in WEEK
}


@dataclass(kw_only=True)
class Office:
    """See above; ``settle`` writes the file anew."""

    folder: Path  # the current one
    registry: RegistryServer
    mail: MailServer
    run: Run
    by_smtp: bool = False  # mails go to the server; else to files
    daemons: list[Daemon] = field(default_factory=list)

    @property
    def settings(self) -> Path:
        return self.folder / "trialwatch.toml"

    def settle(
        self,
        *,
        trials: Sequence[str] = (FIRST,),
        to: str = READER,
        name: str = "Ours",
        database: str = "store.sqlite3",
        every: str = "1s",
    ) -> None:
        """Write settings that declare one list.

        Args:
            trials: on the list.
            to: who hears of it.
            name: the list's.
            database: a file in the folder.
            every: how often the registry is asked.
        """
        smtp = f'{{host = "{self.mail.host}", port = {self.mail.port}, security = "none"}}'
        text = _SETTINGS.format(
            database=database,
            registry=self.registry.url,
            every=every,
            mail=f', sender = "watch@example.org", smtp = {smtp}' if self.by_smtp else "",
            name=name,
            trials=list(trials),
            to=to,
        )
        self.settings.write_text(text, encoding="utf-8")

    def lists(self) -> dict[str, list[str]]:
        """Return the trials on each list."""
        listed = self.run("watch", "list", "--json").lines
        return {each["name"]: [trial["nct_id"] for trial in each["trials"]] for each in listed}

    def people(self) -> dict[str, list[str]]:
        """Return who hears of each list, and how often."""
        return {
            each["name"]: [f"{one['address']} ({one['cadence']})" for one in each["recipients"]]
            for each in self.run("watch", "list", "--json").lines
        }

    def start(self) -> Daemon:
        """Start the service."""
        self.daemons.append(Daemon(self.folder))
        return self.daemons[-1]

    def started(self) -> Daemon:
        """Start the service, and wait until it works."""
        daemon = self.start()
        daemon.logged('"started"')
        return daemon

    @contextmanager
    def store(self) -> Iterator[sqlite3.Connection]:
        """Give the database as another program sees it."""
        with closing(sqlite3.connect(self.folder / "store.sqlite3", isolation_level=None)) as store:
            yield store

    @contextmanager
    def locked_store(self) -> Iterator[None]:
        """Keep everybody else from writing to the database."""
        with self.store() as store:
            store.execute("BEGIN IMMEDIATE")
            yield

    def close(self) -> None:
        """Kill every daemon; what they logged is shown with a test that failed."""
        for number, daemon in enumerate(self.daemons, 1):
            daemon.end(signal.SIGKILL)
            sys.stderr.write(f"--- daemon {number} ---\n{daemon.log}")


@contextmanager
def opened_office(folder: Path, days: Days, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Give an office whose registry publishes these days; settled, in the current folder."""
    dataset = load_dataset(write_days(folder / "days", days))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TRIALWATCH_LOG__LEVEL", "error")  # for commands typed in this process; daemons log more
    with RegistryServer(dataset) as registry, MailServer() as mail:
        office = Office(folder=folder, registry=registry, mail=mail, run=run)
        office.settle()
        try:
            yield office
        finally:
            office.close()
