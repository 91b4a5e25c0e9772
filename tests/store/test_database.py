"""Transactions: what a reader sees, what a failure leaves, who waits for whom, and how trouble is reported."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from tests.store.factories import NOW, count, release_on
from tests.store.postgresql_server import PostgresqlServer
from tests.store.together import TIME_OUT, together
from watcher.errors import StoreError
from watcher.store.database import LOCK_TIMEOUT, Database
from watcher.store.schema import upgrade
from watcher.store.tables import release


class ExampleError(Exception):
    """Raised in the middle of a transaction."""


@pytest.fixture
def other_instance(database: Database) -> Iterator[Database]:
    """Give another program's view of the same database."""
    other = Database(database.engine.url.render_as_string(hide_password=False))
    yield other
    other.close()


@pytest.fixture
def impatient_instance(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Give another program's view of the same database, which waits for others only for a moment."""
    monkeypatch.setattr("watcher.store.database.LOCK_TIMEOUT", timedelta(milliseconds=50))
    other = Database(database.engine.url.render_as_string(hide_password=False))
    yield other
    other.close()


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_reading_transaction_sees_one_state_while_others_write(database: Database) -> None:
    with database.reading() as reading:
        assert count(reading, release) == 0
        with database.writing() as db:
            release_on(db, 2)
        assert count(reading, release) == 0
    with database.reading() as reading:
        assert count(reading, release) == 1


def test_a_reading_transaction_cannot_change_anything(database: Database) -> None:
    with pytest.raises(StoreError, match="(?i)read-?only"), database.reading() as db:
        release_on(db, 2)
    with database.reading() as db:
        assert count(db, release) == 0


def test_a_connection_that_was_used_for_reading_can_be_used_for_writing(database: Database) -> None:
    for day in (2, 3, 4):
        with database.reading() as db:
            assert count(db, release) == day - 2
        with database.writing() as db:
            release_on(db, day)


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as writing:
        release_on(writing, 2)
        with database.reading() as db:
            assert count(db, release) == 0


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_writing_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as db:
            release_on(db, 2)
            raise ExampleError

    with pytest.raises(ExampleError):
        fail()
    with database.reading() as db:
        assert count(db, release) == 0


def test_a_writing_transaction_is_seen_whole_by_its_own_end(database: Database, other_instance: Database) -> None:
    with database.writing() as db:
        release_on(db, 2)
        release_on(db, 3)
    with other_instance.reading() as db:
        assert count(db, release) == 2


def test_a_writer_waits_for_the_one_before_and_sees_what_it_wrote(database: Database, other_instance: Database) -> None:
    seen: Queue[int] = Queue()
    begun, ended = Event(), Event()

    def second() -> None:
        begun.set()
        with other_instance.writing() as db:
            seen.put(count(db, release))
        ended.set()

    with database.writing() as db:
        release_on(db, 2)
        Thread(target=second, daemon=True).start()
        assert begun.wait(TIME_OUT)
        assert not ended.wait(0.2)

    assert ended.wait(TIME_OUT)
    assert seen.get_nowait() == 1


def count_up(instance: Database) -> None:
    for _ in range(10):
        with instance.writing() as db:
            release_on(db, count(db, release) + 1)


def test_writers_do_not_overwrite_each_others_steps(database: Database, other_instance: Database) -> None:
    """Reading a value and writing the next one is safe only if nobody else does so in between."""
    assert together(lambda: count_up(database), lambda: count_up(other_instance)) == [None, None]
    with database.reading() as db:
        assert count(db, release) == 20


@pytest.mark.parametrize("level", ["read uncommitted", "repeatable read", "serializable"])
def test_writers_take_turns_whatever_isolation_is_the_servers_default(
    postgresql_server: PostgresqlServer, level: str
) -> None:
    with postgresql_server.new_database() as name:
        postgresql_server.set_default(name, "default_transaction_isolation", level)
        instances = [Database(postgresql_server.url(name)) for _ in range(2)]
        upgrade(instances[0])
        assert together(*[lambda one=one: count_up(one) for one in instances]) == [None, None]
        with instances[0].reading() as db:
            assert count(db, release) == 20
        for one in instances:
            one.close()


def test_a_writer_that_waits_too_long_gives_up(database: Database, impatient_instance: Database) -> None:
    with database.writing() as db:
        release_on(db, 2)
        with pytest.raises(StoreError, match="lock"), impatient_instance.writing():
            pass


def test_a_moment_without_a_time_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"), database.writing() as db:
        release_on(db, 2, now=NOW.replace(tzinfo=None))


# --- settings of each kind --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        pytest.param("journal_mode", "wal", id="readers do not wait for writers"),
        pytest.param("synchronous", 2, id="a commit survives a power cut"),
        pytest.param("foreign_keys", 1, id="references are checked"),
        pytest.param("busy_timeout", LOCK_TIMEOUT.total_seconds() * 1000, id="writers wait for each other"),
    ],
)
def test_every_sqlite_connection_is_set_up(sqlite_database: Database, pragma: str, value: object) -> None:
    with ExitStack() as stack:
        for _ in range(3):  # three at once are three connections
            db = stack.enter_context(sqlite_database.reading())
            assert db.execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_a_new_sqlite_database_gets_its_folder(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/store.sqlite3")
    with database.writing() as db:
        db.execute(text("CREATE TABLE example (id INTEGER)"))
    database.close()
    assert (tmp_path / "new/folder/store.sqlite3").is_file()


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(
    "umask",
    [
        pytest.param(0o000, id="lets everybody do everything"),
        pytest.param(0o022, id="lets everybody read"),
        pytest.param(0o077, id="lets nobody do anything"),
    ],
    indirect=True,
)
def test_a_new_sqlite_database_is_its_users_alone_although_the_umask(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/state/store.sqlite3")
    with database.writing() as db:
        db.execute(text("CREATE TABLE example (id INTEGER)"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    database.close()
    assert modes == dict.fromkeys(["store.sqlite3", "store.sqlite3-wal", "store.sqlite3-shm"], 0o600)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_sqlite_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    path.touch()
    path.chmod(0o640)
    database = Database(f"sqlite:///{path}")
    with database.writing() as db:
        db.execute(text("CREATE TABLE example (id INTEGER)"))
    database.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_to_a_sqlite_database_that_is_not_there_yet_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite3").symlink_to(tmp_path / "store.sqlite3")
    database = Database(f"sqlite:///{tmp_path}/link.sqlite3")
    database.close()
    assert stat.S_IMODE((tmp_path / "store.sqlite3").stat().st_mode) == 0o600


def test_many_may_open_a_new_sqlite_database_at_once(empty_sqlite_url: str) -> None:
    instances = [Database(empty_sqlite_url) for _ in range(8)]

    def look(instance: Database) -> object:
        with instance.reading() as db:
            return db.execute(text("PRAGMA journal_mode")).scalar()

    try:
        assert together(*[lambda instance=instance: look(instance) for instance in instances]) == ["wal"] * 8
    finally:
        for instance in instances:
            instance.close()


def test_a_new_sqlite_database_that_another_program_is_writing_is_waited_for(
    empty_sqlite_url: str, tmp_path: Path
) -> None:
    modes: Queue[object] = Queue()

    def look() -> None:
        instance = Database(empty_sqlite_url)
        with instance.reading() as db:
            modes.put(db.execute(text("PRAGMA journal_mode")).scalar())
        instance.close()

    with closing(sqlite3.connect(tmp_path / "empty.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE example (id INTEGER)")
        Thread(target=look, daemon=True).start()
        with pytest.raises(Empty):
            modes.get(timeout=0.2)
        other.execute("COMMIT")
    assert modes.get(timeout=TIME_OUT) == "wal"


def test_an_address_without_a_driver_means_the_one_that_is_installed() -> None:
    database = Database("postgresql://watcher@localhost/example")
    assert database.engine.url.drivername == "postgresql+psycopg"


def test_a_password_is_not_in_the_databases_name() -> None:
    database = Database("postgresql+psycopg://watcher:canary@localhost/example")
    assert "canary" not in database.name


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("state/trialwatch.sqlite3", id="a path"),
        pytest.param("mysql://watcher@localhost/example", id="another kind of database"),
        pytest.param("postgresql+psycopg2://watcher@localhost/example", id="another driver"),
        pytest.param("sqlite+aiosqlite:///example", id="a driver for another style"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_address_is_refused_with_what_would_be_right(url: str) -> None:
    with pytest.raises(StoreError, match=r"it must begin with \"sqlite:///\" or \"postgresql\+psycopg://\""):
        Database(url)


def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "letter.sqlite3"
    path.write_text("Dear reader, this is not a database.\n" * 100)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="not a database"), database.reading():
        pass
    database.close()


def test_a_folder_in_the_databases_place_is_reported(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match="unable to open database file"), database.writing():
        pass
    database.close()


def test_a_file_in_the_folders_place_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(
        StoreError, match=r"/state/store\.sqlite3 cannot be made \(file exists\); let .*/state be a folder"
    ):
        Database(f"sqlite:///{tmp_path}/state/store.sqlite3")


def test_a_database_that_may_only_be_read_can_be_read_and_refuses_to_be_written(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_database.writing() as db:
        release_on(db, 2)
    monkeypatch.chdir(tmp_path)
    database = Database(f"sqlite:///file:{sqlite_database.engine.url.database}?mode=ro&uri=true")
    with database.reading() as db:
        assert count(db, release) == 1
    with pytest.raises(StoreError, match="readonly"), database.writing() as db:
        release_on(db, 3)
    database.close()
    assert not (tmp_path / "file:").exists()


def test_a_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://watcher@/example?host={tmp_path}")
    with pytest.raises(StoreError, match="No such file or directory"), database.reading():
        pass
    database.close()


def test_a_connection_that_the_server_cut_is_replaced(
    postgresql_server: PostgresqlServer, postgresql_url: str, migrated_postgresql: str
) -> None:
    def cut_while_writing() -> None:
        with database.writing() as db:
            release_on(db, 3)
            postgresql_server.cut_connections(migrated_postgresql)

    database = Database(postgresql_url)
    with database.writing() as db:
        release_on(db, 2)
    postgresql_server.cut_connections(migrated_postgresql)
    with database.reading() as db:
        assert count(db, release) == 1
    with pytest.raises(StoreError):
        cut_while_writing()
    with database.reading() as db:
        assert count(db, release) == 1
    database.close()
