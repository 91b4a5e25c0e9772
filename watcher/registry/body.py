"""Take an answer apart into records, and believe nothing that does not look as the contract says.

The registry writes a list with one study a line.  Where it does, a record's bytes are hashed as they came, and only
what differs from the stored version is parsed.  Where it does not, the whole body is parsed: slower, same result.

Does not fetch.
"""

import re
from dataclasses import dataclass

import orjson

from watcher.core.stamp import UnusualStampError, content_hash, cut_stamp
from watcher.errors import RegistryError
from watcher.model import Json, Reason, Record, Release

_HEAD = b'"studies":['
_START = re.compile(rb'\{"protocolSection":\{"identificationModule":\{"nctId":"(NCT[0-9]{8})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    records: tuple[Record, ...]
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
        RegistryError: NOT_JSON, when the body is cut off, HTML, or of another shape.
    """
    lines = body.split(b"\n")
    if len(lines) >= 3 and lines[0].endswith(_HEAD) and lines[-1].startswith(b"]"):  # head, studies, tail
        envelope = _object(lines[0] + lines[-1], "the list of studies")
        studies = [line.removesuffix(b",") for line in lines[1:-1]]
        if all(_looks_whole(study) for study in studies):
            return Page(records=tuple(map(_record_of_line, studies)), next_page_token=_token(envelope))
        if studies == [b""]:
            return Page(records=(), next_page_token=_token(envelope))
    envelope = _object(body, "the list of studies")
    listed = envelope.get("studies")
    if not isinstance(listed, list):
        raise RegistryError(Reason.NOT_JSON, "the list of studies has no studies", retry=True)
    return Page(records=tuple(map(record_of, listed)), next_page_token=_token(envelope))


def parse_study(body: bytes) -> Record:
    """Read the answer to ``GET /studies/{nctId}``."""
    study = body.strip()
    if _looks_whole(study):
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
        raise RegistryError(Reason.WRONG_RECORD, f"the record of {record.nct_id} calls itself {nct_id_of(study)}")


def record_of(study: Json) -> Record:
    """Make a record of a decoded study: what the slow path has, and what has an unusual stamp."""
    if not isinstance(study, dict):
        raise RegistryError(Reason.NOT_JSON, "a study in the list is not an object", retry=True)
    nct_id = nct_id_of(study)
    if not isinstance(nct_id, str):
        raise RegistryError(Reason.NO_RECORD, "a study in the list has no NCT ID", retry=True)
    misc = _below(study, "derivedSection", "miscInfoModule")
    stamp = _below(misc, "versionHolder")
    if stamp is not None:
        misc["versionHolder"] = ""
    body = orjson.dumps(study)
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
        return record_of(_object(line, "a study in the list"))
    try:
        body, stamp = cut_stamp(line)
    except UnusualStampError:
        return record_of(_object(line, "a study in the list"))
    return Record(nct_id=start[1].decode(), body=body, content_hash=content_hash(body), stamp=stamp)


def _looks_whole(study: bytes) -> bool:
    return study.startswith(b"{") and study.endswith(b"}")


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
