"""What columns keep: text with any characters, and moments."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, delete, insert, select

from tests.store.factories import NOW
from watcher.config.values import LONGEST_LIST_NAME
from watcher.model import DeliveryState, How, NoticeKind, Phase, Place, Reason, Severity
from watcher.store.database import Database
from watcher.store.notices import CHANGES, WATCHING
from watcher.store.routes import Origin
from watcher.store.tables import change, digest, incident, listing, message, metadata, notice, route, route_scope, watch
from watcher.tables import load_rules

# One database serves all examples: each removes what it stored.
ONE_DATABASE = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates and NUL too
HOSTILE = st.text(st.sampled_from("\x00\x1a\ud800\udfff01ad\\"))


def stored_summary(database: Database, summary: str) -> str:
    with database.writing() as db:
        db.execute(insert(incident).values(key="example", summary=summary, opened_at=NOW))
        try:
            return str(db.execute(select(incident.c.summary)).scalar_one())
        finally:
            db.execute(delete(incident))


# --- words ------------------------------------------------------------------------------------------------------------


@ONE_DATABASE
@given(text=ANY_TEXT | HOSTILE)
def test_text_comes_back_as_it_was(database: Database, text: str) -> None:
    assert stored_summary(database, text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("before\x00after", id="NUL"),
        pytest.param("\x01\x1b[31m\x7f\x85\u2028", id="control characters"),
        pytest.param("\ud800 and \udc00", id="halves of a surrogate pair"),
        pytest.param("\x1a0000", id="what looks like a stored NUL"),
        pytest.param("\x1a\x1a001a\x00", id="what looks like a stored substitute"),
        pytest.param("'\";--%s :name ?", id="what SQL might take for its own"),
        pytest.param("𝔘𝔫𝔦 › 試験 ‮", id="characters of every width"),
        pytest.param("word " * 1_000_000, id="5 MB"),
    ],
)
def test_unusual_text_comes_back_as_it_was(database: Database, text: str) -> None:
    assert stored_summary(database, text) == text


def test_usual_text_is_stored_as_it_is_and_can_be_searched(database: Database) -> None:
    with database.writing() as db:
        db.execute(insert(incident).values(key="example", summary="Größe › 試験\n100 %", opened_at=NOW))
        found = select(incident.c.key).where(incident.c.summary.contains("› 試験\n100"))
        assert db.execute(found).scalars().all() == ["example"]


def test_no_column_is_of_plain_text() -> None:
    """PostgreSQL would refuse a NUL in it, and with it the whole transaction."""
    columns = [column for table in metadata.tables.values() for column in table.columns]
    assert [str(column) for column in columns if isinstance(column.type, Text)] == []


# --- moments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2026, 3, 2, 7, 0, 0, 1, tzinfo=UTC), id="to the microsecond"),
        pytest.param(datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1))), id="of another zone"),
        pytest.param(datetime(1, 1, 2, tzinfo=UTC), id="long ago"),
        pytest.param(datetime(9999, 12, 30, tzinfo=UTC), id="far away"),
    ],
)
def test_a_moment_comes_back_in_utc(database: Database, moment: datetime) -> None:
    with database.writing() as db:
        db.execute(insert(incident).values(key="example", summary="", opened_at=moment))
        found = db.execute(select(incident.c.opened_at)).scalar_one()
    assert found == moment
    assert found.tzinfo is UTC


# --- the length of columns, which only PostgreSQL checks --------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values"),
    [
        pytest.param(watch.c.reason, list(Reason), id="why a watch failed"),
        pytest.param(listing.c.origin, list(Origin), id="origin"),
        pytest.param(listing.c.watchlist, ["x" * LONGEST_LIST_NAME], id="name of a list with trials"),
        pytest.param(route_scope.c.value, ["x" * LONGEST_LIST_NAME], id="name of a list with readers"),
        pytest.param(route.c.severity, list(Severity), id="severity of a route"),
        pytest.param(change.c.how, list(How), id="how"),
        pytest.param(change.c.severity, list(Severity), id="severity"),
        pytest.param(change.c.place, list(Place), id="place"),
        pytest.param(change.c.category, [rule.category for rule in load_rules().fields.values()], id="category"),
        pytest.param(notice.c.kind, list(NoticeKind), id="kind of notice"),
        pytest.param(digest.c.subject_matter, [CHANGES, WATCHING], id="subject matter"),
        pytest.param(message.c.state, list(DeliveryState), id="state of a delivery"),
        pytest.param(message.c.phase, list(Phase), id="phase of a delivery"),
    ],
)
def test_a_column_has_room_for_every_value(column: object, values: list[str]) -> None:
    longest = max(values, key=len)
    length = column.type.length  # type: ignore[attr-defined]  # String columns of several Python types
    assert len(longest) <= length, longest
