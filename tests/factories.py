"""Records for tests, small and made up, and dataset days made of them.

Does not cover every field of a record: what a test is about goes into ``extra``, merged into the rest.
"""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

Json = Any


def study(
    nct_id: str,
    *,
    status: str = "RECRUITING",
    title: str = "Example Drug in Example Disease",
    updated: str = "2026-02-20",  # when the last update was submitted and posted
    start: str = "2026-01",  # a month or a day
    completion: str = "2027-06-30",  # primary and study completion
    enrollment: int | None = 40,  # None = not given
    locations: Sequence[Json] = (),  # as in ``contactsLocationsModule``; none = no such module
    aliases: Sequence[str] = (),  # obsolete IDs of the record
    has_results: bool = False,  # only the flag; put the results into ``extra``
    stamp: str | None = "2026-03-02",  # the dataset day in the record; None = the record carries none
    extra: Mapping[str, Json] | None = None,  # merged in, object by object; others replace; None removes the key
) -> dict[str, Json]:
    """Return a record as the registry serves it."""
    protocol: Json = {
        "identificationModule": _identification_module(nct_id, title, aliases=aliases),
        "statusModule": _status_module(status, updated=updated, start=start, completion=completion),
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Example Institute", "class": "OTHER"}},
        "descriptionModule": {"briefSummary": "A study that was made up for a test."},
        "conditionsModule": {"conditions": ["Example Disease"]},
        "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE2"]},
        "eligibilityModule": {"sex": "ALL", "minimumAge": "18 Years", "stdAges": ["ADULT", "OLDER_ADULT"]},
    }
    if enrollment is not None:
        protocol["designModule"]["enrollmentInfo"] = {"count": enrollment, "type": "ESTIMATED"}
    if locations:
        protocol["contactsLocationsModule"] = {"locations": list(locations)}
    record: dict[str, Json] = {"protocolSection": protocol}
    if stamp is not None:
        record["derivedSection"] = {"miscInfoModule": {"versionHolder": stamp}}
    record["hasResults"] = has_results
    _merge(record, extra or {})
    return record


def write_days(folder: Path, days: Mapping[str, Iterable[Json]], *, packed: bool = True) -> Path:
    """Write dataset days, ``{"2026-03-02": [study(…), {"removed": "NCT…"}]}``, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for day, records in days.items():
        lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
        if packed:
            (folder / f"{day}.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
        else:
            (folder / f"{day}.jsonl").write_bytes(lines)
    return folder


def _identification_module(nct_id: str, title: str, *, aliases: Sequence[str]) -> Json:
    return {
        "nctId": nct_id,
        **({"nctIdAliases": list(aliases)} if aliases else {}),
        "orgStudyIdInfo": {"id": f"EX-{nct_id[-4:]}"},
        "organization": {"fullName": "Example Institute", "class": "OTHER"},
        "briefTitle": title,
    }


def _status_module(status: str, *, updated: str, start: str, completion: str) -> Json:
    return {
        "statusVerifiedDate": updated[:7],
        "overallStatus": status,
        "expandedAccessInfo": {"hasExpandedAccess": False},
        "startDateStruct": {"date": start, "type": "ACTUAL"},
        "primaryCompletionDateStruct": {"date": completion, "type": "ESTIMATED"},
        "completionDateStruct": {"date": completion, "type": "ESTIMATED"},
        "studyFirstSubmitDate": "2025-12-01",
        "studyFirstSubmitQcDate": "2025-12-01",
        "studyFirstPostDateStruct": {"date": "2025-12-10", "type": "ACTUAL"},
        "lastUpdateSubmitDate": updated,
        "lastUpdatePostDateStruct": {"date": updated, "type": "ACTUAL"},
    }


def _merge(record: dict[str, Json], extra: Mapping[str, Json]) -> None:
    for key, value in extra.items():
        if value is None:
            record.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(record.get(key), dict):
            _merge(record[key], value)
        else:
            record[key] = value
