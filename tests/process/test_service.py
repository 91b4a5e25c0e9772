"""The service's jobs in this process, with clocks that stand: when it asks the registry, what it takes over at a
hangup, and for how long it may work.

Does not start threads or processes: see ``test_daemon_signals.py``.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.process.office import FIRST, READER, SECOND, TRIALS, Office
from tests.process.processes import until
from watcher.app import Application, open_application
from watcher.config import load_settings
from watcher.errors import RegistryError
from watcher.service import Service
from watcher.service.in_force import InForce
from watcher.service.jobs import mail, watch
from watcher.store.leases import DURATION, living_holder, release_lease

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
INTERVAL, EVERY = timedelta(minutes=30), "30m"


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
def app(posting_office: Office, clocks: Clocks) -> Iterator[Application]:
    """Open what the office's settings say, but for the interval."""
    posting_office.settle(every=EVERY)
    settings = load_settings(posting_office.settings, environ={})
    app = open_application(settings, now=lambda: clocks.now, monotonic=lambda: clocks.seconds)
    app.declare_lists()
    yield app
    app.close()


@pytest.fixture
def in_force(app: Application, office: Office) -> InForce:
    def reopen() -> Application:
        settings = load_settings(office.settings, environ={})
        return open_application(settings, now=app.now, monotonic=app.monotonic, database=app.database)

    return InForce(app, reopen)


# --- when it asks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        pytest.param("forbidden", "/version", id="blocks us"),
        pytest.param("rate_limited", "/version", id="limits us"),
        pytest.param("forbidden", "/studies", id="blocks us at the records"),
    ],
)
def test_a_registry_that_refuses_is_left_alone_until_the_interval_is_over(
    fault: str, path: str, office: Office, in_force: InForce, clocks: Clocks
) -> None:
    office.registry.fault(fault, times=None, path=path)

    def tick() -> int:
        with suppress(RegistryError):
            watch(in_force)
        return len(office.registry.requests)

    asked = tick()
    for _ in range(3):
        clocks.pass_by(timedelta(seconds=1))
        assert tick() == asked
    clocks.pass_by(INTERVAL)
    assert tick() > asked


def test_a_trial_that_was_added_since_is_asked_for_at_once(office: Office, in_force: InForce) -> None:
    office.registry.fault("forbidden", times=None, path="/version")
    with pytest.raises(RegistryError):
        watch(in_force)
    office.registry.clear_faults()
    assert office.run("watch", "add", SECOND).code == 0
    watch(in_force)
    assert office.run("status", "--json").lines[0]["verified"] == 2


def test_a_clock_that_is_set_back_does_not_stop_the_checks(office: Office, in_force: InForce, clocks: Clocks) -> None:
    watch(in_force)
    asked = len(office.registry.requests)
    clocks.pass_by(INTERVAL)
    clocks.now -= timedelta(days=1)
    watch(in_force)
    assert len(office.registry.requests) > asked


# --- what it takes over at a hangup -----------------------------------------------------------------------------------


def assert_old_reader_hears_on(office: Office, in_force: InForce, clocks: Clocks) -> None:
    office.registry.advance()
    clocks.pass_by(INTERVAL)
    watch(in_force)
    mail(in_force)
    assert [taken.recipient for taken in office.mail.accepted] == [READER, READER]  # a welcome, and a change


def test_another_database_is_refused(office: Office, in_force: InForce, clocks: Clocks) -> None:
    watch(in_force)
    mail(in_force)
    office.settle(every=EVERY, database="other.sqlite3", to="new@example.org")
    with capture_logs() as logs:
        in_force.reload()
    (line,) = logs
    assert line["event"].startswith("new settings refused")
    assert "database.url" in str(line["problems"])
    assert "restart" in str(line["problems"])
    assert_old_reader_hears_on(office, in_force, clocks)


def test_settings_that_cannot_be_declared_are_refused(office: Office, in_force: InForce, clocks: Clocks) -> None:
    watch(in_force)
    mail(in_force)
    office.settle(every=EVERY, trials=TRIALS, to="new@example.org")
    with office.store() as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON listing BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with capture_logs() as logs:
            in_force.reload()
        other.execute("DROP TRIGGER full")
    (line,) = logs
    assert line["event"].startswith("new settings refused")
    assert "disk full" in str(line["problems"])
    assert office.lists() == {"Ours": [FIRST]}
    assert_old_reader_hears_on(office, in_force, clocks)


# --- for how long it may work -----------------------------------------------------------------------------------------


def test_it_ends_when_the_lease_ran_out_unrenewed(app: Application, clocks: Clocks) -> None:
    service = Service(app, reopen=lambda: app)
    clocks.pass_by(DURATION)
    service._watch_lease()
    assert not service._lease_lost
    clocks.pass_by(timedelta(seconds=1))
    service._watch_lease()
    assert service._lease_lost


def test_a_check_that_takes_longer_than_a_lease_keeps_it(app: Application, clocks: Clocks) -> None:
    often = timedelta(milliseconds=10)
    with app.working() as holder, app.renewing(holder, every=often):
        clocks.pass_by(DURATION * 3)
        until(lambda: lives(app, clocks), "the lease is renewed")


def test_a_check_whose_lease_was_taken_over_stops(app: Application) -> None:
    with app.working() as holder, app.renewing(holder, every=timedelta(milliseconds=10)):
        with app.database.writing() as db:
            release_lease(db, holder)
        until(app.stop.is_set, "the work is stopped")


def lives(app: Application, clocks: Clocks) -> bool:
    with app.database.reading() as db:
        return living_holder(db, now=clocks.now) is not None
