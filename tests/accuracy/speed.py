"""What comparing costs beside DeepDiff(ignore_order=True) on the same whole records, in one run.

The records are the largest ones of the corpus; without one, large ones are made up from the demo's trials.  Decoding is
not counted.  Costs are CPU seconds: ours the median of several runs, DeepDiff's of one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import orjson
from deepdiff import DeepDiff

from tests.bench.costs import cost_of
from watcher.core.differences import differences
from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.model import Json

SITES = 437  # of the record whose sites change
CHANGED_SITES = 30
_REPETITIONS = 5
_LARGE = 800_000  # bytes that a made-up record has at least
_STATUSES = ("RECRUITING", "WITHDRAWN")
_POSTED = ("resultsSection", "documentSection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One comparison, by both."""

    name: str
    size: int  # bytes of the later record
    changes: int  # that we find
    ours: float  # CPU seconds
    bare: float  # of finding the differences, without their meaning
    whole: float  # DeepDiff's
    goal: int  # how many times faster ours should be

    @property
    def times(self) -> float:
        return self.whole / self.ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Longest:
    """The slowest of many comparisons."""

    name: str
    comparisons: int
    seconds: float  # CPU


def races(records: Sequence[bytes], table: FieldTable) -> list[Race]:
    """Run the three comparisons that there are goals for.

    Args:
        records: any whole records; what they lack is made up.
        table: the field table.
    """
    compare({"hasResults": False}, {"hasResults": True}, table)  # the imports
    DeepDiff({"a": [1]}, {"a": [2]}, ignore_order=True)
    large = with_sites(_large(records))
    posted = with_results(large)
    return [
        _race("identical", large, orjson.loads(orjson.dumps(large)), table, goal=100),
        _race(f"{SITES} sites, {CHANGED_SITES} changed", large, with_changed_sites(large), table, goal=100),
        _race("results posted", before_results(posted), posted, table, goal=20),
    ]


def longest_steps(steps: Iterable[tuple[Json, Json]], table: FieldTable) -> Longest:
    """Compare successive versions of records."""
    return _longest("successive versions", [_seconds(*step, table) for step in steps])


def longest_unchanged(records: Sequence[bytes], table: FieldTable) -> Longest:
    """Compare every record with itself, decoded anew."""
    found = [_seconds(orjson.loads(record), orjson.loads(record), table) for record in records]
    return _longest("every record with itself", found)


def longest_postings(records: Sequence[bytes], table: FieldTable) -> Longest:
    """Compare every record that has results with itself before they were posted."""
    posted = [record for line in records if (record := orjson.loads(line)).get("hasResults")]
    found = [_seconds(before_results(record), record, table) for record in posted]
    return _longest("every record with results, as they are posted", found)


# --- the records ------------------------------------------------------------------------------------------------------


def before_results(record: Json) -> Json:
    """Return a record as it was before its results and documents were posted."""
    copy = orjson.loads(orjson.dumps(record))
    for section in _POSTED:
        copy.pop(section, None)
    for key in [key for key in copy["protocolSection"]["statusModule"] if key.startswith("resultsFirst")]:
        del copy["protocolSection"]["statusModule"][key]
    return {**copy, "hasResults": False}


def with_sites(record: Json) -> Json:
    """Return a copy with just as many sites as are asked for."""
    copy = orjson.loads(orjson.dumps(record))
    module = copy["protocolSection"].setdefault("contactsLocationsModule", {})
    sites = module.get("locations", [])[:SITES]
    module["locations"] = [*sites, *map(_site, range(len(sites), SITES))]
    return copy


def with_changed_sites(record: Json) -> Json:
    """Return a copy in which some sites, from first to last, have another status."""
    copy = orjson.loads(orjson.dumps(record))
    sites = copy["protocolSection"]["contactsLocationsModule"]["locations"]
    for number in range(CHANGED_SITES):
        site = sites[number * len(sites) // CHANGED_SITES]
        site["status"] = next(status for status in _STATUSES if status != site.get("status"))
    return copy


def with_results(record: Json) -> Json:
    """Return a copy that has results; made-up ones where it has none of some size."""
    copy = orjson.loads(orjson.dumps(record))
    if len(orjson.dumps(copy.get("resultsSection", {}))) < _LARGE // 4:
        groups = [{"id": f"EG{number:03}", "title": f"Group {number}"} for number in range(6)]
        events = [_event(number, groups) for number in range(_LARGE // 320)]
        copy["resultsSection"] = {"adverseEventsModule": {"eventGroups": groups, "seriousEvents": events}}
    return {**copy, "hasResults": True}


def _large(records: Sequence[bytes]) -> Json:
    """Return the record whose size is nearest to the one asked for, made large if none is near."""
    record = min(records, key=lambda line: abs(len(line) - _LARGE))
    return orjson.loads(record) if len(record) > _LARGE // 2 else with_results(with_sites(orjson.loads(record)))


def _site(number: int) -> Json:
    place = {"city": f"Example City {number % 90}", "zip": f"{number:05}", "country": "Norway"}
    point = {"lat": number / 7, "lon": number / 9}
    return {"facility": f"Example Hospital {number}", "status": "RECRUITING", **place, "geoPoint": point}


def _event(number: int, groups: Sequence[dict[str, str]]) -> Json:
    stats = [{"groupId": one["id"], "numAffected": number % 5, "numAtRisk": 90} for one in groups]
    return {"term": f"Event {number}", "organSystem": f"System {number % 20}", "stats": stats}


# --- measuring --------------------------------------------------------------------------------------------------------


def _race(name: str, before: Json, after: Json, table: FieldTable, *, goal: int) -> Race:
    return Race(
        name=name,
        size=len(orjson.dumps(after)),
        changes=len(compare(before, after, table)),
        ours=_seconds(before, after, table),
        bare=median(_cpu(lambda: differences(before, after, table)) for _ in range(_REPETITIONS)),
        whole=_cpu(lambda: DeepDiff(before, after, ignore_order=True)),
        goal=goal,
    )


def _seconds(before: Json, after: Json, table: FieldTable) -> float:
    return median(_cpu(lambda: compare(before, after, table)) for _ in range(_REPETITIONS))


def _cpu(act: Callable[[], object]) -> float:
    return cost_of(act)[1].cpu


def _longest(name: str, found: Sequence[float]) -> Longest:
    return Longest(name=name, comparisons=len(found), seconds=max(found, default=0.0))
