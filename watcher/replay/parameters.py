"""The query parameters of the API: reading, checking, and the exact texts of the refusals.

Does not look at any record.  Texts marked "seen" were recorded from the live service in 2026; the others follow their
pattern.  A parameter that the API documents and this replay does not serve is refused with 501, never ignored.

Source: the official OpenAPI document 2.0.3 and recorded error answers, read 2026-11-22.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Set
from dataclasses import dataclass
from urllib.parse import parse_qsl

from watcher.replay.days import SORTABLE_PIECES
from watcher.replay.fields import Field, FieldTree, known_fields, tree_of

SINGLE_STUDY_PARAMETERS = frozenset({"format", "markupFormat", "fields"})
LIST_PARAMETERS = SINGLE_STUDY_PARAMETERS | {"filter.ids", "sort", "countTotal", "pageSize", "pageToken"}
_UNSERVED_LIST_PARAMETERS = frozenset(
    {f"query.{area}" for area in ("cond", "term", "locn", "titles", "intr", "outc", "spons", "lead", "id", "patient")}
    | {
        f"{kind}.{name}"
        for kind in ("filter", "postFilter")
        for name in ("overallStatus", "geo", "advanced", "synonyms")
    }
    | {"postFilter.ids", "aggFilters", "geoDecay"}
)
_FORMATS = frozenset({"csv", "json", "json.zip", "fhir.json", "ris"})
_MARKUP_FORMATS = frozenset({"markdown", "legacy"})
_DEFAULT_PAGE_SIZE = 10
_LARGEST_PAGE_SIZE = 1000  # a larger one is silently cut to this
_LARGEST_INT32 = 2**31 - 1

_NCT_ID = re.compile(r"[Nn][Cc][Tt]0*([1-9][0-9]{0,7})")
_SORT_ITEM = re.compile(r"(?P<name>[a-zA-Z][a-zA-Z0-9\-. ]*|@relevance)(:(?P<direction>asc|desc))?")
_FIELD_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9\-. ]*|@query")


class RequestRefused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: the HTTP status.
        text: the body, as the registry words it.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class SortItem:
    piece: str
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What ``GET /studies`` was asked for."""

    ids: tuple[str, ...] | None  # NCT IDs and aliases, normalised; None = the whole registry
    fields: FieldTree | None  # None = whole records
    sort: tuple[SortItem, ...]  # most significant first; empty = no order is promised
    count_total: bool
    page_size: int  # 1 to 1000
    offset: int  # how many studies the pages before this one held


def read_list_request(query: str) -> ListRequest:
    """Read the query string of ``GET /studies``."""
    given = _parameters(query, LIST_PARAMETERS, unserved=_UNSERVED_LIST_PARAMETERS)
    ids = given.get("filter.ids")
    token = given.get("pageToken")
    return ListRequest(
        ids=None if ids is None else _read_ids(ids),
        fields=_read_fields(given),
        sort=_read_sort(given.get("sort", "")),
        count_total=_read_boolean(given, "countTotal") and token is None,
        page_size=_read_page_size(given.get("pageSize", "0")),
        offset=0 if token is None else _read_page_token(token),
    )


def read_single_study_request(query: str) -> FieldTree | None:
    """Read the query string of ``GET /studies/{nctId}``: the fields to return, None for all."""
    return _read_fields(_parameters(query, SINGLE_STUDY_PARAMETERS))


def read_no_parameters(query: str) -> None:
    """Refuse any parameter."""
    _parameters(query, frozenset())


def read_nct_id(text: str) -> str | None:
    """Return an ID as the registry writes it; None where the text is not of the form that it takes."""
    found = _NCT_ID.fullmatch(text)
    return None if found is None else f"NCT{int(found[1]):08}"


def write_page_token(offset: int) -> str:
    """Return the token of the page that begins at ``offset``.  Not bound to the query, as the registry's is not."""
    return urlsafe_b64encode(f"offset {offset}".encode()).decode().rstrip("=")


def _parameters(query: str, served: Set[str], *, unserved: Set[str] = frozenset()) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in unserved:
            raise _not_served(f"parameter `{name}`")
        if name not in served:
            raise RequestRefused(400, f"`{name}` is unknown parameter")  # seen
        if name in given:
            raise _not_served(f"parameter `{name}` given twice")
        given[name] = value
    _check_choice(given, "format", among=_FORMATS, served="json")
    _check_choice(given, "markupFormat", among=_MARKUP_FORMATS, served="markdown")
    return given


def _check_choice(given: Mapping[str, str], name: str, *, among: Set[str], served: str) -> None:
    value = given.get(name, served)
    if value not in among:
        raise RequestRefused(400, f"Invalid value in parameter `{name}`: `{value}`")
    if value != served:
        raise _not_served(f"parameter `{name}` with value `{value}` (only `{served}`)")


def _read_ids(text: str) -> tuple[str, ...]:
    ids = []
    for number, item in enumerate(re.split(r"[,|]", text), start=1):
        nct_id = read_nct_id(item)
        if nct_id is None:
            raise RequestRefused(400, f"Item {number} in parameter `filter.ids` has incorrect format")  # seen
        ids.append(nct_id)
    return tuple(ids)


def _read_fields(given: Mapping[str, str]) -> FieldTree | None:
    if "fields" not in given:
        return None
    return tree_of(_read_field(name, number) for number, name in enumerate(re.split(r"[,|]", given["fields"]), start=1))


def _read_field(name: str, number: int) -> Field:
    if _FIELD_NAME.fullmatch(name) is None:
        raise RequestRefused(400, f"Item {number} in parameter `fields` has incorrect format")
    if name == "@query":
        raise _not_served("field `@query`")
    field = known_fields().get(name)
    if field is None:
        raise RequestRefused(400, f"Parameter 'fields' contains invalid field name: '{name}'")  # the end of it: seen
    return field


def _read_sort(text: str) -> tuple[SortItem, ...]:
    if not text:
        return ()
    names = re.split(r"[,|]", text)
    if len(names) > 2:
        raise RequestRefused(400, "Parameter `sort` has too many items: the maximum is 2")
    return tuple(_read_sort_item(name, number) for number, name in enumerate(names, start=1))


def _read_sort_item(text: str, number: int) -> SortItem:
    found = _SORT_ITEM.fullmatch(text)
    if found is None:
        raise RequestRefused(400, f"Item {number} in parameter `sort` has incorrect format")
    name = found["name"]
    field = known_fields().get(name)
    if name == "@relevance":
        raise _not_served("sorting by `@relevance`")
    if field is None:
        raise RequestRefused(400, f"Parameter 'sort' contains invalid field name: '{name}'")
    if field.kind not in {"date", "integer", "number"}:
        raise RequestRefused(400, f"Unsupported sort field type: {field.kind}")  # seen, with "text"
    if field.piece not in SORTABLE_PIECES:
        raise _not_served(f"sorting by `{name}` (only by {', '.join(sorted(SORTABLE_PIECES))})")
    direction = found["direction"] or ("desc" if field.kind == "date" else "asc")
    return SortItem(piece=field.piece, descending=direction == "desc")


def _read_boolean(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false")
    if value not in {"true", "false"}:
        raise _incorrect_format(name)
    return value == "true"


def _read_page_size(text: str) -> int:
    if re.fullmatch(r"[0-9]+", text) is None or len(text) > 10 or int(text) > _LARGEST_INT32:
        raise _incorrect_format("pageSize")
    return min(int(text) or _DEFAULT_PAGE_SIZE, _LARGEST_PAGE_SIZE)


def _read_page_token(token: str) -> int:
    try:
        padded = token + "=" * (-len(token) % 4)
        found = re.fullmatch(rb"offset ([0-9]{1,9})", urlsafe_b64decode(padded.encode("ascii")))
    except (binascii.Error, UnicodeEncodeError):
        found = None
    if found is None:
        raise _incorrect_format("pageToken")
    return int(found[1])


def _incorrect_format(name: str) -> RequestRefused:
    return RequestRefused(400, f"Parameter `{name}` has incorrect format")


def _not_served(what: str) -> RequestRefused:
    return RequestRefused(501, f"{what} is not served by this replay")
