"""A folder of recorded dataset days, and the registry as it stood on each of them.

``DIR/YYYY-MM-DD.jsonl`` or ``.jsonl.gz`` holds the records that are new or different on that day, one a line.  The
registry on day D is the last version of each record up to D, with ``derivedSection.miscInfoModule.versionHolder`` set
to D.  A line ``{"removed": "NCT…"}`` takes a record out from that day on.  An ID that some record lists in its
``nctIdAliases`` is an obsolete name of that record from then on, even where an older record had that ID.

Does not answer requests, and keeps no copy of a record for each day: the stamp is put in when a record is read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

API_VERSION = "2.0.5"

Json = Any  # a decoded record: untyped on purpose, as fields come and go with API releases

_NCT_ID = re.compile(r"NCT[0-9]{8}")
_STAMP = re.compile(rb'"versionHolder":"([0-9]{4}-[0-9]{2}-[0-9]{2})"')
_STAMP_LENGTH = len("yyyy-MM-dd")
_PLACE_FOR_STAMP = "@@stamped@"  # as long as a stamp, and never one

_STATUS = ("protocolSection", "statusModule")
_SORT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "StatusVerifiedDate": (*_STATUS, "statusVerifiedDate"),
    "StartDate": (*_STATUS, "startDateStruct", "date"),
    "PrimaryCompletionDate": (*_STATUS, "primaryCompletionDateStruct", "date"),
    "CompletionDate": (*_STATUS, "completionDateStruct", "date"),
    "StudyFirstSubmitDate": (*_STATUS, "studyFirstSubmitDate"),
    "StudyFirstPostDate": (*_STATUS, "studyFirstPostDateStruct", "date"),
    "ResultsFirstSubmitDate": (*_STATUS, "resultsFirstSubmitDate"),
    "ResultsFirstPostDate": (*_STATUS, "resultsFirstPostDateStruct", "date"),
    "LastUpdateSubmitDate": (*_STATUS, "lastUpdateSubmitDate"),
    "LastUpdatePostDate": (*_STATUS, "lastUpdatePostDateStruct", "date"),
    "EnrollmentCount": ("protocolSection", "designModule", "enrollmentInfo", "count"),
}
SORTABLE_PIECES = frozenset(_SORT_FIELDS)


class DatasetError(ValueError):
    """A folder of dataset days, or a day asked of it, that cannot be used; the text says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One record as one dataset day gave it."""

    nct_id: str
    aliases: tuple[str, ...]  # obsolete IDs that this record answers for
    body: bytes  # compact JSON on one line, with any stamp
    stamp_at: int  # where in ``body`` the ten characters of the stamp begin
    sort_keys: Mapping[str, str | float]  # by piece name; a field that the record lacks is not in it

    def stamped(self, day: str) -> bytes:
        """Return the record as the registry serves it on that day."""
        return b"".join((self.body[: self.stamp_at], day.encode(), self.body[self.stamp_at + _STAMP_LENGTH :]))


class Day(Mapping[str, bytes]):
    """The registry as it stood on one dataset day: NCT ID → record, compact JSON on one line.  Immutable."""

    __slots__ = ("_aliases", "_versions", "date")

    def __init__(self, date: str, versions: Mapping[str, Version]) -> None:
        aliases = {alias: v.nct_id for v in versions.values() for alias in v.aliases if alias != v.nct_id}
        self.date = date  # "yyyy-MM-dd"
        self._aliases = aliases
        self._versions = {nct_id: v for nct_id, v in versions.items() if nct_id not in aliases}

    @property
    def api_version(self) -> str:
        return API_VERSION

    @property
    def data_timestamp(self) -> str:
        """UTC, in the form of ``GET /version``."""
        return f"{self.date}T09:00:04"

    def __getitem__(self, nct_id: str) -> bytes:
        return self._versions[nct_id].stamped(self.date)

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)

    def __contains__(self, nct_id: object) -> bool:
        return nct_id in self._versions  # Mapping's own would put in the stamp first

    def canonical(self, nct_id: str) -> str | None:
        """Return the ID under which the record is served: another one for an alias, None for an unknown ID."""
        if nct_id in self._versions:
            return nct_id
        target = self._aliases.get(nct_id)
        return target if target in self._versions else None

    def sort_key(self, nct_id: str, piece: str) -> str | float | None:
        """Return a record's value of one of ``SORTABLE_PIECES``; None = the record lacks the field."""
        return self._versions[nct_id].sort_keys.get(piece)

    def without(self, nct_id: str) -> "Day":
        """Return the same day as if that record, or the record of that alias, did not exist."""
        hidden = self.canonical(nct_id)
        return Day(self.date, {key: version for key, version in self._versions.items() if key != hidden})


class Dataset:
    """Dataset days in order; each holds what is new, different (a version) or gone (None) on that day."""

    def __init__(self, changes: Mapping[str, Mapping[str, Version | None]]) -> None:
        if not changes:
            raise DatasetError("a dataset needs at least one day, and there is none")
        self._changes = dict(sorted(changes.items()))

    @classmethod
    def of(cls, days: Mapping[str, Iterable[Json]]) -> Self:
        """Build a dataset from decoded lines (records, or ``{"removed": …}``) by day, without any file."""
        lines = {day: (orjson.dumps(record) for record in records) for day, records in days.items()}
        return cls(read_days(lines, names=dict(zip(lines, lines, strict=True))))

    @property
    def days(self) -> tuple[str, ...]:
        return tuple(self._changes)

    def on(self, day: str) -> Day:
        """Return the registry as it stood on one of ``days``.

        Raises:
            DatasetError: there is no dataset of that day.
        """
        if day not in self._changes:
            known = self.days
            raise DatasetError(f"no dataset of {day!r} here; there are {len(known)}, from {known[0]} to {known[-1]}")
        versions: dict[str, Version | None] = {}
        for date, changes in self._changes.items():
            if date > day:
                break
            versions.update(changes)
        return Day(day, {nct_id: version for nct_id, version in versions.items() if version is not None})


def read_days(days: Mapping[str, Iterable[bytes]], *, names: Mapping[str, str]) -> dict[str, dict[str, Version | None]]:
    """Read the lines of each day, checking that a record is only removed where there is one.

    Args:
        days: lines by day, "yyyy-MM-dd"; read in the order of the days.
        names: what to call each day's lines in an error, usually a file name.

    Raises:
        DatasetError: a line is neither a record nor a removal; names the file and the line, counted from 1.
    """
    present: set[str] = set()
    changes: dict[str, dict[str, Version | None]] = {}
    for day in sorted(days):
        changes[day] = {}
        for number, line in enumerate(days[day], start=1):
            if not line.strip():
                continue
            try:
                nct_id, version = _read_line(line.strip())
                if version is None and nct_id not in present:
                    raise DatasetError(f'"removed" names {nct_id}, which is not in the registry by then')
            except ValueError as error:
                raise DatasetError(f"{names[day]}, line {number}: {error}") from error
            (present.discard if version is None else present.add)(nct_id)
            changes[day][nct_id] = version
    return changes


def _read_line(line: bytes) -> tuple[str, Version | None]:
    try:
        decoded = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DatasetError(f"not JSON ({error}); each line is one record as compact JSON") from error
    if not isinstance(decoded, dict):
        raise DatasetError('neither a record nor {"removed": "NCT…"}, but another kind of JSON')
    if "removed" in decoded:
        return _checked_id(decoded["removed"], '"removed"'), None
    identification = ("protocolSection", "identificationModule")
    nct_id = _checked_id(_value_at(decoded, (*identification, "nctId")), "protocolSection.identificationModule.nctId")
    aliases = _value_at(decoded, (*identification, "nctIdAliases")) or []
    body, stamp_at = _stampable(line, decoded)
    return nct_id, Version(
        nct_id=nct_id,
        aliases=tuple(_checked_id(alias, "nctIdAliases") for alias in aliases),
        body=body,
        stamp_at=stamp_at,
        sort_keys={
            piece: value
            for piece, path in _SORT_FIELDS.items()
            if isinstance(value := _value_at(decoded, path), str | int | float)
        },
    )


def _checked_id(value: Json, where: str) -> str:
    if not isinstance(value, str) or _NCT_ID.fullmatch(value) is None:
        raise DatasetError(f"{where} is {value!r}; it has to be NCT and eight digits")
    return value


def _stampable(line: bytes, record: dict[str, Json]) -> tuple[bytes, int]:
    """Return the record's bytes and where its stamp begins, making a place for the stamp where there is none."""
    stamps = list(_STAMP.finditer(line))
    if len(stamps) == 1:
        return line, stamps[0].start(1)
    holder = record
    for key in ("derivedSection", "miscInfoModule"):
        holder = holder.setdefault(key, {})
        if not isinstance(holder, dict):
            raise DatasetError(f"{key} is no JSON object, so there is no place for the day's stamp")
    holder["versionHolder"] = _PLACE_FOR_STAMP
    body = orjson.dumps(record)
    return body, body.index(f'"versionHolder":"{_PLACE_FOR_STAMP}"'.encode()) + len('"versionHolder":"')


def _value_at(record: Json, path: tuple[str, ...]) -> Json:
    for key in path:
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record
