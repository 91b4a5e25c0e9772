"""Records in which every field that the API declares stands, made up by rule, and changes to any one field of them.

Built from the field list of the replayed registry; every list has two items.  The values mean nothing, but each is of
its field's kind and differs from item to item.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from watcher.core.fields import FieldTable
from watcher.model import Json
from watcher.tables import load_rules

STAMP = "derivedSection.miscInfoModule.versionHolder"
CONTACT_FIELDS = ("name", "title", "organization", "phone", "phoneExt", "email")
_ITEMS = 2  # of each list
# Lists that the field table does not name, because it says nothing of them.
_OTHER_LISTS = frozenset({"resultsSection.outcomeMeasuresModule.outcomeMeasures[].analyses[].groupIds[]"})


@cache
def table() -> FieldTable:
    """Return the field table that the program ships."""
    return FieldTable(load_rules())


@cache
def kinds() -> Mapping[str, str]:
    """Return the kind of each declared field by its path, with "[]" after each list."""
    lists = {f"{path}[]" for path in _list_paths()}
    found = {}
    with files("watcher.replay").joinpath("fields.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            path = ""
            for key in row["path"].split("."):
                path = f"{path}.{key}" if path else key
                path = f"{path}[]" if f"{path}[]" in lists else path
            found[path] = row["kind"]
    return found


@cache
def leaf_paths() -> tuple[str, ...]:
    """Return the path of every declared field that holds a value."""
    return tuple(path for path, kind in kinds().items() if kind != "branch")


def full_record() -> dict[str, Any]:
    """Return a new record with every field."""
    record: dict[str, Any] = orjson.loads(_packed_record())
    return record


@cache
def _packed_record() -> bytes:
    record: dict[str, Json] = {}
    for path in leaf_paths():
        _fill(record, path.split("."), path=path, mark="")
    record["protocolSection"]["identificationModule"]["nctId"] = "NCT00000001"
    return orjson.dumps(record)


def value_for(path: str, mark: str) -> Json:
    """Return a value of the field's kind; another mark makes another one, but for what has two values only."""
    number = 1 + sum(ord(character) * 31**place for place, character in enumerate(mark)) % 997
    match kinds()[path]:
        case "enum":
            values = enum_values(path) or ("FIRST_VALUE", "SECOND_VALUE", "THIRD_VALUE")
            return values[number % len(values)]
        case "boolean":
            return number % 2 == 0
        case "integer":
            return number
        case "number":
            return number + 0.5
        case "date":
            return f"20{number % 80 + 10}-{number % 12 + 1:02}-15"
        case _:
            return f"{path.rpartition('.')[2].removesuffix('[]')} {mark}".strip()


def enum_values(path: str) -> tuple[str, ...]:
    """Return the values that the tables know for an enum field."""
    rule = table().rule(path)
    return tuple(value for enum, value in table().rules.enum_labels if enum == rule.enum)


def changed(record: Json, path: str) -> Json:
    """Return a copy with another value at ``path``: in the first item of each list on the way."""
    copy = orjson.loads(orjson.dumps(record))
    holder, key = _holder(copy, path)
    holder[key] = other_value(path, holder[key])
    return copy


def without(record: Json, path: str) -> Json:
    """Return a copy in which the value at ``path`` is missing: in the first item of each list on the way."""
    copy = orjson.loads(orjson.dumps(record))
    holder, key = _holder(copy, path)
    del holder[key]
    return copy


def _list_paths() -> Iterator[str]:
    for path in (*table().rules.fields, *_OTHER_LISTS):
        pieces = path.split("[]")
        yield from ("[]".join(pieces[:count]) for count in range(1, len(pieces)))


def _fill(holder: dict[str, Json], keys: list[str], *, path: str, mark: str) -> None:
    key, below = keys[0], keys[1:]
    name = key.removesuffix("[]")
    marks = [f"{mark}{number}" for number in range(1, _ITEMS + 1)]
    if not below:
        holder[name] = [value_for(path, each) for each in marks] if key.endswith("[]") else value_for(path, mark)
    elif key.endswith("[]"):
        items = holder.setdefault(name, [{} for _ in marks])
        for each, item in zip(marks, items, strict=True):
            _fill(item, below, path=path, mark=each)
    else:
        _fill(holder.setdefault(name, {}), below, path=path, mark=mark)


def _holder(record: Json, path: str) -> tuple[Any, Any]:
    """Return what holds the value at ``path``, and by which key or place."""
    *way, last = path.split(".")
    for key in way:
        record = record[key.removesuffix("[]")]
        record = record[0] if key.endswith("[]") else record
    if last.endswith("[]"):
        return record[last.removesuffix("[]")], 0
    return record, last


def other_value(path: str, value: Json) -> Json:
    """Return a value of the field's kind that is not this one."""
    return next(other for mark in "xyz0123456789" if (other := value_for(path, mark)) != value)
