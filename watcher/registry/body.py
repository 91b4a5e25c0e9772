"""Take an answer apart into records, and believe nothing that does not look as the contract says.

The registry writes a list with one study a line.  Where it does, a record's bytes are hashed as they came, and only
what differs from the stored version is parsed.  Where it does not, the whole body is parsed: slower, same result.

Does not fetch.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import orjson

from watcher.core.identifiers import NCT_ID
from watcher.core.stamp import UnusualStampError, content_hash, cut_stamp
from watcher.errors import RegistryError
from watcher.model import Json, Reason, Record, Release

Study = TypeVar("Study")  # as bytes, or decoded
_HEAD = b'"studies":['
_START = re.compile(rb'\{"protocolSection":\{"identificationModule":\{"nctId":"(NCT[0-9]{8})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    records: Iterator[Record]  # made as they are taken: a page has megabytes, and most of it is dropped at once
    next_page_token: str | None


def parse_release(body: bytes) -> Release:
    """Read the answer to ``GET /version``."""
    value = _object(body, "the registry's version")
    api_version, data_timestamp = value.get("apiVersion"), value.get("dataTimestamp")
    if not isinstance(api_version, str) or not isinstance(data_timestamp, str) or not data_timestamp:
        raise RegistryError(Reason.NOT_JSON, "the registry's version lacks apiVersion or dataTimestamp", retry=True)
    return Release(api_version=api_version, data_timestamp=data_timestamp)


def parse_page(body: bytes) -> Page:
    """Read the answer to ``GET /studies``.

    Raises:
        RegistryError: NOT_JSON, when the body is cut off, HTML, or of another shape.  When the records are taken: if
            there are studies and none of them is usable.
    """
    first, last = body.find(b"\n"), body.rfind(b"\n")
    head, tail = body[: max(first, 0)], body[last + 1 :]
    if first < last and head.endswith(_HEAD) and tail.startswith(b"]"):
        envelope = _object(head + tail, "the list of studies")
        lines = list(_lines(body, first + 1, last))
        if all(_looks_whole(body, *line) for line in lines):
            studies = (body[start:end] for start, end in lines)
            return Page(records=_usable(studies, _record_of_line), next_page_token=_token(envelope))
        if lines == [(last, last)]:
            return Page(records=iter(()), next_page_token=_token(envelope))
    envelope = _object(body, "the list of studies")
    listed = envelope.get("studies")
    if not isinstance(listed, list):
        raise RegistryError(Reason.NOT_JSON, "the list of studies has no studies", retry=True)
    return Page(records=_usable(listed, record_of), next_page_token=_token(envelope))


def _usable(studies: Iterable[Study], read: Callable[[Study], Record]) -> Iterator[Record]:
    """Leave out a study that cannot be told apart from others: whoever asked for it finds it missing."""
    usable, failure = 0, None
    for study in studies:
        try:
            record = read(study)
        except RegistryError as error:
            failure = error
        else:
            usable += 1
            yield record
    if failure and not usable:
        raise failure


def parse_study(body: bytes) -> Record:
    """Read the answer to ``GET /studies/{nctId}``."""
    study = body.strip()
    if _looks_whole(study, 0, len(study)):
        return _record_of_line(study)
    return record_of(_object(body, "the study"))


def check_record(record: Record) -> None:
    """Check that a record's body is a study, and the one that it was taken for.

    Raises:
        RegistryError: NOT_JSON, NO_RECORD or WRONG_RECORD.
    """
    study = _object(record.body, "the study")
    for module, key in (("identificationModule", "nctId"), ("statusModule", "overallStatus")):
        if not isinstance(_below(study, "protocolSection", module, key), str):
            raise RegistryError(Reason.NO_RECORD, f"the study has no {module}.{key}", retry=True)
    if nct_id_of(study) != record.nct_id:
        raise RegistryError(Reason.WRONG_RECORD, f"the record of {record.nct_id} calls itself {nct_id_of(study)!r}")


def record_of(study: Json) -> Record:
    """Make a record of a decoded study: what the slow path has, and what has an unusual stamp.

    Raises:
        RegistryError: NOT_JSON or NO_RECORD.
    """
    if not isinstance(study, dict):
        raise RegistryError(Reason.NOT_JSON, "a study is not an object", retry=True)
    nct_id = nct_id_of(study)
    if not isinstance(nct_id, str) or not NCT_ID.fullmatch(nct_id):
        raise RegistryError(Reason.NO_RECORD, "a study has no NCT ID", retry=True)
    misc = _below(study, "derivedSection", "miscInfoModule")
    stamp = _below(misc, "versionHolder")
    if stamp is not None:
        misc["versionHolder"] = ""
    try:
        body = orjson.dumps(study)
    except orjson.JSONEncodeError as error:
        raise RegistryError(Reason.NO_RECORD, f"{nct_id} is nested too deep for a study") from error
    named = stamp if isinstance(stamp, str) else None
    return Record(nct_id=nct_id, body=body, content_hash=content_hash(body), stamp=named)


def nct_id_of(study: Json) -> Json:
    """Return what a decoded study calls itself."""
    return _below(study, "protocolSection", "identificationModule", "nctId")


def aliases_of(body: bytes) -> tuple[str, ...]:
    """Return the obsolete IDs that a record answers to; none when it cannot be read."""
    try:
        study = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    found = _below(study, "protocolSection", "identificationModule", "nctIdAliases")
    return tuple(alias for alias in found if isinstance(alias, str)) if isinstance(found, list) else ()


def _below(value: Json, *keys: str) -> Json:
    """Return what stands below the keys; None where something else than objects leads there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _record_of_line(line: bytes) -> Record:
    start = _START.match(line)
    if start is None:
        return record_of(_object(line, "a study"))
    try:
        body, stamp = cut_stamp(line)
    except UnusualStampError:
        return record_of(_object(line, "a study"))
    return Record(nct_id=start[1].decode(), body=body, content_hash=content_hash(body), stamp=stamp)


def _lines(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where each line of a part of the body begins and ends, without the comma at its end."""
    while start <= end:
        newline = body.find(b"\n", start, end)
        stop = newline if newline >= 0 else end
        yield start, stop - body.endswith(b",", start, stop)
        start = stop + 1


def _looks_whole(body: bytes, start: int, end: int) -> bool:
    return body.startswith(b"{", start, end) and body.endswith(b"}", start, end)


def _token(envelope: dict[str, Json]) -> str | None:
    token = envelope.get("nextPageToken")
    return token if isinstance(token, str) and token else None


def _object(body: bytes, what: str) -> dict[str, Json]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        start = body[:40].decode("utf-8", "replace")
        detail = f"{what} is not JSON ({error}); it begins with {start!r}"
        raise RegistryError(Reason.NOT_JSON, detail, retry=True) from error
    if not isinstance(value, dict):
        raise RegistryError(Reason.NOT_JSON, f"{what} is not a JSON object", retry=True)
    return value
