"""Bring an older version of a record up to date with the changes that were recorded since.  Pure.

For the day on which the newest stored version cannot be read: compared with an older one as it stands, the next version
would show again what readers were told already, and would not show what went back to where it was.

Does not rebuild contacts, which changes do not hold (``privacy.py``), nor anything that can no longer be found: such
changes are given back.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy

from watcher.core.differences import ITEM_SEPARATOR
from watcher.core.fields import FieldTable
from watcher.core.items.item_names import item_name, long_item_name
from watcher.core.items.outcomes import SECTIONS
from watcher.core.privacy import is_contact_path, without_contacts
from watcher.model import Change, Difference, How, Json

_LIST = "[]"
_ABSENT = object()

Names = dict[str | None, int]  # what changes may call an item, and how badly that tells it from others: 0 = best


def bring_up_to_date(record: Json, changes: Sequence[Change], table: FieldTable) -> tuple[Json, list[Change]]:
    """Return a record as it was after some changes, and the changes that could not be applied.

    Args:
        record: a decoded version; left as it is.
        changes: all that were recorded since, oldest first.
        table: names the items of lists, as it did when the changes were found.
    """
    rebuilt = deepcopy(record)
    rebuilding = _Rebuilding(rebuilt, table)
    return rebuilt, [change for change in changes if not rebuilding.apply(change)]


class _Rebuilding:
    """A record on its way, and what its items were called before they were renamed.

    All changes of one version call an item by the name that it had in the version before, in whatever order they come.
    """

    def __init__(self, record: Json, table: FieldTable) -> None:
        self._record = record
        self._table = table
        self._former: dict[int, tuple[Json, Names]] = {}  # by id; the item is held, so that no other gets its id

    def apply(self, change: Change) -> bool:
        """Make one change; return whether what it changes was found."""
        if is_contact_path(change.path):
            return False
        *through, last = change.path.removesuffix(_LIST).split(_LIST)
        holders = self._holders(self._record, through, "", {None: 0})
        last = last.removeprefix(".")
        if change.path.endswith(_LIST):
            return self._apply_to_list(holders, last, change)
        fitting = [
            (names[change.item] if through else 0, holder)
            for holder, names in holders
            if (not through or change.item in names) and _as_old(_value_at(holder, last)) == change.old
        ]
        if not fitting:
            return False
        _, holder = min(fitting, key=lambda ranked: ranked[0])
        if through:
            self._remember(holder, _LIST.join(through) + _LIST)
        _put(holder, last, _ABSENT if change.how is How.REMOVED else change.new)
        return True

    def _holders(
        self, record: Json, through: Sequence[str], path: str, names: Names
    ) -> Iterator[tuple[dict[str, Json], Names]]:
        """Yield the objects that a path reaches through its lists, each with the names that changes may give it."""
        if not through:
            if isinstance(record, dict):
                yield record, names
            return
        items = _value_at(record, through[0].removeprefix("."))
        at = path + through[0] + _LIST
        for item in items if isinstance(items, list) else ():
            own = self._names(item, at).items()
            both = {_joined(outer, inner): bad + worse for outer, bad in names.items() for inner, worse in own}
            yield from self._holders(item, through[1:], at, both)

    def _names(self, item: Json, at: str) -> Names:
        _, former = self._former.get(id(item), (None, {}))
        long, short = long_item_name(item, at, self._table), item_name(item, at, self._table)
        # Changes of one version use the former name: another item may have got the new one from it, in a chain.
        return {short: 3, long: 2, **former} if former else {short: 1, long: 0}

    def _remember(self, item: Json, at: str) -> None:
        self._former[id(item)] = (item, self._names(item, at))

    def _apply_to_list(self, holders: Iterator[tuple[dict[str, Json], Names]], key: str, change: Change) -> bool:
        """Put an item into a list, or take it out; both where it changed its section, or a text its form."""
        if change.how in {How.PROMOTED, How.DEMOTED}:
            at = SECTIONS.index(change.path)
            sections = SECTIONS[at + 1 :] if change.how is How.PROMOTED else SECTIONS[:at]
            if not any(_take_out(self._record, section.removesuffix(_LIST), change.old) for section in sections):
                return False
        for holder, names in holders:
            if change.how is How.REMOVED:
                if _take_out(holder, key, change.old):
                    return True
            elif self._is_called(change, names) and (
                change.how is not How.CHANGED or _take_out(holder, key, change.old)
            ):
                items = _value_at(holder, key)
                _put(holder, key, [*(items if isinstance(items, list) else []), deepcopy(change.new)])
                return True
        return False

    def _is_called(self, change: Change, outer: Names) -> bool:
        """Return whether an item that came into a list has the change's name there; what changed has its former one."""
        item = change.old if change.how is How.CHANGED else change.new
        own = {name(item, change.path, self._table) for name in (item_name, long_item_name)}
        return any(change.item == _joined(name, each) for name in outer for each in own)


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


def _as_old(found: Json) -> Json:
    return None if found is _ABSENT else found


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
