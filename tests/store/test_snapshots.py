"""Snapshots: addressed by their content, packed in short chains, put aside when they are damaged."""

import pytest
from sqlalchemy import Connection, select, update

from tests.store.factories import NOW, OTHER_TRIAL, TRIAL, count, record, record_step, release_on, watch_trials
from watcher.errors import BodyUnreadable
from watcher.store.bodies import MAX_DEPTH, pack
from watcher.store.database import Database
from watcher.store.snapshots import StoredBody, earlier_snapshots, keep_body, quarantine, read_body
from watcher.store.tables import snapshot
from watcher.store.watches import watch_states


def keep(db: Connection, body: bytes, base: StoredBody | None = None, *, nct_id: str = TRIAL) -> StoredBody:
    snapshot_id = keep_body(db, nct_id, body, base=base, release_id=release_on(db, 2), now=NOW)
    return read_body(db, snapshot_id)


def keep_chain(db: Connection, length: int) -> list[StoredBody]:
    """Keep versions, each packed against the one before."""
    chain = [keep(db, b'{"version":0}')]
    for number in range(1, length):
        chain.append(keep(db, b'{"version":%d}' % number, chain[-1]))
    return chain


def damage(db: Connection, snapshot_id: int) -> None:
    body = db.execute(select(snapshot.c.body).where(snapshot.c.id == snapshot_id)).scalar_one()
    damaged = body[:-1] + bytes([body[-1] ^ 0xFF])
    db.execute(update(snapshot).where(snapshot.c.id == snapshot_id).values(body=damaged))


def find_unreadable(db: Connection, snapshot_id: int) -> BodyUnreadable:
    with pytest.raises(BodyUnreadable) as caught:
        read_body(db, snapshot_id)
    return caught.value


# --- addresses --------------------------------------------------------------------------------------------------------


def test_a_body_is_read_back_as_it_was(database: Database) -> None:
    body = '{"title":"µ › 試験 \\u0000"}'.encode()
    with database.writing() as db:
        kept = keep(db, body)
    with database.reading() as db:
        assert read_body(db, kept.snapshot_id) == StoredBody(snapshot_id=kept.snapshot_id, body=body, depth=0)


def test_the_same_content_is_kept_once(database: Database) -> None:
    with database.writing() as db:
        first, again = keep(db, b"{}"), keep(db, b"{}")
        assert first == again
        assert count(db, snapshot) == 1


def test_a_version_that_comes_back_is_the_snapshot_that_it_was(database: Database) -> None:
    with database.writing() as db:
        a = keep(db, b'{"version":"A"}')
        b = keep(db, b'{"version":"B"}', a)
        again = keep(db, b'{"version":"A"}', b)
        assert again == a
        assert count(db, snapshot) == 2


def test_two_trials_do_not_share_a_snapshot(database: Database) -> None:
    with database.writing() as db:
        assert keep(db, b"{}").snapshot_id != keep(db, b"{}", nct_id=OTHER_TRIAL).snapshot_id


# --- chains -----------------------------------------------------------------------------------------------------------


def test_no_version_needs_more_others_than_the_longest_chain_allows(database: Database) -> None:
    with database.writing() as db:
        chain = keep_chain(db, 3 * MAX_DEPTH)
        assert [one.depth for one in chain] == [number % (MAX_DEPTH + 1) for number in range(3 * MAX_DEPTH)]
        for one in chain:
            assert read_body(db, one.snapshot_id) == one


def test_a_chain_that_runs_in_a_circle_is_unreadable(database: Database) -> None:
    with database.writing() as db:
        first, second = keep_chain(db, 2)
        db.execute(update(snapshot).where(snapshot.c.id == first.snapshot_id).values(base_id=second.snapshot_id))
        assert "circle" in find_unreadable(db, second.snapshot_id).why


# --- damage -----------------------------------------------------------------------------------------------------------


def test_a_damaged_snapshot_is_unreadable(database: Database) -> None:
    with database.writing() as db:
        kept = keep(db, b"{}")
        damage(db, kept.snapshot_id)
        error = find_unreadable(db, kept.snapshot_id)
    assert (error.snapshot_id, error.nct_id) == (kept.snapshot_id, TRIAL)


def test_a_whole_body_under_the_wrong_address_is_unreadable(database: Database) -> None:
    with database.writing() as db:
        kept, other = keep(db, b'{"version":"A"}'), keep(db, b'{"version":"B"}')
        body = db.execute(select(snapshot.c.body).where(snapshot.c.id == other.snapshot_id)).scalar_one()
        db.execute(update(snapshot).where(snapshot.c.id == kept.snapshot_id).values(body=body))
        assert find_unreadable(db, kept.snapshot_id).why == "its content does not match its address"


def test_a_damaged_version_takes_those_packed_against_it_along_and_no_others(database: Database) -> None:
    with database.writing() as db:
        chain = keep_chain(db, 5)
        damage(db, chain[2].snapshot_id)
        for one in chain[:2]:
            assert read_body(db, one.snapshot_id) == one
        for one in chain[2:]:
            assert find_unreadable(db, one.snapshot_id).snapshot_id == one.snapshot_id


def test_the_last_good_version_is_found_below_a_damaged_one(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        for title in ("Second title", "Third title", "Fourth title"):
            record_step(db, record(title=title), release_id=release_id)
        damage(db, 2)  # the third and fourth are packed against it
        assert last_good(db) == record().body


def test_a_version_between_two_times_of_the_current_one_is_the_last_good_one(database: Database) -> None:
    """A → B → A: the current snapshot is the older one."""
    with database.writing() as db:
        release_id = watch_trials(db)
        record_step(db, record(title="Second title"), release_id=release_id)
        record_step(db, record(), release_id=release_id)
        packed_alone = pack(record(title="Second title").body, None)
        db.execute(update(snapshot).where(snapshot.c.id == 2).values(body=packed_alone, base_id=None, depth=0))
        damage(db, 1)
        assert last_good(db) == record(title="Second title").body


def test_versions_are_tried_from_the_one_that_was_current_last(database: Database) -> None:
    """A → B → C → B → D: before D came B, then C, then A."""
    with database.writing() as db:
        release_id = watch_trials(db)
        for title in ("B", "C", "B", "D"):
            record_step(db, record(title=title), release_id=release_id)
        current = watch_states(db)[TRIAL].snapshot_id
        assert current == 4
        assert earlier_snapshots(db, TRIAL, than=current) == [2, 3, 1]
        assert earlier_snapshots(db, TRIAL, than=3) == [2, 1]


def last_good(db: Connection) -> bytes:
    """Do as the check does: put aside what cannot be read, until something can."""
    current = watch_states(db)[TRIAL].snapshot_id
    assert current is not None
    for snapshot_id in [current, *earlier_snapshots(db, TRIAL, than=current)]:
        try:
            return read_body(db, snapshot_id).body
        except BodyUnreadable as error:
            quarantine(db, error, now=NOW)
    raise AssertionError("nothing can be read")


# --- quarantine -------------------------------------------------------------------------------------------------------


def test_a_quarantined_snapshot_is_kept_with_the_reason_and_not_used_again(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        record_step(db, record(title="Second title"), release_id=release_id)
        record_step(db, record(title="Third title"), release_id=release_id)
        damage(db, 2)
        quarantine(db, find_unreadable(db, 2), now=NOW)
        row = db.execute(select(snapshot).where(snapshot.c.id == 2)).one()
        assert row.quarantined_at == NOW
        assert row.quarantine_reason
        assert earlier_snapshots(db, TRIAL, than=3) == [1]


def test_a_quarantined_version_that_comes_back_is_whole_again(database: Database) -> None:
    with database.writing() as db:
        chain = keep_chain(db, 3)
        damage(db, chain[1].snapshot_id)
        for one in chain[1:]:
            quarantine(db, find_unreadable(db, one.snapshot_id), now=NOW)
        restored = keep(db, chain[1].body)
        assert (restored.snapshot_id, restored.body, restored.depth) == (chain[1].snapshot_id, chain[1].body, 0)
        row = db.execute(select(snapshot).where(snapshot.c.id == restored.snapshot_id)).one()
        assert (row.quarantined_at, row.quarantine_reason, row.base_id) == (None, None, None)


def test_restoring_a_version_makes_those_packed_against_it_readable(database: Database) -> None:
    with database.writing() as db:
        chain = keep_chain(db, 4)
        damage(db, chain[1].snapshot_id)
        quarantine(db, find_unreadable(db, chain[1].snapshot_id), now=NOW)
        keep(db, chain[1].body)
        assert read_body(db, chain[3].snapshot_id).body == chain[3].body
