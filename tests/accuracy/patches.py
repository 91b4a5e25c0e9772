"""Changes between adjacent versions from the registry's own record history, read from a file of JSON Patches.  Pure.

A patch names places, and values where it was made with them; the rest of the record is unknown.  What is rebuilt is
therefore the part of both versions that the patch speaks of:

- What it leaves alone is absent from both sides, and of a list's items only those stand that it touches.
- Items of a list are named by position: an item that came in the middle moves all that follow, and each of these reads
  as changed.  Where the name of an item stands on both sides once, what is known of it on one side is known on both;
  an item whose name no operation says gets one that is made up.
- A value that a patch took away without naming it is made up: the other one of a flag, the year before of a date, the
  same text with a mark; an item or a section that it took away so is left out.  ``Patch.both_values`` tells the
  patches that need none of this.

Does not compare.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.unit.full_records import kinds, other_value, table
from watcher.model import Json

_UNKNOWN = object()
_ABSENT = object()
_MISSING = {"__missing__": True}  # how the file writes that nothing stood there
_NAMES = ("facility", "measure", "label", "name", "title", "term", "id", "filename")  # what names an item of a list
# Taken away whole on posting, and not to be guessed from the schema, which has violations in it too.
_LOG_OF_SUBMISSIONS = {"unpostedAnnotation": {"unpostedEvents": [{"type": "RESET", "date": "2020-01-01"}]}}
_STATUS = "protocolSection.statusModule.overallStatus"
_MADE_UP: Mapping[str, Json] = {
    "annotationSection": {"annotationModule": _LOG_OF_SUBMISSIONS},
    "reviewUnit": {"resetReasons": ["A comment."]},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    op: str  # add, remove, replace
    path: str  # a JSON pointer
    old: Json  # ``_UNKNOWN`` where the file does not say it, ``_ABSENT`` where nothing stood
    new: Json

    @property
    def keys(self) -> list[str]:
        return [key.replace("~1", "/").replace("~0", "~") for key in self.path.removeprefix("/").split("/")]

    @property
    def field_paths(self) -> list[str]:
        """The paths of all fields that it touches, as the field table writes them: once for each value."""
        at = dotted(self.keys)
        value = self.new if self.new is not _ABSENT else self.old
        return [at] if value in (_UNKNOWN, _ABSENT) else list(_leaves(value, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    nct_id: str
    version: int  # that it starts from
    operations: tuple[Operation, ...]
    status_module: Json  # of the version that it starts from; None = not in the file
    both_values: bool

    @property
    def posts_results(self) -> bool:
        return any(one.path == "/hasResults" and one.new is True for one in self.operations)


def read_patches(lines: Iterable[bytes]) -> list[Patch]:
    """Return the patches of a file, given its lines."""
    return [_read(orjson.loads(line)) for line in lines]


def _read(row: Json) -> Patch:
    operations = tuple(map(_operation, row["patch"]))
    return Patch(
        nct_id=row["nct"],
        version=row["from_version"],
        operations=operations,
        status_module=row.get("from_status_module"),
        both_values=all(one.old is not _UNKNOWN for one in operations),
    )


def _operation(row: Json) -> Operation:
    old, new = row.get("old_value", _UNKNOWN), row.get("new_value", row.get("value", _ABSENT))
    if row["op"] == "add" and old is _UNKNOWN:
        old = _ABSENT
    return Operation(
        op=row["op"],
        path=row["path"],
        old=_ABSENT if old == _MISSING else old,
        new=_ABSENT if new == _MISSING else new,
    )


def dotted(keys: Iterable[str]) -> str:
    """Return the path of a field as the field table writes it: ``/a/b/3/c`` is ``a.b[].c``."""
    return "".join("[]" if key.isdigit() or key == "-" else f".{key}" for key in keys).removeprefix(".")


def _leaves(value: Json, at: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from _leaves(below, f"{at}.{key}")
    elif isinstance(value, list) and value:
        for below in value:
            yield from _leaves(below, f"{at}[]")
    else:
        yield at


# --- rebuilding -------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Node:
    """A place in both versions.  What it holds below it is known in part, unless it is ``whole``."""

    fields: dict[str, "_Node"] = field(default_factory=dict)
    items: list["_Node"] = field(default_factory=list)  # as they stand after the operations so far
    gone: list["_Node"] = field(default_factory=list)  # items that the operations took away
    old: Json = _UNKNOWN  # what stood here; only of a place that was set as a whole
    new: Json = _UNKNOWN
    whole: bool = False  # all that stands here is known: what is not among the fields is not there


def rebuilt(patch: Patch) -> tuple[Json, Json]:
    """Return the parts of both versions of a record that a patch speaks of."""
    root = _Node()
    identity = {"nctId": patch.nct_id}
    root.fields["protocolSection"] = _Node(fields={"identificationModule": _known({"nctId": patch.nct_id}, identity)})
    if patch.status_module is not None:
        module = _Node(fields={key: _known(value, value) for key, value in patch.status_module.items()})
        root.fields["protocolSection"].fields["statusModule"] = module
    for operation in patch.operations:
        _apply(root, operation)
    if any(one.path.startswith("/resultsSection") for one in patch.operations) and "hasResults" not in root.fields:
        root.fields["hasResults"] = _known(True, True)
    _complete(root, "")
    return _side(root, "old"), _side(root, "new")


def _known(old: Json, new: Json) -> _Node:
    """Return a place of which everything is known; its parts can be changed one by one if both sides are the same."""
    if isinstance(new, dict) and (old == new or old is _ABSENT):
        below = {key: _known(_ABSENT if old is _ABSENT else value, value) for key, value in new.items()}
        return _Node(fields=below, whole=True, old=old if old is _ABSENT else _UNKNOWN)
    if isinstance(new, list) and (old == new or old is _ABSENT):
        items = [_known(_ABSENT if old is _ABSENT else value, value) for value in new]
        return _Node(items=items, whole=True, old=old if old is _ABSENT else _UNKNOWN)
    return _Node(old=old, new=new, whole=True)


def _apply(root: _Node, operation: Operation) -> None:
    *way, last = operation.keys
    holder = root
    for key in way:
        holder = _item(holder, int(key)) if key.isdigit() else holder.fields.setdefault(key, _Node())
    if last.isdigit():
        _apply_to_item(holder, int(last), operation)
        return
    node = holder.fields.setdefault(last, _Node())
    _set(node, operation)


def _item(holder: _Node, place: int) -> _Node:
    while len(holder.items) <= place:
        holder.items.append(_Node())
    return holder.items[place]


def _apply_to_item(holder: _Node, place: int, operation: Operation) -> None:
    if operation.op == "add":
        if operation.old not in (_ABSENT, _UNKNOWN):  # the file says what stands in the place that is made free
            _learn(_item(holder, place), operation.old)
        if place:
            _item(holder, place - 1)
        holder.items.insert(place, _known(_ABSENT, operation.new))
        return
    node = _item(holder, place)
    _set(node, operation)
    if operation.op == "remove":
        holder.items.remove(node)
        holder.gone.append(node)


def _learn(node: _Node, value: Json) -> None:
    """Complete what is known of a place that is the same on both sides, but for what was changed before."""
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        node.fields.setdefault(key, _known(below, below))
    node.whole = True


def _set(node: _Node, operation: Operation) -> None:
    """Let a place become another one, with what it was before the first operation on it."""
    was = _side(node, "old")
    if was is _UNKNOWN or not node.whole:
        was = operation.old
    if was is _UNKNOWN:
        was = _made_up(operation)
    fresh = _known(was, operation.new)
    node.fields, node.items, node.gone = fresh.fields, fresh.items, fresh.gone
    node.old, node.new, node.whole = fresh.old, fresh.new, True


def _made_up(operation: Operation) -> Json:
    """Return something that may have stood where a patch does not say what did."""
    at = dotted(operation.keys)
    if operation.new is _ABSENT:
        is_leaf = kinds().get(at, "branch") != "branch" and not at.endswith("[]")
        return _MADE_UP.get(at, other_value(at, None) if is_leaf else _ABSENT)
    new = operation.new
    if at == _STATUS:
        return "RECRUITING" if new == "ACTIVE_NOT_RECRUITING" else "ACTIVE_NOT_RECRUITING"
    if isinstance(new, bool):
        return not new
    if isinstance(new, int | float):
        return new + 1
    if isinstance(new, str):
        match kinds().get(at):
            case "enum":
                return other_value(at, new)
            case "date":
                return f"{int(new[:4]) - 1}{new[4:]}"
            case _:
                return f"{new} (as it was)"
    return "Something else"


def _side(node: _Node, side: str) -> Json:
    """Return what stands at a place on one side; ``_UNKNOWN`` where nothing is known of it."""
    own = node.old if side == "old" else node.new
    if own is not _UNKNOWN:
        return own
    if node.items or node.gone:
        items = [_side(item, side) for item in (node.items if side == "new" else [*node.items, *node.gone])]
        return [item for item in items if item is not _UNKNOWN and item is not _ABSENT]
    below: dict[str, Any] = {key: _side(one, side) for key, one in node.fields.items()}
    known = {key: value for key, value in below.items() if value is not _UNKNOWN and value is not _ABSENT}
    # What was touched stands, even if nothing is known of it on this side.
    return known if node.fields or node.whole else _UNKNOWN


# --- what one position says of another --------------------------------------------------------------------------------


def _complete(node: _Node, at: str) -> None:
    """Let items that are known by name on both sides share what is known of them, in all lists below a place."""
    for key, below in node.fields.items():
        _complete(below, f"{at}.{key}" if at else key)
    if node.items or node.gone:
        while _shared(node):
            pass
        for number, item in enumerate(node.items):
            _complete(item, f"{at}[]")
            _give_name(item, at, f"Item {number}")


def _give_name(item: _Node, at: str, name: str) -> None:
    """Give an item that was changed in place a name, for it has one, the same on both sides, that no operation says."""
    keys = [fields[0] for fields in table().rule(f"{at}[]").naming]
    if keys and item.fields and not item.whole and item.fields.keys().isdisjoint(keys):
        item.fields[keys[0]] = _known(name, name)


def _shared(holder: _Node) -> bool:
    olds = _by_name([*holder.items, *holder.gone], "old")
    news = _by_name(holder.items, "new")
    learned = False
    for name, was in olds.items():
        if name in news and was is not None and (now := news[name]) is not None and was is not now:
            learned = _teach(was, now, ("old", "new")) or learned
            learned = _teach(now, was, ("new", "old")) or learned
    return learned


def _by_name(nodes: Iterable[_Node], side: str) -> dict[str, _Node | None]:
    """Return the items that have a name on one side; None for a name that several have."""
    found: dict[str, _Node | None] = {}
    for node in nodes:
        value = _side(node, side)
        name = (
            next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None) if _is_dict(value) else None
        )
        if name is not None:
            found[name] = None if name in found else node
    return found


def _teach(one: _Node, other: _Node, sides: tuple[str, str]) -> bool:
    """Let another position learn what is known of the same item; it stands in no operation, so both sides have it."""
    if other.whole or other.old is not _UNKNOWN or other.new is not _UNKNOWN:
        return False
    known = _side(one, sides[0])
    fresh = {key: value for key, value in known.items() if key not in other.fields and not isinstance(value, list)}
    for key, value in fresh.items():
        other.fields[key] = _known(value, value)
    return bool(fresh)


def _is_dict(value: Json) -> bool:
    return isinstance(value, dict)
