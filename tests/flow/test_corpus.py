"""Real versions of real records: nothing is missed, nothing is made up, and sites are counted by what they are.

Reads the folder of recorded dataset days that ``TRIALWATCH_CORPUS`` names; none of its values stands here.  The
comparisons that the results are held against are written anew, in the plainest way.
"""

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest

from tests.accuracy.plain import lines_by_position, lines_of_lists, lines_of_pairs
from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.model import Change, Json
from watcher.registry.body import parse_study, record_of
from watcher.tables import load_rules

REPOSITORY = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("TRIALWATCH_CORPUS") or REPOSITORY.parent / "shared" / "corpus")
STAMP = "derivedSection.miscInfoModule.versionHolder"
SITES = "protocolSection.contactsLocationsModule.locations[]"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(
        not (CORPUS / "days").is_dir(),
        reason=f"no recorded dataset days in {CORPUS}; name a folder that has them in TRIALWATCH_CORPUS",
    ),
]


@cache
def versions() -> tuple[tuple[str, bytes], ...]:
    """Return every version of every record, by ID and in the order of the days."""
    days = [gzip.decompress(day.read_bytes()) for day in sorted((CORPUS / "days").glob("*.jsonl.gz"))]
    return tuple((nct_id_of(orjson.loads(line)), line) for day in days for line in day.splitlines())


def steps() -> Iterator[tuple[Json, Json]]:
    """Yield the records before and after each step, decoded anew."""
    last: dict[str, bytes] = {}
    for nct_id, line in versions():
        if nct_id in last:
            yield orjson.loads(last[nct_id]), orjson.loads(line)
        last[nct_id] = line


def nct_id_of(record: Json) -> str:
    return str(record["protocolSection"]["identificationModule"]["nctId"])


def changes(before: Json, after: Json) -> tuple[Change, ...]:
    return compare(before, after, table())


@cache
def table() -> FieldTable:
    return FieldTable(load_rules())


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield every value of a record, packed, with its path; what is empty is a value too."""
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from leaves(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for below in value:
            yield from leaves(below, f"{path}[]")
    else:
        yield path, orjson.dumps(value)


def restamped(record: Json, day: str) -> Json:
    copy = orjson.loads(orjson.dumps(record))
    copy["derivedSection"]["miscInfoModule"]["versionHolder"] = day
    return copy


def turned(value: Json) -> Json:
    """Return the same record with all its lists and keys the other way round."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in reversed(value)] if isinstance(value, list) else value


def test_there_are_steps_to_look_at() -> None:
    assert len(list(steps())) > 20


def test_every_value_that_came_or_went_is_in_a_change() -> None:
    for before, after in steps():
        old, new = Counter(leaves(before)), Counter(leaves(after))
        paths = {path for path, _ in (old - new) + (new - old)} - {STAMP}
        told = {change.path for change in changes(before, after)}

        missed = {path for path in paths if not any(covers(each, path) for each in told)}
        assert missed == set(), nct_id_of(after)


def covers(told: str, path: str) -> bool:
    """Tell whether a change at one path may tell what happened at another: at the same, or within an item."""
    return told == path or (told.endswith("[]") and path.startswith((f"{told}.", f"{told}[")))


def test_a_change_gives_the_values_that_stand_in_the_records() -> None:
    for before, after in steps():
        old, new = set(leaves(before)), set(leaves(after))

        for change in changes(before, after):
            assert orjson.dumps(change.old) != orjson.dumps(change.new) or change.category == "contacts"
            for value, standing in ((change.old, old), (change.new, new)):
                if value is not None and not change.path.endswith("[]"):
                    assert (change.path, orjson.dumps(value)) in standing


def test_a_record_of_another_day_and_in_another_order_has_not_changed() -> None:
    for _, line in versions()[::3]:
        record = orjson.loads(line)

        assert changes(record, restamped(turned(record), "2031-01-01")) == ()


def test_the_names_of_changes_are_the_same_again_and_in_any_order() -> None:
    for before, after in steps():
        once = changes(before, after)

        assert once == changes(orjson.loads(orjson.dumps(before)), after)
        assert len({change.id for change in once}) == len(once)
        again = changes(turned(before), turned(after))
        assert {change.id: change.story for change in again} == {change.id: change.story for change in once}


def test_no_field_of_a_real_record_is_unclassified() -> None:
    paths = {
        path for _, line in versions() for path, value in leaves(orjson.loads(line)) if value not in {b"{}", b"[]"}
    }

    assert {path for path in paths if table().rule(path).category == "unclassified"} == set()


def test_a_real_record_is_the_same_read_as_bytes_and_parsed() -> None:
    for _, line in versions():
        assert parse_study(line) == record_of(orjson.loads(line))


# --- sites ------------------------------------------------------------------------------------------------------------


def sites_of(record: Json) -> list[Json]:
    module: Json = record["protocolSection"].get("contactsLocationsModule", {})
    return list(module.get("locations", []))


def test_sites_are_compared_by_what_they_are() -> None:
    keyed, positional = 0, 0
    for before, after in steps():
        olds, news = sites_of(before), sites_of(after)
        lines = [change for change in changes(before, after) if change.path.startswith(SITES)]

        by_key = lines_of_lists(olds, news, "locations")
        items = sum(change.path == SITES for change in lines)
        keyed_items = by_key - lines_of_pairs(olds, news, "locations")
        assert items <= keyed_items, nct_id_of(after)
        if items == keyed_items:  # no site is called or spelled otherwise than before
            assert len(lines) == by_key, nct_id_of(after)
        keyed += by_key
        positional += lines_by_position(olds, news)
    assert 0 < keyed < positional / 3
