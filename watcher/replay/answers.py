"""What the registry answers to a request on a dataset day.  Pure: no clock, no randomness, no I/O.

Byte for byte as recorded from the API where the contract is known.  What the API documents and this replay does not
serve (searches, statistics, formats other than JSON) is refused in plain words with 501, never answered wrongly.

Source: the official OpenAPI document 2.0.3, and answers of the live service recorded in 2026 (API 2.0.5).
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from urllib.parse import unquote

import orjson

from watcher.replay.days import Day
from watcher.replay.fields import FieldTree, cut_down
from watcher.replay.parameters import (
    ListRequest,
    RequestRefused,
    SortItem,
    read_list_request,
    read_nct_id,
    read_no_parameters,
    read_single_study_request,
    write_page_token,
)

PREFIX = "/api/v2"

_JSON = "application/json"
_TEXT = "text/plain; charset=UTF-8"
_HTML = "text/html; charset=UTF-8"
_UNSERVED_PATHS = frozenset(
    {
        "/studies/metadata",
        "/studies/search-areas",
        "/studies/enums",
        "/stats/size",
        "/stats/field/values",
        "/stats/field/sizes",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(day: Day, target: str, headers: Mapping[str, str], *, method: str = "GET", call: int = 0) -> Answer:
    """Answer one request.

    Args:
        day: the registry as it stands.
        target: path and query below ``/api/v2``, as in the request line.
        headers: of the request; only Accept-Encoding and If-None-Match matter.
        method: of the request; the body of an answer to HEAD is for the transport to leave out.
        call: any number that differs between calls: where no order is promised, none is stable between calls.
    """
    try:
        plain = _answer_plainly(day, target, method=method, call=call)
    except RequestRefused as refusal:
        plain = text_answer(refusal.status, refusal.text)
    return _with_length(_negotiated(plain, day, headers))


def text_answer(status: int, text: str) -> Answer:
    """Return an error as the registry words errors: plain text, never JSON."""
    return Answer(status=status, headers={"Content-Type": _TEXT}, body=text.encode())


def html_answer(status: int, title: str) -> Answer:
    """Return a page as a web server or a proxy would: not the API speaks here."""
    page = f"<!doctype html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return _with_length(Answer(status=status, headers={"Content-Type": _HTML}, body=page.encode()))


def _answer_plainly(day: Day, target: str, *, method: str, call: int) -> Answer:
    if method == "OPTIONS":
        return Answer(status=403)  # the live service refuses CORS preflights
    if method not in {"GET", "HEAD"}:
        return text_answer(405, f"{method} is not allowed: the API is read with GET")
    path, _, query = target.partition("?")
    if path == "/version":
        read_no_parameters(query)
        return _json_answer(_version(day))
    if path == "/studies":
        return _json_answer(_list_of_studies(day, read_list_request(query), shuffle=f"{call} {query}"))
    if path in _UNSERVED_PATHS:
        raise RequestRefused(501, f"{path} is not served by this replay")
    if path.startswith("/studies/") and path.count("/") == 2 and not path.endswith("/"):
        return _single_study(day, unquote(path.removeprefix("/studies/")), query)
    return html_answer(404, "Not Found")


def _json_answer(body: bytes) -> Answer:
    return Answer(status=200, headers={"Content-Type": _JSON}, body=body)


def _version(day: Day) -> bytes:
    return json.dumps({"apiVersion": day.api_version, "dataTimestamp": day.data_timestamp}, indent=2).encode()


# --- GET /studies/{nctId} ---------------------------------------------------------------------------------------------


def _single_study(day: Day, text: str, query: str) -> Answer:
    nct_id = read_nct_id(text)
    if nct_id is None:
        raise RequestRefused(400, "Parameter `nctId` has incorrect format")
    fields = read_single_study_request(query)
    canonical = day.canonical(nct_id)
    if canonical is None:
        raise RequestRefused(404, f"NCT number {nct_id} not found")
    if canonical != nct_id:
        return Answer(status=301, headers={"Location": f"{PREFIX}/studies/{canonical}"})  # the query is dropped: seen
    return _json_answer(_study(day, nct_id, fields))


def _study(day: Day, nct_id: str, fields: FieldTree | None) -> bytes:
    record = day[nct_id]
    return record if fields is None else orjson.dumps(cut_down(orjson.loads(record), fields))


# --- GET /studies -----------------------------------------------------------------------------------------------------


def _list_of_studies(day: Day, asked: ListRequest, *, shuffle: str) -> bytes:
    found = _in_order(day, _found(day, asked.ids), asked.sort, shuffle=shuffle)
    end = asked.offset + asked.page_size
    studies = b",\n".join(_study(day, nct_id, asked.fields) for nct_id in found[asked.offset : end])
    total = f'"totalCount":{len(found)},' if asked.count_total else ""
    token = f',"nextPageToken":"{write_page_token(end)}"' if end < len(found) else ""
    return b"".join((b"{", total.encode(), b'"studies":[\n', studies, b"\n]", token.encode(), b"}"))


def _found(day: Day, ids: tuple[str, ...] | None) -> list[str]:
    if ids is None:
        return list(day)
    return list({canonical for nct_id in ids if (canonical := day.canonical(nct_id)) is not None})


def _in_order(day: Day, ids: list[str], sort: tuple[SortItem, ...], *, shuffle: str) -> list[str]:
    """Sort as asked, ties in a lasting order; without ``sort``, in one that differs by query and by call."""
    ordered = _shuffled(ids, seed="ties" if sort else shuffle)
    for item in reversed(sort):
        keyed = [(key, nct_id) for nct_id in ordered if (key := day.sort_key(nct_id, item.piece)) is not None]
        keyed.sort(key=lambda pair: pair[0], reverse=item.descending)
        placed = [nct_id for _, nct_id in keyed]
        have_key = set(placed)
        ordered = placed + [nct_id for nct_id in ordered if nct_id not in have_key]  # a missing field is always last
    return ordered


def _shuffled(ids: list[str], *, seed: str) -> list[str]:
    key = blake2b(seed.encode(), digest_size=16).digest()
    return sorted(ids, key=lambda nct_id: blake2b(nct_id.encode(), key=key, digest_size=8).digest())


# --- what depends on the headers of the request -----------------------------------------------------------------------


def _negotiated(plain: Answer, day: Day, headers: Mapping[str, str]) -> Answer:
    if plain.status != 200:
        return plain
    etag = f'"{day.data_timestamp}"'  # one for the whole dataset: it says "new dataset", never "this record changed"
    if etag in {tag.strip().removeprefix("W/") for tag in _header(headers, "If-None-Match").split(",")}:
        return Answer(status=304, headers={"ETag": etag})
    tagged = replace(plain, headers={**plain.headers, "ETag": etag})
    if not _takes_gzip(_header(headers, "Accept-Encoding")):
        return tagged
    packed = gzip.compress(tagged.body, compresslevel=1, mtime=0)
    return replace(tagged, headers={**tagged.headers, "Content-Encoding": "gzip"}, body=packed)


def _takes_gzip(accept_encoding: str) -> bool:
    for item in accept_encoding.lower().split(","):
        coding, _, weight = (part.strip() for part in item.partition(";"))
        if coding == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def _with_length(plain: Answer) -> Answer:
    if plain.status == 304:
        return plain
    return replace(plain, headers={**plain.headers, "Content-Length": str(len(plain.body))})
