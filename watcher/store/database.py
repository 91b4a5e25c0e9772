"""One database, SQLite or PostgreSQL, and its transactions.

Both behave alike.  A reading transaction sees one state.  One transaction writes at a time; the others wait for it
before they begin, so that what a transaction has read stays true until it commits, and no two instances record the same
step.

SQLite runs in WAL mode with ``synchronous=FULL``: with NORMAL, 160 of 300 simulated power cuts lost acknowledged
commits.  PostgreSQL's writers take turns by an advisory lock, which ends with the transaction.

Does not know any table.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, CursorResult, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from watcher.errors import StoreError

LOCK_TIMEOUT = timedelta(seconds=30)  # another process's transaction takes milliseconds; a backup may take seconds
# A transaction does nothing but talk to the database.  Of one that is silent for so long the other end is gone, by a
# power cut or a broken line, and would keep the others waiting until the network gives it up, after hours.
_SILENCE_TIMEOUT = timedelta(seconds=60)
_SWITCHES = 100  # attempts to bring a new SQLite file into WAL mode; the second one finds it so
_WRITER = 7_281_957_016  # PostgreSQL's number for our turn to write; any number that nobody else uses would do

_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"trialwatch_reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_TAKE_TURN = text(
    "SELECT set_config('lock_timeout', :lock, true), set_config('idle_in_transaction_session_timeout', :silence, true),"
    " pg_advisory_xact_lock(:writer)"
)


class Database:
    """Transactions on one database.  Threads may share it; each transaction has a connection of its own."""

    def __init__(self, url: str) -> None:
        """Open the database; SQLite's file and folder are made when they are missing.

        Raises:
            StoreError: the folder cannot be made, or the address is of no database that this program works with.
        """
        self.engine = _engine(url)
        self.name = self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state and can change nothing."""
        options = _READING[self.engine.dialect.name]
        with _reported(self.name), self.engine.connect().execution_options(**options) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is committed at the end of the block, or rolled back by an exception.

        It waits until nobody else writes; within another one of the same thread it would wait for itself.

        Raises:
            StoreError: the database refused, or others wrote for longer than ``LOCK_TIMEOUT``; nothing was written.
        """
        with _reported(self.name), self.engine.begin() as db:
            if self.engine.dialect.name == "postgresql":
                timeouts = {"lock": _milliseconds(LOCK_TIMEOUT), "silence": _milliseconds(_SILENCE_TIMEOUT)}
                db.execute(_TAKE_TURN, {**timeouts, "writer": _WRITER})
            yield db

    def close(self) -> None:
        self.engine.dispose()


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the number that the database gave to an inserted row."""
    key = result.inserted_primary_key
    if not key:
        raise StoreError("the database did not say which row it inserted")
    return int(key[0])


def _milliseconds(duration: timedelta) -> str:
    return f"{duration // timedelta(milliseconds=1)}ms"


@contextmanager
def _reported(name: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        words = str(error.orig)
        if "readonly database" in words or "unable to open" in words:
            words += "; let the user that runs this write to the file and to its folder"
        raise StoreError(f"the database refused: {words} ({name})") from error
    except NoConnectionError as error:
        raise StoreError("the database is busy: all of this process's connections are in use") from error


def _engine(url: str) -> Engine:
    address = _address(url)
    if address.get_backend_name() == "postgresql":
        # Not what the server has by default: a stricter level fixes what a writer sees before it has its turn.
        return create_engine(address, isolation_level="READ COMMITTED", pool_pre_ping=True, pool_size=4)
    if address.database and not address.database.startswith("file:"):
        _make_private(Path(address.database))
    engine = create_engine(address, connect_args={"timeout": LOCK_TIMEOUT.total_seconds()})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Make the file and its folder, where they are missing, for this user alone, whatever the umask lets others do.

    SQLite gives the files that it puts beside a database the mode of that.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _no_place(f"the folder of the database {path} cannot be made", Path(error.filename), error) from error
    try:
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise _no_place(f"the database {path} cannot be opened or made", path.parent, error) from error


def _no_place(what: str, folder: Path, error: OSError) -> StoreError:
    why = (error.strerror or str(error)).lower()
    right = f"let {folder} be a folder that the user who runs this may write to, or name another place as database.url"
    return StoreError(f"{what} ({why}); {right}")


def _address(url: str) -> URL:
    """Return the address with the driver that is installed with this program."""
    right = 'it must begin with "sqlite:///" or "postgresql+psycopg://"'
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"the database's address cannot be read: {right}") from error
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise StoreError(f"the database's address begins with {address.drivername!r}: {right}")
    return address


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin at the first write and end at DDL; ours begin where we say.
    connection.isolation_level = None
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Bring the file into WAL mode, in which it stays.

    Of several that open a new file at once, one switches it.  SQLite lets the others fail instead of wait, so that they
    wait by beginning to write, which waits, and look again.
    """
    for _ in range(_SWITCHES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return
    raise sqlite3.OperationalError("the database is locked: others open it at the same time, again and again")


def _begin_sqlite(db: Connection) -> None:
    reading = db.get_execution_options().get("trialwatch_reading", False)
    db.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    db.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
