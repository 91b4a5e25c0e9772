"""Whatever the registry's schema knows can come, change and go, and a change with its whole meaning names it."""

import pytest

from tests.unit.full_records import STAMP, changed, full_record, leaf_paths, table, without
from watcher.core.meaning import compare
from watcher.core.privacy import is_contact_path
from watcher.model import Change, How, Json, Place, Severity

LEAVES = 345  # that the schema of the API declares
_CATEGORIES = {row.category for row in table().rules.fields.values()} - {"unclassified"}


def naming(path: str, changes: tuple[Change, ...]) -> list[Change]:
    """Return the changes that name a field: by its own path, or as the item that the field makes another one."""
    return [
        change
        for change in changes
        if change.path == path or (change.path.endswith("[]") and path.startswith(f"{change.path}."))
    ]


def test_every_leaf_of_the_schema_is_looked_at() -> None:
    assert len(leaf_paths()) == len(set(leaf_paths())) == LEAVES


@pytest.mark.parametrize("path", [path for path in leaf_paths() if path != STAMP])
@pytest.mark.parametrize("what", ["comes", "becomes another", "goes"])
def test_a_leaf_that_changes_is_named_by_a_change_with_its_whole_meaning(path: str, what: str) -> None:
    whole = full_record()
    before, after = {
        "comes": (without(whole, path), whole),
        "becomes another": (whole, changed(whole, path)),
        "goes": (whole, without(whole, path)),
    }[what]

    found = naming(path, compare(before, after, table()))

    assert found
    for change in found:
        has_meaning(change)
        names_values(change, before, after)


def has_meaning(change: Change) -> None:
    row = table().rule(change.path)
    assert change.label == row.label
    assert change.category == row.category
    assert change.category in _CATEGORIES
    assert isinstance(change.severity, Severity)
    assert isinstance(change.place, Place)
    assert change.rules[0] == "field"
    assert set(change.rules) <= table().rules.explanations.keys()
    assert "unclassified" not in change.rules
    assert change.sentence
    assert change.headline


def names_values(change: Change, before: Json, after: Json) -> None:
    """What came has no old value and what went no new one; contacts show neither."""
    assert before != after
    if is_contact_path(change.path):
        assert (change.item, change.old, change.new) == (None, None, None)
    elif change.how is How.ADDED:
        assert change.old is None
        assert change.new is not None
    elif change.how is How.REMOVED:
        assert change.old is not None
        assert change.new is None
    else:
        assert change.old != change.new


def test_the_daily_stamp_alone_is_left_out() -> None:
    whole = full_record()

    assert compare(whole, changed(whole, STAMP), table()) == ()
    assert compare(whole, without(whole, STAMP), table()) == ()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("protocolSection.newModule.newField", id="a section that is new"),
        pytest.param("protocolSection.statusModule.newField", id="a field of a known section"),
        pytest.param("newField", id="a field at the top"),
    ],
)
def test_a_field_that_the_schema_does_not_know_is_shown(path: str) -> None:
    after = full_record()
    *way, last = path.split(".")
    holder = after
    for key in way:
        holder = holder.setdefault(key, {})
    holder[last] = "something new"

    (change,) = compare(full_record(), after, table())

    assert (change.path, change.category, change.told) == (path, "unclassified", True)
    assert change.rules == ("field", "unclassified")
    assert path in change.sentence
