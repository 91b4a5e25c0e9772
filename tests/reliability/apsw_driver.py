"""A database driver for SQLAlchemy over ``apsw``, whose files can be ours: see ``recorded_disk.py``.

It behaves as the standard library's ``sqlite3`` does where the store looks, and raises its exceptions; the library that
does the work is SQLite in both.  Only what SQLAlchemy's dialect and ``watcher/store/database.py`` use is here.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from typing import Any

import apsw

__all__ = [
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
]

apilevel, paramstyle, threadsafety = "2.0", "qmark", 1
sqlite_version_info = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
sqlite_version = apsw.sqlite_lib_version()
Binary = bytes
PARSE_DECLTYPES, PARSE_COLNAMES = sqlite3.PARSE_DECLTYPES, sqlite3.PARSE_COLNAMES
_PATIENCE = 30_000  # milliseconds that one connection waits for another
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")


@contextmanager
def _as_sqlite3_says_it() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        raise IntegrityError(str(error)) from error
    except apsw.Error as error:
        raise OperationalError(str(error)) from error


class Cursor:
    """Runs one statement to its end, and keeps what it gave."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._cursor = connection.apsw.cursor()
        self._cursor.exec_trace = self._describe
        self._rows: deque[Any] = deque()
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        return self._run(statement, lambda: self._cursor.execute(self._connection.rewrite(statement), parameters))

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        return self._run(statement, lambda: self._cursor.executemany(statement, parameters))

    def _run(self, statement: str, execute: Callable[[], Any]) -> "Cursor":
        database = self._connection.apsw
        self.description = None
        before = database.total_changes()
        with _as_sqlite3_says_it():
            self._rows = deque(execute())
        writes = statement.lstrip()[:7].upper().startswith(_WRITES)
        self.rowcount = database.total_changes() - before if writes else -1
        self.lastrowid = database.last_insert_rowid()
        return self

    def _describe(self, cursor: apsw.Cursor, _statement: str, _bindings: object) -> bool:
        """Note the columns before the first row: ``apsw`` does not tell them after the last."""
        columns = cursor.get_description()
        self.description = tuple((name, *[None] * 6) for name, *_ in columns) or None
        return True

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    def close(self) -> None:
        self._cursor.close()


class Connection:
    """One connection, as ``sqlite3`` would give it with transactions that begin where the store says."""

    def __init__(self, path: str, *, vfs: str, rewrite: Callable[[str], str], committed: Callable[[], None]) -> None:
        """Open the database.

        Args:
            path: of the file.
            vfs: name of the file system that SQLite is to use.
            rewrite: may put another statement in the place of one.
            committed: called after each commit.
        """
        with _as_sqlite3_says_it():
            self.apsw = apsw.Connection(path, vfs=vfs)
        self.apsw.set_busy_timeout(_PATIENCE)
        self.isolation_level: str | None = None
        self.rewrite = rewrite
        self._committed = committed

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self.cursor().execute(statement, parameters)

    def commit(self) -> None:
        if self.apsw.in_transaction:
            self.execute("COMMIT")
            self._committed()

    def rollback(self) -> None:
        if self.apsw.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, arguments: int, function: Any, *, deterministic: bool = False) -> None:
        self.apsw.create_scalar_function(name, function, arguments, deterministic=deterministic)

    def close(self) -> None:
        self.apsw.close()
