"""First sights: many at once, in one transaction, and small from the first version on."""

from collections.abc import Iterator, Sequence

import orjson
import pytest
from sqlalchemy import Connection, select

from tests.factories import study
from tests.store.factories import NOW, OTHER_TRIAL, TRIAL, count, record, record_step, release_on, watchlist
from watcher.errors import OvertakenError, StoreError
from watcher.store import bodies
from watcher.store.bodies import pack
from watcher.store.database import Database
from watcher.store.lists import declare_lists
from watcher.store.revisions import record_first_sights, revisions
from watcher.store.snapshots import read_body
from watcher.store.tables import change, notice, revision, snapshot
from watcher.store.watches import current_snapshots, unverified, watch_states

TRIALS = (TRIAL, OTHER_TRIAL, "NCT00000003")


def declared(db: Connection, trials: Sequence[str] = TRIALS) -> int:
    """Watch trials that were never seen, and return a release's ID."""
    declare_lists(db, [watchlist(trials=trials)], now=NOW)
    return release_on(db, 2)


def test_first_sights_are_stored_together(database: Database) -> None:
    records = [record(nct_id, title=f"Title of {nct_id}") for nct_id in TRIALS]
    with database.writing() as db:
        release_id = declared(db)
        record_first_sights(db, records, release_id=release_id, now=NOW)

    with database.reading() as db:
        states = watch_states(db)
        assert unverified(db, release_id=release_id) == []
        for seen in records:
            state = states[seen.nct_id]
            assert state.snapshot_id is not None
            assert (state.content_hash, state.release_id) == (seen.content_hash, release_id)
            assert read_body(db, state.snapshot_id).body == seen.body
            (step,) = revisions(db, seen.nct_id)
            assert (step.before_id, step.after_id, step.recorded_at) == (None, state.snapshot_id, NOW)


def test_first_sights_together_leave_what_each_alone_does(database: Database) -> None:
    together, alone = record(TRIAL), record(OTHER_TRIAL)
    with database.writing() as db:
        release_id = declared(db)
        record_first_sights(db, [together], release_id=release_id, now=NOW)
        record_step(db, alone, release_id=release_id)

    with database.reading() as db:
        of_trial = revision.c.nct_id
        steps = {
            row.nct_id: row
            for row in db.execute(
                select(revision, snapshot.c.size)
                .join_from(revision, snapshot, snapshot.c.id == revision.c.after_id)
                .order_by(of_trial)
            )
        }
        rows = [steps[nct_id] for nct_id in (TRIAL, OTHER_TRIAL)]
        kept = [(row.before_id, row.release_id, row.recorded_at, row.size) for row in rows]
        assert kept[0] == kept[1]


def test_a_first_sight_tells_nobody_anything(database: Database) -> None:
    with database.writing() as db:
        release_id = declared(db)
        record_first_sights(db, [record(nct_id) for nct_id in TRIALS], release_id=release_id, now=NOW)
        assert (count(db, change), count(db, notice)) == (0, 0)


def test_no_first_sight_is_written_when_another_instance_had_one_of_them(database: Database) -> None:
    with database.writing() as db:
        release_id = declared(db)
        record_step(db, record(OTHER_TRIAL), release_id=release_id)

    with pytest.raises(OvertakenError, match=OTHER_TRIAL), database.writing() as db:
        record_first_sights(db, [record(nct_id) for nct_id in TRIALS], release_id=release_id, now=NOW)

    with database.reading() as db:
        assert count(db, snapshot) == 1
        assert current_snapshots(db, TRIALS) == {TRIAL: None, OTHER_TRIAL: 1, TRIALS[2]: None}


# --- what first versions are packed against ---------------------------------------------------------------------------


@pytest.fixture
def unloaded() -> Iterator[None]:
    """Let the file be read again, in the test and after it."""
    bodies._typical_records.cache_clear()
    yield
    bodies._typical_records.cache_clear()


def test_a_first_version_is_half_as_large_as_it_would_be_alone() -> None:
    body = orjson.dumps(study(TRIAL))
    assert len(pack(body, None)) < len(pack(body, b"")) / 2


@pytest.mark.usefixtures("unloaded")
def test_another_file_of_typical_records_is_refused_before_anything_is_stored_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "_TYPICAL_HASH", "0" * 64)
    with pytest.raises(StoreError, match="install it again"):
        pack(b"{}", None)


FIRST_BODY = (
    b'{"protocolSection":{"identificationModule":{"nctId":"NCT99000009"},'
    b'"statusModule":{"overallStatus":"RECRUITING"}}}'
)
PACKED = "28b52ffd2472e50000783952454352554954494e47227d7d7d03100cfc87c006d247bb948216e29b08"


@pytest.mark.usefixtures("unloaded")
def test_a_snapshot_of_the_first_version_of_this_program_can_be_read() -> None:
    """Stored once and for all: if this fails, no database in use can be read any more."""
    assert bodies.unpack(bytes.fromhex(PACKED), None) == FIRST_BODY
