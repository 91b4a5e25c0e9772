"""Bring an older version of a record up to date with the changes that were recorded since.  Pure.

For the day on which the newest stored version cannot be read: compared with an older one as it stands, the next version
would show again what readers were told already, and would not show what went back to where it was.

Does not rebuild contacts, which changes do not hold (``privacy.py``), nor anything that can no longer be found: such
changes are given back.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy

from watcher.core.differences import ITEM_SEPARATOR, item_name
from watcher.core.fields import FieldTable
from watcher.core.outcomes import SECTIONS
from watcher.core.privacy import is_contact_path, without_contacts
from watcher.model import Change, Difference, How, Json

_LIST = "[]"
_ABSENT = object()


def bring_up_to_date(record: Json, changes: Sequence[Change], table: FieldTable) -> tuple[Json, list[Change]]:
    """Return a record as it was after some changes, and the changes that could not be applied.

    Args:
        record: a decoded version; left as it is.
        changes: all that were recorded since, oldest first.
        table: names the items of lists, as it did when the changes were found.
    """
    rebuilt = deepcopy(record)
    return rebuilt, [change for change in changes if not _apply(rebuilt, change, table)]


def _apply(record: Json, change: Change, table: FieldTable) -> bool:
    if is_contact_path(change.path):
        return False
    *through, last = change.path.removesuffix(_LIST).split(_LIST)
    holders = _holders(record, through, "", None, table)
    last = last.removeprefix(".")
    if change.path.endswith(_LIST):
        return _apply_to_list(record, holders, last, change, table)
    for holder, name in holders:
        found = _value_at(holder, last)
        before = None if found is _ABSENT else found
        if (not through or name == change.item) and before == change.old:
            _put(holder, last, _ABSENT if change.how is How.REMOVED else change.new)
            return True
    return False


def _holders(
    record: Json, through: Sequence[str], path: str, name: str | None, table: FieldTable
) -> Iterator[tuple[dict[str, Json], str | None]]:
    """Yield the objects that a path reaches through its lists, each with the name that changes give it."""
    if not through:
        if isinstance(record, dict):
            yield record, name
        return
    items = _value_at(record, through[0].removeprefix("."))
    at = path + through[0] + _LIST
    for item in items if isinstance(items, list) else ():
        yield from _holders(item, through[1:], at, _joined(name, item_name(item, at, table)), table)


def _apply_to_list(
    record: Json, holders: Iterator[tuple[dict[str, Json], str | None]], key: str, change: Change, table: FieldTable
) -> bool:
    """Put an item into a list, or take it out, or both where an outcome changed its section."""
    if change.how in {How.PROMOTED, How.DEMOTED}:
        sections = [section.removesuffix(_LIST) for section in SECTIONS]
        if not any(_take_out(record, section, change.old) for section in sections):
            return False
    for holder, name in holders:
        if change.how is How.REMOVED:
            if _take_out(holder, key, change.old):
                return True
        elif change.item == _joined(name, item_name(change.new, change.path, table)):
            items = _value_at(holder, key)
            _put(holder, key, [*(items if isinstance(items, list) else []), deepcopy(change.new)])
            return True
    return False


def _take_out(holder: dict[str, Json], key: str, item: Json) -> bool:
    items = _value_at(holder, key)
    for position, found in enumerate(items if isinstance(items, list) else ()):
        if _as_recorded(found) == item:
            left = [*items[:position], *items[position + 1 :]]
            _put(holder, key, left or _ABSENT)
            return True
    return False


def _as_recorded(item: Json) -> Json:
    """Return an item as a change holds it: without its contacts."""
    return without_contacts(Difference(path="", item=None, how=How.REMOVED, old=item, new=None)).old


def _value_at(value: Json, dotted: str) -> Json:
    for key in dotted.split("."):
        value = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


def _put(holder: dict[str, Json], dotted: str, value: Json) -> None:
    """Set what stands at a path, or take it away with all that it leaves empty."""
    key, _, below = dotted.partition(".")
    if below:
        found = holder.get(key)
        inner: dict[str, Json] = found if isinstance(found, dict) else {}
        _put(inner, below, value)
        value = inner or _ABSENT
    if value is _ABSENT:
        holder.pop(key, None)
    else:
        holder[key] = value


def _joined(outer: str | None, inner: str | None) -> str | None:
    return ITEM_SEPARATOR.join(part for part in (outer, inner) if part) or None
