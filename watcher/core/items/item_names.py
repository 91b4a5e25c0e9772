"""What an item of a list is called in words.  Pure.

The field table says which fields name the items of a list.  What it does not know has no name: the first of its values
stand for it.  Contacts are named nowhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from watcher.core.fields import UNKNOWN_FIELD, FieldTable
from watcher.core.items.matching import dumped
from watcher.core.privacy import is_contact_path
from watcher.core.text import one_line
from watcher.model import Json

_SHOWN_VALUES = 3  # of an item that has no name


def item_name(item: Json, path: str, table: FieldTable) -> str | None:
    """Return what an item of the list at ``path`` is called, by the first alternative that it has a value for."""
    if not isinstance(item, dict | list):
        return one_line(table.words(path, item))
    naming = table.rule(path).naming
    if isinstance(item, dict) and naming:
        return next(filter(None, (_in_words(item, path, fields, table) for fields in naming)), None)
    # In the order of the alphabet: neither keys nor items of a list have one of their own.
    words = [] if is_contact_path(path) else sorted(_values_within(item, table))
    return "; ".join(words[:_SHOWN_VALUES]) or None


def long_item_name(item: Json, path: str, table: FieldTable) -> str | None:
    """Return what tells an item from others that are called the same: its name and the rest of its identity."""
    if not isinstance(item, Mapping):
        return item_name(item, path, table)
    rule = table.rule(path)
    named_by, identity = _naming_fields(item, rule.naming), max(rule.identity, key=len, default=())
    fields = identity if set(named_by) <= set(identity) else (*named_by, *identity)
    return _in_words(item, path, fields, table) or item_name(item, path, table)


def _in_words(item: Mapping[str, Json], path: str, fields: Iterable[str], table: FieldTable) -> str:
    words = [one_line(table.words(f"{path}.{field}", item[field])) for field in fields if _can_name(item.get(field))]
    return ", ".join(words)


def _naming_fields(item: Json, naming: Sequence[Sequence[str]]) -> Sequence[str]:
    """Return the fields that name an item: the first alternative that it has a value for."""
    if isinstance(item, dict):
        for fields in naming:
            if any(_can_name(item.get(field)) for field in fields):
                return fields
    return ()


def name_key(item: Json, naming: Sequence[Sequence[str]]) -> tuple[str | bytes, ...]:
    """Return what is the same for items that are called the same; cheaper than their names."""
    if not isinstance(item, dict):
        return ()
    texts = [value for value in map(item.get, naming[0]) if isinstance(value, str) and value]
    if len(texts) == len(naming[0]):  # nearly all items, at a third of the cost
        return tuple(texts)
    return tuple(dumped(item.get(field)) for field in _naming_fields(item, naming))


def _can_name(value: Json) -> bool:
    return bool(value) if isinstance(value, str) else value is not None and not isinstance(value, dict | list)


def _values_within(value: Json, table: FieldTable, key: str = "") -> Iterator[str]:
    """Yield the values of what has no name, each with the key that it stands under."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from () if is_contact_path(name) else _values_within(below, table, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for below in value:
            yield from _values_within(below, table, key)
    elif _can_name(value):
        words = one_line(table.words(UNKNOWN_FIELD, value))
        yield f"{one_line(key)}: {words}" if key else words
