"""Recording a step: all of it or nothing, once, and readable again whatever the record holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from tests.store.factories import (
    NOW,
    OTHER_TRIAL,
    READER,
    TRIAL,
    change,
    count,
    current_body,
    record,
    record_step,
    refusal,
    release_on,
    watch_trials,
)
from tests.store.together import together
from watcher.core.words.past import PastValue
from watcher.errors import OvertakenError
from watcher.model import Change, How, Json, NoticeKind, Place, Severity
from watcher.store import tables
from watcher.store.database import Database
from watcher.store.revisions import (
    Revision,
    changes_of,
    changes_since,
    find_changes,
    known_change_ids,
    past_values,
    record_revision,
    revisions,
)
from watcher.store.watches import record_refusal, watch_states

STEP_TABLES = (tables.snapshot, tables.revision, tables.change, tables.notice)
ONE_DATABASE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

any_text = st.text(st.characters(exclude_categories=()), max_size=20)  # surrogates and NUL too
any_json: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)
any_change: st.SearchStrategy[Change] = st.builds(
    replace,
    st.integers(0, 2**64 - 1).map(change),
    path=any_text,
    item=st.none() | any_text,
    how=st.sampled_from(How),
    label=any_text,
    severity=st.sampled_from(Severity),
    place=st.sampled_from(Place),
    rules=st.lists(any_text, max_size=3).map(tuple),
    sentence=any_text,
    headline=any_text,
    old=any_json,
    new=any_json,
)


def sizes(db: Connection) -> dict[str, int]:
    return {table.name: count(db, table) for table in STEP_TABLES}


def notices(db: Connection) -> list[tuple[str, str, int | None]]:
    """Return who must hear what of which revision, but for the welcome."""
    notice = tables.notice
    rows = db.execute(select(notice).where(notice.c.kind != NoticeKind.NOW_WATCHING).order_by(notice.c.id))
    return [(row.address, row.kind, row.revision_id) for row in rows]


# --- a step -----------------------------------------------------------------------------------------------------------


def test_a_step_makes_the_new_version_the_current_one(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        new = record(title="Second title")
        record_step(db, new, [change()], release_id=release_id)
        assert current_body(db).body == new.body
        assert watch_states(db)[TRIAL].content_hash == new.content_hash


def test_the_steps_of_a_trial_are_listed_from_the_first_sight_on(database: Database) -> None:
    later = NOW + timedelta(days=1)
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL)
        second = record_step(db, record(title="B"), [change()], release_id=release_on(db, 3, now=later), now=later)
        steps = revisions(db, TRIAL)
    assert [(step.before_id, step.after_id) for step in steps] == [(None, 1), (1, 3)]
    assert steps[1] == Revision(
        id=second,
        nct_id=TRIAL,
        before_id=1,
        after_id=3,
        data_timestamp="2026-03-03T09:00:05",
        recorded_at=later,
    )


def test_a_version_that_comes_back_is_a_step_to_the_old_snapshot(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        record_step(db, record(title="B"), [change(1)], release_id=release_id)
        record_step(db, record(), [change(2)], release_id=release_id)
        assert [(step.before_id, step.after_id) for step in revisions(db, TRIAL)] == [(None, 1), (1, 2), (2, 1)]
        assert count(db, tables.snapshot) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param([change()], [NoticeKind.CHANGED], id="a change that is told"),
        pytest.param([change(1, severity=Severity.NOISE)], [], id="only noise"),
        pytest.param([change(1, severity=Severity.NOISE), change(2)], [NoticeKind.CHANGED], id="one among noise"),
        pytest.param([change(1), change(2)], [NoticeKind.CHANGED], id="two changes, one notice"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_readers_hear_of_a_step_with(database: Database, changes: list[Change], told: list[NoticeKind]) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        step = record_step(db, record(title="B"), changes, release_id=release_id)
        assert notices(db) == [(READER, kind, step) for kind in told]


def test_readers_hear_that_a_record_which_was_gone_is_found_again(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        for day in (3, 4):
            record_refusal(db, refusal(), release_id=release_on(db, day), now=NOW)
        step = record_step(db, record(title="B"), [change()], release_id=release_on(db, 5))
        assert notices(db) == [
            (READER, NoticeKind.GONE, None),
            (READER, NoticeKind.CHANGED, step),
            (READER, NoticeKind.FOUND_AGAIN, None),
        ]
        state = watch_states(db)[TRIAL]
    assert (state.reason, state.gone_told, state.failing_since) == (None, False, None)


# --- all or nothing ---------------------------------------------------------------------------------------------------


def test_a_step_that_fails_in_the_middle_leaves_nothing(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        before = sizes(db)
    unstorable = replace(change(2), new=object())
    with pytest.raises(Exception, match="JSON"), database.writing() as db:
        record_step(db, record(title="B"), [change(1), unstorable], release_id=release_id)
    with database.reading() as db:
        assert sizes(db) == before
        assert current_body(db).body == record().body


def test_a_step_from_a_version_that_is_not_the_current_one_any_more_is_refused(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        base = current_body(db)
        record_step(db, record(title="B"), [change(1)], release_id=release_id)
        before = sizes(db)
        with pytest.raises(OvertakenError, match=f"{TRIAL} was recorded by another instance in between"):
            record_revision(
                db,
                record(title="C"),
                base=base,
                current_id=base.snapshot_id,
                changes=[change(2)],
                release_id=release_id,
                now=NOW,
            )
        assert sizes(db) == before


def test_a_first_sight_is_refused_when_another_instance_had_it_first(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        with pytest.raises(OvertakenError):
            record_revision(db, record(), base=None, current_id=None, changes=[], release_id=release_id, now=NOW)


def test_a_record_that_nobody_watches_is_refused(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        with pytest.raises(OvertakenError):
            record_revision(
                db, record(OTHER_TRIAL), base=None, current_id=None, changes=[], release_id=release_id, now=NOW
            )


@pytest.mark.parametrize("same", [pytest.param(True, id="the same version"), pytest.param(False, id="two versions")])
def test_of_two_instances_that_record_a_trial_at_once_one_succeeds(database: Database, *, same: bool) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    with database.writing() as db:
        release_id = watch_trials(db)

    def recording(instance: Database, title: str, number: int) -> Callable[[], int]:
        with instance.reading() as db:
            base = current_body(db)

        def run() -> int:
            with instance.writing() as db:
                return record_revision(
                    db,
                    record(title=title),
                    base=base,
                    current_id=base.snapshot_id,
                    changes=[change(number)],
                    release_id=release_id,
                    now=NOW,
                )

        return run

    rounds = 5
    for number in range(rounds):
        titles = [f"Title {number}", f"Title {number}" if same else f"Other title {number}"]
        results = together(recording(database, titles[0], number), recording(other, titles[1], number))
        assert sorted(type(result).__name__ for result in results) == ["OvertakenError", "int"]
    other.close()

    with database.reading() as db:
        assert [count(db, table) for table in STEP_TABLES] == [1 + rounds, 1 + rounds, rounds, 1 + rounds]
        steps = revisions(db, TRIAL)
        assert [step.before_id for step in steps[1:]] == [step.after_id for step in steps[:-1]]


# --- reading changes --------------------------------------------------------------------------------------------------


@ONE_DATABASE
@given(changes=st.lists(any_change, max_size=4))
def test_changes_come_back_as_they_were(database: Database, changes: list[Change]) -> None:
    with database.writing() as db:
        release_id = release_on(db, 2)
        if not watch_states(db):
            watch_trials(db)
        number = count(db, tables.revision)
        step = record_step(db, record(title=f"Title {number}"), changes, release_id=release_id)
    with database.reading() as db:
        assert changes_of(db, [step]) == {step: changes}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\x00\x01\x1a\x1b\x7f", id="control characters"),
        pytest.param({"\x00key": ["\ud800"]}, id="a NUL in a key and half a surrogate pair"),
        pytest.param("word " * 400_000, id="2 MB of text"),
        pytest.param(list(range(100_000)), id="100,000 items"),
        pytest.param(10**40, id="a number beyond 64 bits"),
        pytest.param(-0.1e-300, id="a tiny number"),
        pytest.param(1.0, id="a whole number with a decimal point"),
        pytest.param(0.1 + 0.2, id="a number of 17 digits"),
        pytest.param("1.0", id="a number as text"),
        pytest.param("null", id="null as text"),
        pytest.param(False, id="false, which is not absent"),
        pytest.param("", id="an empty text, which is not absent"),
        pytest.param([], id="an empty list, which is not absent"),
        pytest.param({"null": None}, id="an absent value inside"),
    ],
)
def test_an_unusual_value_comes_back_as_it_was(database: Database, value: Json) -> None:
    with database.writing() as db:
        step = record_step_with(db, replace(change(), old=value, new=None))
    with database.reading() as db:
        [found] = changes_of(db, [step])[step]
    assert (found.old, found.new) == (value, None)
    assert repr(found.old) == repr(value)  # 1.0 is not 1


def record_step_with(db: Connection, one: Change) -> int:
    release_id = watch_trials(db)
    return record_step(db, record(title="B"), [one], release_id=release_id)


def test_changes_keep_their_order_and_their_revision(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        numbers = [5, 3, 9, 1]
        first = record_step(db, record(title="B"), [change(n) for n in numbers], release_id=release_id)
        second = record_step(db, record(title="C"), [change(n) for n in reversed(numbers)], release_id=release_id)
        found = changes_of(db, [second, first])
    assert found[first] == [change(n) for n in numbers]
    assert found[second] == [change(n) for n in reversed(numbers)]


def test_a_first_sight_has_no_changes(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        [first] = revisions(db, TRIAL)
        assert changes_of(db, [first.id]) == {first.id: []}


def test_known_changes_are_those_of_the_trial(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db, TRIAL, OTHER_TRIAL)
        record_step(db, record(title="B"), [change(1), change(2)], release_id=release_id)
        record_step(db, record(OTHER_TRIAL, title="B"), [change(3)], release_id=release_id)
        assert known_change_ids(db, TRIAL) == {change(1).id, change(2).id}


@pytest.mark.parametrize(
    ("title", "since"),
    [
        pytest.param("First title", [3, 4], id="the first, which came back once"),
        pytest.param("B", [2, 3, 4], id="one in between"),
        pytest.param("C", [4], id="the one before"),
        pytest.param("D", [], id="the current one"),
    ],
)
def test_changes_are_told_since_a_version_was_current_last(database: Database, title: str, since: list[int]) -> None:
    """A → B → A → C → D."""
    with database.writing() as db:
        release_id = watch_trials(db, TRIAL, OTHER_TRIAL)
        snapshots = {"First title": 1}
        for number, version in enumerate(["B", "First title", "C", "D"], 1):
            record_step(db, record(title=version), [change(number)], release_id=release_id)
            record_step(db, record(OTHER_TRIAL, title=version), [change(10 + number)], release_id=release_id)
            snapshots[version] = watch_states(db)[TRIAL].snapshot_id or 0
        assert changes_since(db, TRIAL, snapshots[title]) == [change(number) for number in since]


# --- what was recorded of values, and of an ID ------------------------------------------------------------------------


def test_the_past_values_of_a_trial_are_its_own_oldest_first_each_with_the_day_of_the_data(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL)
        for day, values in ((3, ("A", "B")), (4, ("B", "A")), (6, ("A", None))):
            old, new = values
            step = [replace(change(day * 10), path="a.date", old=old, new=new), replace(change(day * 10 + 1), path="b")]
            record_step(db, record(title=f"Day {day}"), step, release_id=release_on(db, day))
        record_step(db, record(OTHER_TRIAL, title="B"), [change(99)], release_id=release_on(db, 7))
        found = past_values(db, TRIAL)
    assert [value for value in found if value.path == "a.date"] == [
        PastValue(path="a.date", old="A", new="B", day="2026-03-03"),
        PastValue(path="a.date", old="B", new="A", day="2026-03-04"),
        PastValue(path="a.date", old="A", new=None, day="2026-03-06"),
    ]
    assert len(found) == 6


@pytest.mark.parametrize(
    ("different", "listed"),
    [
        pytest.param({}, True, id="a value that stands in no list"),
        pytest.param({"old": None}, True, id="a value that was not there"),
        pytest.param({"new": 1.0}, True, id="a number"),
        pytest.param({"path": "a.b[].c", "item": "Site"}, False, id="a value of an item of a list"),
        pytest.param({"path": "a.b[]", "item": "Site"}, False, id="an item of a list"),
        pytest.param({"path": "a.b[]", "item": None}, False, id="an item without a name"),
        pytest.param({"path": "a.contacts[].phone", "item": None, "old": None, "new": None}, False, id="a contact"),
        pytest.param({"path": "a.pointOfContact.phone", "old": None, "new": None}, False, id="a contact in no list"),
    ],
)
def test_a_past_value_is(database: Database, different: dict[str, Json], listed: bool) -> None:  # noqa: FBT001
    one = replace(change(), **different)
    with database.writing() as db:
        release_id = watch_trials(db)
        record_step(db, record(title="B"), [one], release_id=release_id)
        expected = [PastValue(path=one.path, old=one.old, new=one.new, day="2026-03-02")] if listed else []
        assert past_values(db, TRIAL) == expected


@pytest.mark.parametrize(
    ("beginning", "numbers"),
    [
        pytest.param("00000000000000ff", [0xFF], id="a whole ID"),
        pytest.param("0000000000000", [0xA0, 0xAF, 0xFF], id="what several begin with"),
        pytest.param("00000000000000a", [0xA0, 0xAF], id="the first and the last digit"),
        pytest.param("f", [0xF << 60], id="one digit"),
        pytest.param("1", [], id="what none begins with"),
    ],
)
def test_changes_are_found_by_the_beginning_of_their_id(database: Database, beginning: str, numbers: list[int]) -> None:
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL)
        first = record_step(db, record(title="B"), [change(0xFF), change(0xA0)], release_id=release_on(db, 3))
        others = [change(0xAF), change(0xF << 60)]
        record_step(db, record(OTHER_TRIAL, title="B"), others, release_id=release_on(db, 4))
        found = find_changes(db, beginning, limit=10)
        assert [one.change.id for one in found] == [f"{number:016x}" for number in numbers]
        for one in found:
            assert one.data_timestamp == ("2026-03-03T09:00:05" if one.revision_id == first else "2026-03-04T09:00:05")
            assert one.change in changes_of(db, [one.revision_id])[one.revision_id]
        assert find_changes(db, beginning, limit=1) == found[:1]
