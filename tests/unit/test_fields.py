"""What the field table says of a path, and of every field that the API declares."""

import pytest

from tests.unit.full_records import kinds, leaf_paths, table
from watcher.core.fields import UNKNOWN_FIELD, FieldTable, value_at
from watcher.model import FieldRule, Json, Place, Rules, Severity


def row(path: str) -> FieldRule:
    return FieldRule(
        path=path, label=path, plural=None, category="test", severity=Severity.MINOR, place=Place.LINE, enum=None
    )


def rules_of(*paths: str) -> FieldTable:
    return FieldTable(Rules(fields={path: row(path) for path in paths}, statuses={}, enum_labels={}, explanations={}))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param("a.b", "a.b", id="the exact path"),
        pytest.param("a.b.x", "a.b.**", id="below a row for everything below"),
        pytest.param("a.b.c", "a.b.c.**", id="the section itself, where it is empty"),
        pytest.param("a.b[].c", "a.**", id="an item is not an object"),
        pytest.param("a.x", "a.**", id="below a shorter row"),
        pytest.param("a.b.c.d.e", "a.b.c.**", id="the longest row wins"),
        pytest.param("a.bc.d", "a.**", id="a row ends at a dot"),
        pytest.param("z", "**", id="a field that nobody knows"),
        pytest.param("z.note.y", "**note.**", id="within a section of that name, wherever it stands"),
        pytest.param("z.note[].y", "**note.**", id="within such a list"),
        pytest.param("z.notes.y", "**", id="not within one of a longer name"),
        pytest.param("l[]", "l[]", id="an item of a list"),
        pytest.param("l", "l[]", id="a list without items"),
        pytest.param("a.b[]", "a.b", id="a list where a value should stand"),
    ],
)
def test_the_most_specific_row_wins(path: str, found: str) -> None:
    rows = rules_of("a.b", "a.**", "a.b.**", "a.b.c.**", "l[]", "**note.**", UNKNOWN_FIELD)

    assert [rows.rule(path).path, rows.rule(path).path] == [found, found]


@pytest.mark.parametrize("path", leaf_paths())
def test_every_field_that_the_api_declares_is_known(path: str) -> None:
    rule = table().rule(path)

    assert rule.category != "unclassified"
    assert rule.label


def test_a_row_that_names_an_enum_stands_for_a_field_of_that_kind() -> None:
    odd = {path for path in leaf_paths() if table().rule(path).enum and kinds()[path] != "enum"}

    assert odd == {"documentSection.largeDocumentModule.largeDocs[].typeAbbrev"}  # codes, though declared as a text


def test_every_row_with_an_identity_or_a_name_names_fields_that_are_declared() -> None:
    declared = {path.replace("[]", "") for path in kinds()}
    named = [
        f"{path}.{field}".replace("[]", "")
        for path, rule in table().rules.fields.items()
        if path.endswith("[]")
        for fields in (*rule.identity, *rule.naming)
        for field in fields
    ]

    assert len(named) > 100
    assert set(named) <= declared


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        pytest.param("protocolSection.statusModule.overallStatus", "RECRUITING", "Recruiting", id="an enum's label"),
        pytest.param("protocolSection.statusModule.overallStatus", "NEW_VALUE", "NEW_VALUE", id="an unknown value"),
        pytest.param("protocolSection.designModule.phases[]", "PHASE2", "Phase 2", id="an item's label"),
        pytest.param("protocolSection.statusModule.whyStopped", "RECRUITING", "RECRUITING", id="a text is no enum"),
        pytest.param("hasResults", True, "Yes", id="true"),
        pytest.param("hasResults", False, "No", id="false"),
        pytest.param("protocolSection.designModule.enrollmentInfo.count", 1200, "1,200", id="an integer"),
        pytest.param("protocolSection.contactsLocationsModule.locations[].geoPoint.lat", 1.5, "1.5", id="a number"),
        pytest.param("hasResults", None, "none", id="null"),
        pytest.param("hasResults", {}, "empty", id="an empty object"),
        pytest.param("hasResults", [], "empty", id="an empty list"),
        pytest.param("hasResults", {"a": 1}, "several values", id="an object, which is never quoted"),
    ],
)
def test_a_value_is_put_into_words(path: str, value: Json, words: str) -> None:
    assert table().words(path, value) == words


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("a.b", 1, id="through objects"),
        pytest.param("a.x", None, id="a key that is not there"),
        pytest.param("a.b.c", None, id="below a value"),
        pytest.param("l.a", None, id="below a list"),
    ],
)
def test_a_value_is_looked_up(path: str, value: Json) -> None:
    assert value_at({"a": {"b": 1}, "l": [{"a": 1}]}, path) == value
    assert value_at(None, path) is None
