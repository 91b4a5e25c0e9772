"""Databases for tests: each test gets a fresh one, on SQLite and on PostgreSQL.

Each kind is migrated once: SQLite's file is copied for every test, PostgreSQL's tables are emptied, which is faster
there.  Without PostgreSQL on this machine its variants are skipped; with ``TRIALWATCH_REQUIRE_POSTGRESQL=1`` they fail
instead.  The same for Postfix and Dovecot, with ``TRIALWATCH_REQUIRE_MAIL_SERVER=1``.
"""

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

from tests.store.postgresql_server import NotInstalledError, PostgresqlServer, running_server
from watcher.store.database import Database
from watcher.store.schema import upgrade
from watcher.store.tables import metadata

if TYPE_CHECKING:
    from tests.mail_office.servers import MailOffice

settings.register_profile("trialwatch", deadline=None)  # how long an example takes says what else the machine does
settings.load_profile("trialwatch")

_REQUIRED = "TRIALWATCH_REQUIRE_POSTGRESQL"
_MAIL_SERVER_REQUIRED = "TRIALWATCH_REQUIRE_MAIL_SERVER"


def pytest_collection_finish() -> None:
    """Spare what stays until the end from being looked at again and again: half a gigabyte of tests and their rows."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run the test once on each kind of database."""
    return str(request.param)


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a fresh, migrated database of the kind that the test runs on."""
    yield from _opened(str(request.getfixturevalue(f"{database_kind}_url")))


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """Give the address of a database without any table, of the kind that the test runs on."""
    return str(request.getfixturevalue(f"empty_{database_kind}_url"))


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """Give a fresh, migrated SQLite database, for tests that need only one kind."""
    yield from _opened(sqlite_url)


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite_file: Path) -> str:
    path = tmp_path / "store.sqlite3"
    shutil.copy(migrated_sqlite_file, path)
    return _sqlite_url(path)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return _sqlite_url(tmp_path / "empty.sqlite3")


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated database file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "store.sqlite3"
    _migrate(_sqlite_url(path))
    return path


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer, migrated_postgresql: str) -> str:
    postgresql_server.empty(migrated_postgresql, [table.name for table in reversed(metadata.sorted_tables)])
    return postgresql_server.url(migrated_postgresql)


@pytest.fixture
def empty_postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    with postgresql_server.new_database() as name:
        yield postgresql_server.url(name)


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Give the name of a migrated database; whoever changes its schema needs another one."""
    with postgresql_server.new_database() as name:
        _migrate(postgresql_server.url(name))
        yield name


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Give a server that runs for the whole session, started by the first test that asks for it."""
    try:
        with running_server() as server:
            yield server
    except NotInstalledError as error:
        if os.environ.get(_REQUIRED) == "1":
            pytest.fail(f"{error}; install it, or unset {_REQUIRED}", pytrace=False)
        pytest.skip(str(error))


# --- mail servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mail_office() -> Iterator["MailOffice"]:
    """Give a real Postfix and Dovecot that run for the whole session, started by the first test that asks for them."""
    from tests.mail_office.servers import NotInstalledError, running_mail_office  # their imports take time

    try:
        with running_mail_office() as office:
            yield office
    except NotInstalledError as error:
        if os.environ.get(_MAIL_SERVER_REQUIRED) == "1":
            pytest.fail(f"{error}; install it, or unset {_MAIL_SERVER_REQUIRED}", pytrace=False)
        pytest.skip(str(error))


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def _migrate(url: str) -> None:
    for database in _opened(url):
        upgrade(database)


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Begin each test without the logs that a command configured in this process for the test before."""
    yield
    structlog.reset_defaults()
    for handler in logging.getLogger().handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.getLogger().removeHandler(handler)
