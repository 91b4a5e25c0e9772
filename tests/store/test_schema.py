"""The schema: what migrations make, which versions this program takes, and what a start costs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib import import_module
from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, text

from tests.store.factories import NOW, TRIAL, change, record, record_step, watch_trials
from tests.store.together import together
from watcher.errors import StoreError
from watcher.model import Severity
from watcher.store import tables
from watcher.store.bodies import pack
from watcher.store.database import Database
from watcher.store.revisions import changes_of
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
        pytest.param(f"{int(HEAD) + 1:04}", "was used by a newer version of trialwatch", id="of the next program"),
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


def test_what_was_recorded_before_rules_were_kept_stays_and_has_none(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [
        change(1),
        replace(change(2, severity=Severity.NOISE), item="\x00 › \ud800", old=None, new=[1.0, {"a": None}]),
    ]
    with monkeypatch.context() as earlier:
        earlier.setattr("watcher.store.schema.HEAD", "0001")
        upgrade(empty_database)
    with empty_database.writing() as db:
        release_id, step = _recorded_at_0001(db)
        columns = {column["name"] for column in inspect(db).get_columns("change")}
        assert "rules" not in columns
        rows = [asdict(one) | {"revision_id": step, "position": place} for place, one in enumerate(old)]
        db.execute(insert(tables.change), [{name: row[name] for name in columns} for row in rows])

    upgrade(empty_database)

    with empty_database.writing() as db:
        assert current_version(db) == HEAD
        assert changes_of(db, [step]) == {step: [replace(one, rules=()) for one in old]}
        assert not watch_states(db)[TRIAL].withheld
        new = replace(change(3), rules=("field", "M8"))
        later = record_step(db, record(title="B"), [new], release_id=release_id)
        assert changes_of(db, [later]) == {later: [new]}


def _recorded_at_0001(db: Connection) -> tuple[int, int]:
    """Record a first sight as the program of the first schema did; return its release and its step."""
    first = record(TRIAL)
    moments = {"first_seen_at": NOW, "confirmed_at": NOW}
    for table, row in (
        (tables.release, {"id": 1, "data_timestamp": "2026-03-02", "api_version": "2", "current": True, **moments}),
        (
            tables.snapshot,
            {
                "id": 1,
                "nct_id": TRIAL,
                "content_hash": first.content_hash,
                "depth": 0,
                "body": pack(first.body, None),
                "size": len(first.body),
                "release_id": 1,
                "recorded_at": NOW,
            },
        ),
        (
            tables.watch,
            {
                "nct_id": TRIAL,
                "watched": True,
                "snapshot_id": 1,
                "content_hash": first.content_hash,
                "release_id": 1,
                "absent_releases": 0,
                "gone_told": False,
            },
        ),
        (tables.revision, {"id": 1, "nct_id": TRIAL, "after_id": 1, "release_id": 1, "recorded_at": NOW}),
    ):
        db.execute(insert(table), [row])
    for table in (tables.snapshot, tables.revision, tables.release):
        if db.dialect.name == "postgresql":  # its numbers go on after those that were given
            db.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), 1)"))
    return 1, 1


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
