"""Take an answer apart into records, and believe nothing that does not look as the contract says.

The registry writes a list with one study a line.  Where it does, a record's bytes are hashed as they came, and only
what differs from the stored version is parsed.  Where it does not, the whole body is parsed: slower, same result.

Does not fetch.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import orjson

from watcher.core.identifiers import NCT_ID
from watcher.core.stamp import DAY, UnusualStampError, content_hash, cut_stamp
from watcher.errors import RegistryError
from watcher.model import Json, Reason, Record, Release

_HEAD = b'"studies":['
_MOST_VALUES = (
    2_000_000  # in one text: two real batches of the largest size have as many; decoded, 64 bytes each or more
)
_MOST_UNUSABLE = 1_000  # studies of one page: more than are asked for
_LONGEST_VERSION = 40  # characters; the registry's has 19
_START = re.compile(rb'\{"protocolSection":\{"identificationModule":\{"nctId":"(NCT[0-9]{8})"')


def parse_release(body: bytes) -> Release:
    """Read the answer to ``GET /version``."""
    value = _object(body, "the registry's version")
    api_version, data_timestamp = value.get("apiVersion"), value.get("dataTimestamp")
    if not isinstance(api_version, str) or not isinstance(data_timestamp, str) or not data_timestamp:
        raise RegistryError(Reason.NOT_JSON, "the registry's version lacks apiVersion or dataTimestamp", retry=True)
    if max(len(api_version), len(data_timestamp)) > _LONGEST_VERSION:
        raise RegistryError(Reason.NOT_JSON, "the registry's version is no version: it is too long", retry=True)
    if not (api_version + data_timestamp).isprintable():
        detail = "the registry's version is no version: it holds control characters"
        raise RegistryError(Reason.NOT_JSON, detail, retry=True)
    return Release(api_version=api_version, data_timestamp=data_timestamp)


def parse_page(pieces: Iterable[bytes], take: Callable[[Record], None]) -> str | None:
    """Read the answer to ``GET /studies`` as it comes, and return the token of the next page.

    A page has megabytes, most of which is dropped at once, so that no more of it is held than the study that comes.  A
    study that cannot be told apart from others is left out: whoever asked for it finds it missing.

    Args:
        pieces: of the body.
        take: is called with each record; all are void when this raises.

    Raises:
        RegistryError: NOT_JSON, when the body is cut off, HTML, or of another shape; or there are studies, and none of
            them is usable, or many are not.
    """
    usable, unusable, failure = 0, 0, None
    studies = _Studies(pieces)
    for read in studies:
        try:
            record = read()
        except RegistryError as error:
            unusable, failure = unusable + 1, error
            if unusable > _MOST_UNUSABLE:
                raise
        else:
            usable += 1
            take(record)
    if failure and not usable:
        raise failure
    return studies.next_page_token


class _Studies:
    """The studies of a page that comes, each as the function that makes a record of it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._lines = _Lines(pieces)
        self.next_page_token: str | None = None  # known when the studies have been gone through

    def __iter__(self) -> Iterator[Callable[[], Record]]:
        head = next(self._lines)
        line = b""
        if head.endswith(_HEAD):
            for line in self._lines:
                study = line.removesuffix(b",")
                if not _looks_whole(study):
                    break
                yield partial(_record_of_line, study)
        # What is left is the end of the list, or written in another way than a study a line.
        envelope = _object(b"\n".join([head, line, self._lines.rest()]), "the list of studies")
        listed = envelope.get("studies")
        if not isinstance(listed, list):
            raise RegistryError(Reason.NOT_JSON, "the list of studies has no studies", retry=True)
        yield from (partial(record_of, study) for study in listed)
        token = envelope.get("nextPageToken")
        self.next_page_token = token if isinstance(token, str) and token else None


def parse_study(body: bytes) -> Record:
    """Read the answer to ``GET /studies/{nctId}``."""
    study = body.strip()
    if _looks_whole(study):
        return _record_of_line(study)
    return record_of(_object(body, "the study"))


def check_record(record: Record) -> str:
    """Check that a record's body is a study, and the one that it was taken for; return its overall status.

    Raises:
        RegistryError: NOT_JSON, NO_RECORD or WRONG_RECORD.
    """
    study = _object(record.body, "the study")
    for module, key in (("identificationModule", "nctId"), ("statusModule", "overallStatus")):
        if not isinstance(_below(study, "protocolSection", module, key), str):
            raise RegistryError(Reason.NO_RECORD, f"the study has no {module}.{key}", retry=True)
    if nct_id_of(study) != record.nct_id:
        raise RegistryError(Reason.WRONG_RECORD, f"the record of {record.nct_id} calls itself {nct_id_of(study)!r}")
    return str(study["protocolSection"]["statusModule"]["overallStatus"])


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
    named = stamp if isinstance(stamp, str) and DAY.fullmatch(stamp) else None
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


class _Lines(Iterator[bytes]):
    """The lines of a text that comes in pieces, at least one, without their ends; and what is left of it, as it is.

    Of millions of lines, none but the one that is asked for exists.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece: bytes | None = b""  # None: all lines were taken
        self._at = 0  # where in the piece the next line begins

    def __next__(self) -> bytes:
        begun: list[bytes] = []
        while self._piece is not None:
            end = self._piece.find(b"\n", self._at)
            if end >= 0:
                begun.append(self._piece[self._at : end])
                self._at = end + 1
                return b"".join(begun)
            begun.append(self._piece[self._at :])
            self._piece, self._at = next(self._pieces, None), 0
            if self._piece is None:
                return b"".join(begun)
        raise StopIteration

    def rest(self) -> bytes:
        """Return what was not taken as lines yet."""
        begun = b"" if self._piece is None else self._piece[self._at :]
        self._piece = None
        return b"".join([begun, *self._pieces])


def _looks_whole(study: bytes) -> bool:
    return study.startswith(b"{") and study.endswith(b"}")


def _object(body: bytes, what: str) -> dict[str, Json]:
    if len(body) > _MOST_VALUES and sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
        raise RegistryError(Reason.TOO_LARGE, f"{what} has more than {_MOST_VALUES:,} values")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        start = body[:40].decode("utf-8", "replace")
        detail = f"{what} is not JSON ({error}); it begins with {start!r}"
        raise RegistryError(Reason.NOT_JSON, detail, retry=True) from error
    if not isinstance(value, dict):
        raise RegistryError(Reason.NOT_JSON, f"{what} is not a JSON object", retry=True)
    _refuse_doubled_keys(body, value, what)
    return value


def _refuse_doubled_keys(body: bytes, value: Json, what: str) -> None:
    """Refuse a text in which an object gives a key twice: which of the two holds, nobody can say.

    The fast parser keeps the last one without a word.  What it writes is the text again, if that was compact, as the
    registry's records are, and gave each key once; only where it is not, the text is read a second time, slowly.
    """
    try:
        if orjson.dumps(value) == body:
            return
    except orjson.JSONEncodeError:  # nested deeper than it writes
        pass
    try:
        json.loads(body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise RegistryError(Reason.NOT_JSON, f"{what} cannot be believed: {error}", retry=True) from error


def _once_each(pairs: list[tuple[str, Json]]) -> Json:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} comes twice in one object")
        found[key] = value
    return found
