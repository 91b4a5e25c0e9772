"""The schema: what migrations make, which versions this program takes, and what a start costs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tests.store.factories import TRIAL, watch_trials
from tests.store.together import together
from watcher.errors import StoreError
from watcher.store.database import Database
from watcher.store.schema import HEAD, current_version, upgrade
from watcher.store.tables import metadata
from watcher.store.watches import watch_states

MIGRATIONS = sorted(
    entry.name for entry in files("watcher.store.migrations.versions").iterdir() if entry.name.endswith(".py")
)[:-1]  # without __init__.py


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


@pytest.fixture
def migrated(empty_database: Database) -> Database:
    """Give a migrated database that nobody else uses: its schema may be changed."""
    upgrade(empty_database)
    return empty_database


def table_names(db: Connection) -> set[str]:
    return set(inspect(db).get_table_names())


def constraint_names(db: Connection) -> dict[str, set[str | None]]:
    """Return the names of keys, constraints and indexes, by table."""
    reflected = inspect(db)
    return {
        table: {
            reflected.get_pk_constraint(table)["name"],
            *(each["name"] for each in reflected.get_foreign_keys(table)),
            *(each["name"] for each in reflected.get_unique_constraints(table)),
            *(each["name"] for each in reflected.get_indexes(table)),
        }
        for table in metadata.tables
    }


# --- from scratch = from migrations -----------------------------------------------------------------------------------


def test_migrations_make_what_the_tables_say(migrated: Database) -> None:
    with migrated.reading() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_name_every_constraint_as_the_tables_do(migrated: Database) -> None:
    with migrated.writing() as db:
        by_migrations = constraint_names(db)
        metadata.drop_all(db)
        metadata.create_all(db)
        assert by_migrations == constraint_names(db)
        assert None not in set().union(*by_migrations.values())


def test_migrations_are_numbered_without_a_gap_and_named_in_words() -> None:
    assert [name[:4] for name in MIGRATIONS] == [f"{number:04}" for number in range(1, len(MIGRATIONS) + 1)]
    assert [name for name in MIGRATIONS if not re.fullmatch(r"[0-9]{4}(_[a-z0-9]+)+\.py", name)] == []


def test_each_migration_follows_the_one_before() -> None:
    modules = [import_module(f"watcher.store.migrations.versions.{name[:-3]}") for name in MIGRATIONS]
    numbers = [name[:4] for name in MIGRATIONS]
    assert [module.revision for module in modules] == numbers
    assert [module.down_revision for module in modules] == [None, *numbers[:-1]]


def test_the_program_works_with_the_newest_migration() -> None:
    assert MIGRATIONS[-1][:4] == HEAD


# --- upgrading --------------------------------------------------------------------------------------------------------


def test_an_empty_database_has_no_version(empty_database: Database) -> None:
    with empty_database.reading() as db:
        assert current_version(db) is None


def test_upgrading_twice_keeps_what_is_stored(migrated: Database) -> None:
    with migrated.writing() as db:
        watch_trials(db)
    upgrade(migrated)
    with migrated.reading() as db:
        assert current_version(db) == HEAD
        assert watch_states(db)[TRIAL].watched


def test_two_instances_may_upgrade_at_once(empty_database: Database, empty_url: str) -> None:
    other = Database(empty_url)
    try:
        assert together(lambda: upgrade(empty_database), lambda: upgrade(other)) == [None, None]
    finally:
        other.close()
    with empty_database.reading() as db:
        assert current_version(db) == HEAD


@pytest.mark.parametrize(
    ("version", "says"),
    [
        pytest.param("0002", "was used by a newer version of trialwatch", id="of the next program"),
        pytest.param("9999", "was used by a newer version of trialwatch", id="of a program far ahead"),
        pytest.param("0000", "schema 0000", id="that never was"),
    ],
)
def test_a_schema_is_refused(migrated: Database, version: str, says: str) -> None:
    with migrated.writing() as db:
        db.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    with pytest.raises(StoreError, match=says):
        upgrade(migrated)
    with migrated.reading() as db:
        assert current_version(db) == version


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: Database) -> None:
    with empty_database.writing() as db:
        db.execute(text("CREATE TABLE notice (of_somebody_else INTEGER)"))  # one of the last that 0001 makes
    with pytest.raises(StoreError, match="notice"):
        upgrade(empty_database)
    with empty_database.reading() as db:
        assert table_names(db) == {"notice"}


def test_a_start_at_the_newest_schema_does_not_import_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from watcher.store.database import Database; from watcher.store.schema import upgrade; "
        "database = Database(sys.argv[1]); upgrade(database); database.close(); "
        "print('alembic' in sys.modules, 'mako' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "False False\n"
