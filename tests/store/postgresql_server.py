"""A throw-away PostgreSQL server for tests, which ends when the process of the tests ends, however that ends.

A shell guards the server: it starts it, waits until its standard input is closed, and stops it.  PostgreSQL refuses to
run as root, so that root lets the user ``postgres`` do it.

Does not install anything, does not listen on the network, and does not keep what was written.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

_GUARD = """
trap '' PIPE  # nobody may be left to read "ready"; the server has to be stopped all the same
"$1/initdb" -D "$2/data" -U watcher -A trust --no-sync -E UTF8 --locale=C >"$2/initdb.log" 2>&1 || exit 1
"$1/pg_ctl" -D "$2/data" -w -t 60 -l "$2/server.log" -o "$3" start >"$2/start.log" 2>&1 || exit 1
echo ready
read -r _
"$1/pg_ctl" -D "$2/data" -w -t 60 -m immediate stop >"$2/stop.log" 2>&1
cd / && rm -rf "$2"
"""
# Nothing here must survive a power cut.
_OPTIONS = (
    "-c listen_addresses='' -c unix_socket_directories={folder}"
    " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
)
_USER = "postgres"


class NotInstalledError(Exception):
    """This machine cannot run PostgreSQL; the text says what is missing."""


@dataclass(slots=True)
class PostgresqlServer:
    """A running server, and an open connection that makes and drops databases."""

    folder: Path  # of the socket
    admin: psycopg.Connection
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://watcher@/{name}?host={self.folder}"

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """Give the name of a new database without any table; drop it afterwards."""
        name = f"test_{next(self._numbers)}"
        self.admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            self.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def empty(self, name: str, tables: Sequence[str]) -> None:
        """Remove all rows from tables, those that others refer to last; whoever is still connected is cut off."""
        self.cut_connections(name)
        # For a few rows faster than TRUNCATE, which makes new files.
        deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables]
        with psycopg.connect(_address(self.folder, name)) as db:
            db.execute(sql.SQL("; ").join(deletions))
            db.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")

    def set_default(self, name: str, setting: str, value: str) -> None:
        """Change a setting for connections to a database, as its administrator may."""
        change = sql.SQL("ALTER DATABASE {} SET {} = {}")
        self.admin.execute(change.format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)))

    def cut_connections(self, name: str) -> None:
        """End all connections to a database, as a restart of the server does."""
        self.admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])


@contextmanager
def running_server() -> Iterator[PostgresqlServer]:
    """Run a server for the time of the block.

    Raises:
        NotInstalledError: there are no binaries, or root has nobody to run them as.
    """
    binaries = _binaries()
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 characters
    try:
        if user is not None:
            shutil.chown(folder, user, user)
        with (
            _guarded_server(binaries, folder, user),
            psycopg.connect(_address(folder, "postgres"), autocommit=True) as admin,
        ):
            yield PostgresqlServer(folder=folder, admin=admin)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # there only when the server did not start


@contextmanager
def _guarded_server(binaries: Path, folder: Path, user: str | None) -> Iterator[None]:
    arguments = [str(binaries), str(folder), _OPTIONS.format(folder=folder)]
    with subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        start_new_session=True,  # an interrupt from the keyboard is for the tests; they end the server
    ) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        if guard.stdout.readline() != b"ready\n":
            raise RuntimeError("PostgreSQL did not start: " + _last_words(folder))
        yield
        guard.stdin.close()


def _binaries() -> Path:
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(versions, key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise NotInstalledError("PostgreSQL's initdb is neither in /usr/lib/postgresql/*/bin nor on PATH")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_USER).pw_name
    except KeyError:
        raise NotInstalledError(f"PostgreSQL does not run as root, and there is no user {_USER!r}") from None


def _address(folder: Path, name: str) -> str:
    return f"host={folder} user=watcher dbname={name}"


def _last_words(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*.log")))
