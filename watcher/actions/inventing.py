"""Invent the next version of a record, for a drill: fields are set as somebody typed them.

A field may be named by the end of its path, as long as only one ends so ("overallStatus").  What is not a field, or no
value of it, is refused with what was probably meant: a drill that sets nothing would prove nothing.
"""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from watcher.config.values import did_you_mean, nearest, quoted
from watcher.core.fields import FieldTable
from watcher.core.moved_dates import read_day
from watcher.errors import SettingsError
from watcher.model import Json

_PLACE = re.compile(r"\[([0-9]{1,5})\]")
_DATE_NAME = re.compile(r"(?:^|\.)(?:date|\w*Date)$")
_COUNT_NAME = re.compile(r"(?:^|\.)(?:count|\w*Count)$")
_SHOWN = 6  # of fields that might be meant
_IDENTITY = "protocolSection.identificationModule.nctId"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    path: str  # as in the table, "[]" for an item of a list
    keys: tuple[str | int, ...]  # the way to it in the record


def invent(record: Json, wishes: Sequence[str], table: FieldTable) -> Json:
    """Return a copy of a record with fields set.

    Args:
        record: a whole one, decoded.
        wishes: ``path=value`` each; the value "null" takes the field away.
        table: of the fields there are.

    Raises:
        SettingsError: with everything that is wrong about the wishes.
    """
    changed, problems = deepcopy(record), []
    for wish in wishes:
        try:
            _grant(changed, wish, table)
        except ValueError as error:
            problems.append(f"--set {quoted(wish)}: {error}")
    if problems:
        raise SettingsError(problems)
    return changed


def _grant(record: Json, wish: str, table: FieldTable) -> None:
    name, equals, text = wish.partition("=")
    if not equals or not name.strip():
        raise ValueError("is not path=value, as in overallStatus=TERMINATED")
    field = _field(name.strip(), table)
    _put(record, field, _value(field, text.strip(), _at(record, field.keys), table))


def _field(name: str, table: FieldTable) -> _Field:
    places, general = _PLACE.findall(name), _PLACE.sub("[]", name)
    known = [path for path in table.rules.fields if "**" not in path]
    found = [path for path in known if path == general] or [path for path in known if path.endswith(f".{general}")]
    if not found:
        ends = {end for path in known for end in (path, path.rpartition(".")[2], ".".join(path.split(".")[-2:]))}
        hint = did_you_mean(nearest(general, ends)) or '; "trialwatch severity" lists the fields'
        raise ValueError(f"{quoted(name)} is no field of a record{hint}")
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ValueError(f"{quoted(name)} may mean {', '.join(found[:_SHOWN])}{more}; write more of the path")
    path = found[0]
    if path == _IDENTITY:
        raise ValueError("a record with another ID is another record; choose another field")
    if path.count("[]") != len(places):
        raise ValueError(
            f"{path} goes through a list; say which item, counted from 0, as in {path.replace('[]', '[0]')}"
        )
    return _Field(path=path, keys=tuple(_keys(path, places)))


def _keys(path: str, places: list[str]) -> list[str | int]:
    keys: list[str | int] = []
    for part in path.split("."):
        keys.append(part.removesuffix("[]"))
        if part.endswith("[]"):
            keys.append(int(places.pop(0)))
    return keys


def _value(field: _Field, text: str, there: Json, table: FieldTable) -> Json:
    """Return what was typed as the kind of value that the field holds."""
    if text == "null":
        return None
    if isinstance(there, dict | list):
        raise ValueError(f"{field.path} holds further fields; set one of those")  # noqa: TRY004 what was typed is wrong
    enum = table.rule(field.path).enum
    if enum:
        return _of_enum(enum, text, table)
    if isinstance(there, bool):
        if text not in {"true", "false"}:
            raise ValueError(f"{quoted(text)} is neither true nor false")
        return text == "true"
    if (isinstance(there, int) or _COUNT_NAME.search(field.path)) and not isinstance(there, str):
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise ValueError(f"{quoted(text)} is not a whole number")
        return int(text)
    if _DATE_NAME.search(field.path) and read_day(text) is None:
        raise ValueError(f'{quoted(text)} is not a date; write it as in "2027-03" or "2027-03-31"')
    return text


def _of_enum(enum: str, text: str, table: FieldTable) -> str:
    values = {value: label for (name, value), label in table.rules.enum_labels.items() if name == enum}
    by_name = {value.casefold(): value for value in values} | {label.casefold(): v for v, label in values.items()}
    if text.casefold() in by_name:
        return by_name[text.casefold()]
    hint = did_you_mean(nearest(text, values)) or f"; it may be {', '.join(values)}"
    raise ValueError(f"{quoted(text)} is no value of this field{hint}")


def _at(record: Json, keys: Sequence[str | int]) -> Json:
    for key in keys:
        if isinstance(key, int):
            if not isinstance(record, list) or key >= len(record):
                length = len(record) if isinstance(record, list) else 0
                raise ValueError(f"there is no item {key}; the record's list has {length}, counted from 0")
            record = record[key]
        else:
            record = record.get(key) if isinstance(record, dict) else None
    return record


def _put(record: Json, field: _Field, value: Json) -> None:
    holder = record
    for key in field.keys[:-1]:
        holder = holder[key] if isinstance(key, int) else holder.setdefault(key, {})
    last = field.keys[-1]
    if value is not None:
        holder[last] = value
    elif isinstance(last, int):
        del holder[last]
    else:
        holder.pop(last, None)
