"""Contacts' names, telephone numbers and addresses stand nowhere in what a comparison gives out."""

from collections.abc import Iterator

import orjson
import pytest

from tests.unit.full_records import CONTACT_FIELDS, changed, full_record, leaf_paths, table, without
from watcher.core.meaning import compare
from watcher.core.privacy import is_contact_path, without_contacts
from watcher.model import Change, Difference, How, Json

CANARY = "CANARY-7f3a"
CONTACTS = ("centralContacts", "contacts", "pointOfContact")
INSTEAD: list[Json] = [[], {}, None, "text", [None], [["text"]]]
CONTACT_PATHS = [
    path
    for path in leaf_paths()
    if {part.removesuffix("[]") for part in path.split(".")} & set(CONTACTS)
    and path.rpartition(".")[2] in CONTACT_FIELDS
]


def with_canaries(value: Json, *, mark: str = "") -> Json:
    """Return the record with a text to look for in every field of every contact."""
    if isinstance(value, list):
        return [with_canaries(item, mark=mark) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: planted(below, mark=mark) if key in CONTACTS else with_canaries(below, mark=mark)
        for key, below in value.items()
    }


def planted(value: Json, *, mark: str) -> Json:
    if isinstance(value, list):
        return [planted(item, mark=f"{mark}{place}") for place, item in enumerate(value)]
    return {key: f"{CANARY} {key} {mark}" for key in value}


def pairs() -> Iterator[tuple[Json, Json]]:
    bare, record, other = full_record(), with_canaries(full_record()), with_canaries(full_record(), mark="other")
    yield record, other
    for path in CONTACT_PATHS:
        yield record, changed(record, path)
        yield record, without(record, path)
    for section in ("protocolSection", "resultsSection"):
        yield record, {key: value for key, value in record.items() if key != section}
        yield record, {**record, section: "no section any more"}
        yield record, {**record, section: None}
    for holder in contact_holders(record):
        for instead in INSTEAD:
            copy = orjson.loads(orjson.dumps(record))
            at(copy, holder[:-1])[holder[-1]] = instead
            yield record, copy
    yield bare, record


def contact_holders(record: Json) -> Iterator[tuple[str, ...]]:
    module = ("protocolSection", "contactsLocationsModule")
    assert record["protocolSection"]["contactsLocationsModule"]["locations"][0]["contacts"]
    yield module
    yield (*module, "centralContacts")
    yield (*module, "locations")
    yield ("resultsSection", "moreInfoModule", "pointOfContact")
    yield ("resultsSection", "moreInfoModule")


def at(record: Json, keys: tuple[str, ...]) -> Json:
    for key in keys:
        record = record[key]
    return record


def everything_in(change: Change) -> str:
    return repr(change) + orjson.dumps([change.old, change.new]).decode()


def test_there_are_contacts_to_be_looked_for() -> None:
    assert len(CONTACT_PATHS) >= 12
    assert orjson.dumps(with_canaries(full_record())).count(CANARY.encode()) > 30


def test_nothing_of_a_contact_leaves_a_comparison() -> None:
    for before, after in pairs():
        for one, other in ((before, after), (after, before)):
            changes = compare(one, other, table())

            assert changes
            assert [change for change in changes if CANARY in everything_in(change)] == []


def test_a_new_location_shows_how_many_contacts_it_has_and_no_more() -> None:
    site = {"facility": "Example Hospital", "contacts": [{"name": CANARY, "phone": CANARY}, {"name": CANARY}]}
    before, after = ({"protocolSection": {"contactsLocationsModule": {"locations": x}}} for x in ([], [site]))

    (change,) = compare(before, after, table())

    assert change.new == {"facility": "Example Hospital", "contacts": [{"name": None, "phone": None}, {"name": None}]}
    assert change.item == "Example Hospital"


def test_a_contact_that_changes_is_a_change_that_says_so_and_no_more() -> None:
    record = full_record()

    for path in CONTACT_PATHS:
        for change in compare(record, changed(record, path), table()):
            assert (change.old, change.new, change.item) == (None, None, None)
            assert change.sentence == change.headline == "Contacts changed"


def test_changes_of_contacts_are_told_apart_by_their_ids() -> None:
    record = full_record()
    path = "protocolSection.contactsLocationsModule.centralContacts[].phone"
    one, other = (with_canaries(record, mark=mark) for mark in ("one", "other"))

    phones = [c.id for after in (one, other) for c in compare(record, after, table()) if c.path == path]

    assert len(phones) == len(set(phones))


def test_officials_are_no_contacts() -> None:
    path = "protocolSection.contactsLocationsModule.overallOfficials[].affiliation"
    record = full_record()

    (change,) = compare(record, changed(record, path), table())

    assert change.old
    assert change.new
    assert change.item


@pytest.mark.parametrize(
    ("path", "leads_there"),
    [
        pytest.param("protocolSection.contactsLocationsModule.centralContacts[]", True, id="central contacts"),
        pytest.param("protocolSection.contactsLocationsModule.centralContacts", True, id="something in their place"),
        pytest.param("protocolSection.contactsLocationsModule.locations[].contacts[].name", True, id="a site's"),
        pytest.param("resultsSection.moreInfoModule.pointOfContact.email", True, id="the results' point of contact"),
        pytest.param("protocolSection.newModule.contacts[].name", True, id="contacts where none were before"),
        pytest.param("protocolSection.contactsLocationsModule.overallOfficials[].name", False, id="officials"),
        pytest.param("protocolSection.contactsLocationsModule.locations[].facility", False, id="the module's name"),
    ],
)
def test_a_path_leads_to_contacts(path: str, *, leads_there: bool) -> None:
    assert is_contact_path(path) is leads_there


def test_what_is_no_contact_is_shown_as_it_is() -> None:
    difference = Difference(path="a[]", item="x", how=How.ADDED, old=None, new={"name": "x", "list": [1, None]})

    assert without_contacts(difference) == difference
