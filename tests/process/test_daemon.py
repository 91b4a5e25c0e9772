"""The daemon as a process: told to end, told to read its settings again, killed; and when it asks the registry.

Does not test what mails say: see ``flow/``.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path

import pytest

from tests.factories import study, write_days
from tests.smtp_server import Act, MailServer, Step
from watcher.app import Application, open_application
from watcher.config import load_settings
from watcher.errors import RegistryError
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer
from watcher.service import Service
from watcher.store.leases import DURATION, Holder, acquire, current_holder, living_holder

TRIALS = ("NCT00000001", "NCT00000002", "NCT00000003")
DAYS = ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06")
PATIENCE = timedelta(seconds=20)  # that a test has with what must come
ENDS_WITHIN = timedelta(seconds=10)
KILLS_AFTER = (0.2, 1.8)  # seconds from the start of a process: from its imports to its first mails
START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Daemon:
    """One process of the service, and what it logs."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "watcher", "run"], cwd=folder, stderr=subprocess.PIPE, text=True, env=_environment()
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()

    def logged(self, words: str, *, times: int = 1) -> str:
        """Return the line with these words as soon as it was logged so often."""

        def found() -> list[str]:
            return [line for line in self.lines if words in line]

        with self._changed:
            enough = self._changed.wait_for(lambda: len(found()) >= times, PATIENCE.total_seconds())
            assert enough, f"{words!r} was logged {len(found())} times, not {times}:\n{''.join(self.lines)}"
            return found()[-1]

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, *, within: timedelta = ENDS_WITHIN) -> int:
        """Send a signal and return the exit code; fail if it does not come in time."""
        self.tell(number)
        code = self.process.wait(within.total_seconds())
        self._reader.join(PATIENCE.total_seconds())
        return code

    def ends_within(self, seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.returncode is not None


@dataclass(kw_only=True)
class Desk:
    """A folder with settings, the registry and the mail server that they name, and the daemons started there."""

    folder: Path
    registry: RegistryServer
    mail: MailServer
    daemons: list[Daemon] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.folder / "store.sqlite3"

    def settle(
        self,
        *,
        trials: tuple[str, ...] = TRIALS[:1],
        to: str = "reader@example.org",
        database: str = "",
        every: int = 1,
    ) -> None:
        """Write the settings file."""
        text = f"""
            operator = "operations@example.org"
            database = {{url = "sqlite:///{database or self.database.name}"}}
            log = {{format = "json"}}
            [registry]
            base_url = "{self.registry.url}"
            check_every = "{every}s"
            requests_per_minute = 0
            attempts = 1
            [mail]
            sender = "watch@example.org"
            deliver_every = "1s"
            smtp = {{host = "{self.mail.host}", port = {self.mail.port}, security = "none"}}
            [[watchlist]]
            name = "Ours"
            trials = {list(trials)}
            recipients = [{{address = "{to}", cadence = "immediate"}}]
        """
        (self.folder / "trialwatch.toml").write_text(text, encoding="utf-8")

    def start(self) -> Daemon:
        self.daemons.append(Daemon(self.folder))
        return self.daemons[-1]

    def started(self) -> Daemon:
        daemon = self.start()
        daemon.logged('"started"')
        return daemon

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "watcher", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE.total_seconds(),
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TRIALWATCH_")}


def until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as something is so that nobody announces; fail if that takes too long."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        threading.Event().wait(0.02)


def title(trial: str, day: str) -> str:
    """Return a title that no other trial and no other day has."""
    return f"Study {trial[-1]} as of {day}"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    days = {day: [study(each, title=title(each, day), stamp=day, updated=day) for each in TRIALS] for day in DAYS}
    dataset = load_dataset(write_days(tmp_path / "days", days))
    with RegistryServer(dataset) as registry, MailServer() as mail:
        desk = Desk(folder=tmp_path, registry=registry, mail=mail)
        desk.settle()
        try:
            yield desk
        finally:
            for daemon in desk.daemons:
                daemon.end(signal.SIGKILL)


# --- told to end ------------------------------------------------------------------------------------------------------


@contextmanager
def locked(desk: Desk) -> Iterator[Daemon]:
    daemon = desk.start()
    desk.mail.wait_for(1)
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asked = len(desk.registry.requests)
        until(lambda: len(desk.registry.requests) > asked, "a check that has something to record")
        yield daemon


@contextmanager
def hanging(desk: Desk) -> Iterator[Daemon]:
    desk.registry.fault("hang", times=None)
    daemon = desk.start()
    until(lambda: bool(desk.registry.requests), "a request that hangs")
    yield daemon


@contextmanager
def silent(desk: Desk) -> Iterator[Daemon]:
    desk.mail.answer(Step.GREETING, Act.SILENCE)
    daemon = desk.start()
    until(lambda: desk.mail.connections > 0, "a connection to the mail server")
    yield daemon


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(locked, id="the database is locked by somebody else"),
        pytest.param(hanging, id="a transfer from the registry hangs"),
        pytest.param(silent, id="the mail server is silent"),
    ],
)
def test_it_ends_in_time_while(situation: Callable[[Desk], AbstractContextManager[Daemon]], desk: Desk) -> None:
    with situation(desk) as daemon:
        assert daemon.end(signal.SIGTERM, within=ENDS_WITHIN) == 0
    with closing(sqlite3.connect(desk.database)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- told to read its settings again ----------------------------------------------------------------------------------


def test_a_new_watch_list_takes_effect_at_a_hangup(desk: Desk) -> None:
    daemon = desk.started()
    desk.mail.wait_for(1)
    desk.settle(trials=TRIALS[1:2], to="new@example.org")
    daemon.tell(signal.SIGHUP)
    daemon.logged('"settings reloaded')
    until(lambda: "new@example.org" in {mail.recipient for mail in desk.mail.accepted}, "a mail to the new reader")
    assert daemon.end() == 0


def test_a_broken_file_keeps_the_old_settings_and_is_logged(desk: Desk) -> None:
    daemon = desk.started()
    desk.mail.wait_for(1)
    (desk.folder / "trialwatch.toml").write_text("operator = nobody", encoding="utf-8")
    daemon.tell(signal.SIGHUP)
    assert "trialwatch.toml" in daemon.logged('"new settings refused')
    desk.registry.advance()
    assert title(TRIALS[0], DAYS[1]) in _text(desk.mail.wait_for(2)[1].mime)
    assert daemon.end() == 0


def test_another_database_is_refused_at_a_hangup(desk: Desk) -> None:
    daemon = desk.started()
    desk.settle(database="other.sqlite3", to="new@example.org")
    daemon.tell(signal.SIGHUP)
    line = daemon.logged('"new settings refused')
    assert "database.url" in line
    assert "restart" in line
    desk.mail.wait_for(1)
    assert daemon.end() == 0
    assert {mail.recipient for mail in desk.mail.accepted} == {"reader@example.org"}


def test_settings_that_cannot_be_declared_keep_the_old_ones(desk: Desk) -> None:
    daemon = desk.started()
    desk.mail.wait_for(1)
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON listing BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        desk.settle(trials=TRIALS)
        daemon.tell(signal.SIGHUP)
        assert "disk full" in daemon.logged('"new settings refused')
        other.execute("DROP TRIGGER full")
    desk.registry.advance()
    desk.mail.wait_for(2)
    assert daemon.end() == 0


def test_forty_hangups_leave_no_files_open(desk: Desk) -> None:
    desk.settle(every=600)
    daemon = desk.started()
    opened = Path(f"/proc/{daemon.process.pid}/fd")
    counts = []
    for times in range(1, 41):
        daemon.tell(signal.SIGHUP)
        daemon.logged('"settings reloaded', times=times)
        counts.append(len(list(opened.iterdir())))
    assert max(counts[-5:]) <= max(counts[:5]) + 2
    assert daemon.end() == 0


# --- one instance works -----------------------------------------------------------------------------------------------


def test_a_check_beside_it_is_refused_with_its_name(desk: Desk) -> None:
    daemon = desk.started()
    ended = desk.command("check")
    assert ended.returncode == 3
    assert f"process {daemon.process.pid} on " in ended.stderr
    assert daemon.end() == 0


def test_after_a_kill_a_new_one_takes_over_at_once(desk: Desk) -> None:
    desk.started().end(signal.SIGKILL)
    began = time.monotonic()
    assert desk.started().end() == 0
    assert timedelta(seconds=time.monotonic() - began) < DURATION / 2


# --- killed -----------------------------------------------------------------------------------------------------------


def test_every_change_is_mailed_once_however_often_it_is_killed(desk: Desk) -> None:
    chance = random.Random(4711)  # noqa: S311 the same moments each time
    desk.settle(trials=TRIALS)
    daemon = desk.start()
    until(lambda: all(_told(desk, trial, DAYS[0]) for trial in TRIALS), "the first mails")
    for before, day in pairwise(DAYS):
        daemon.end(signal.SIGKILL)
        desk.registry.advance()
        daemon = desk.start()
        assert not daemon.ends_within(chance.uniform(*KILLS_AFTER)), "".join(daemon.lines)
        daemon.end(signal.SIGKILL)
        daemon = desk.start()
        until(lambda: all(_told(desk, trial, before, day) for trial in TRIALS), f"the mails of {day}")  # noqa: B023
    daemon.logged('"started"')
    assert daemon.end() == 0
    told = {(trial, day): _told(desk, trial, was, day) for was, day in pairwise(DAYS) for trial in TRIALS}
    assert {change: len(ids) for change, ids in told.items()} == dict.fromkeys(told, 1)
    assert len({mail.mime for mail in desk.mail.accepted}) == len({mail.message_id for mail in desk.mail.accepted})


def _told(desk: Desk, trial: str, *days: str) -> set[str]:
    """Return the Message-IDs of the mails that name a trial's titles of all these days: the old one and the new."""
    return {
        mail.message_id
        for mail in list(desk.mail.accepted)
        if all(title(trial, day) in _text(mail.mime) for day in days)
    }


def _text(mime: bytes) -> str:
    body = message_from_bytes(mime, policy=policy.default).get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


# --- when it asks, and for how long it may ----------------------------------------------------------------------------


@dataclass
class Clocks:
    """The two clocks of a service in this process."""

    now: datetime = START
    seconds: float = 1000.0

    def pass_by(self, duration: timedelta) -> None:
        self.now += duration
        self.seconds += duration.total_seconds()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def app(desk: Desk, clocks: Clocks) -> Iterator[Application]:
    desk.settle(every=1800)
    settings = load_settings(desk.folder / "trialwatch.toml", environ={})
    app = open_application(settings, now=lambda: clocks.now, monotonic=lambda: clocks.seconds)
    app.declare_lists()
    yield app
    app.close()


@pytest.fixture
def service(app: Application) -> Service:
    return Service(app, reopen=lambda: app)


@pytest.mark.parametrize(
    ("fault", "path"), [("forbidden", "/version"), ("rate_limited", "/version"), ("forbidden", "/studies")]
)
def test_a_registry_that_refuses_is_left_alone_until_the_interval_is_over(
    fault: str, path: str, desk: Desk, service: Service, clocks: Clocks
) -> None:
    desk.registry.fault(fault, times=None, path=path)

    def tick() -> int:
        with suppress(RegistryError):
            service._watch()
        return len(desk.registry.requests)

    asked = tick()
    for _ in range(3):
        clocks.pass_by(timedelta(seconds=1))
        assert tick() == asked
    clocks.pass_by(timedelta(minutes=30))
    assert tick() > asked


def test_a_trial_that_was_added_since_is_asked_for_at_once(desk: Desk, app: Application, service: Service) -> None:
    desk.registry.fault("forbidden", times=None, path="/version")
    with pytest.raises(RegistryError):
        service._watch()
    desk.registry.clear_faults()
    desk.settle(trials=TRIALS[:2], every=1800)
    settings = load_settings(desk.folder / "trialwatch.toml", environ={})
    open_application(settings, now=app.now, database=app.database).declare_lists()
    service._watch()
    assert TRIALS[1] in desk.registry.requests[-1].target


def test_a_clock_that_is_set_back_does_not_stop_the_checks(desk: Desk, service: Service, clocks: Clocks) -> None:
    service._watch()
    asked = len(desk.registry.requests)
    clocks.pass_by(timedelta(minutes=30))
    clocks.now -= timedelta(days=1)
    service._watch()
    assert len(desk.registry.requests) > asked


def test_it_ends_when_the_lease_ran_out_unrenewed(service: Service, clocks: Clocks) -> None:
    clocks.pass_by(DURATION)
    service._watch_lease()
    assert not service._lease_lost
    clocks.pass_by(timedelta(seconds=1))
    service._watch_lease()
    assert service._lease_lost


def test_a_lease_that_has_run_out_is_nobodys(app: Application) -> None:
    holder = Holder(token="1" * 32, host="mail01", pid=4711, process_started=None)
    with app.database.writing() as db:
        acquire(db, holder, now=START, previous_is_dead=False)
        assert living_holder(db, now=START) == current_holder(db) == holder
        assert living_holder(db, now=START + DURATION) is None
