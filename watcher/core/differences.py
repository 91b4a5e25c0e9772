"""What differs between two versions of a record: leaf by leaf, item by item.  Pure.

Both trees are walked together.  Equal subtrees are left at once, lists are matched by identity (``matching.py``), and
DeepDiff compares what remains: small pairs of objects in objects without lists.  Given whole records, DeepDiff takes
seconds and compares lists by position; given single values, it takes hundreds of times as long as to look at them.

Some lists have no dependable identity and are matched in a way of their own: see ``lists.py``, and
``JOINED_MATCHERS`` for the lists of one object between which items move.

Does not judge: what a difference means is decided in ``meaning.py``.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

import orjson

from watcher.core.depth import cut_off
from watcher.core.fields import FieldTable
from watcher.core.items.groups import group_titles, numbering, renumbered
from watcher.core.items.item_names import item_name, long_item_name, name_key
from watcher.core.items.lists import match_list
from watcher.core.items.matching import dumped
from watcher.core.items.outcomes import OUTCOMES, SECTIONS, Kinship, Lists, OutcomeMatching, match_outcomes
from watcher.core.items.site_look import is_elsewhere
from watcher.core.paths import LOCATIONS
from watcher.core.text import one_line
from watcher.model import Difference, How, Json

STAMP_PATH = "derivedSection.miscInfoModule.versionHolder"
ITEM_SEPARATOR = " › "  # between the names of an item and of an item within it

# Lists of one object that are matched together, because items move between them, by the path of the object.
JOINED_MATCHERS: Mapping[str, Callable[[Lists, Lists], OutcomeMatching]] = {OUTCOMES: match_outcomes}
JOINED_LISTS = frozenset(SECTIONS)

_RESULTS = "resultsSection."  # where groups are numbered, and named by their numbers
_ABSENT = object()
_REWORDED_FIELDS = frozenset({"measure", "timeFrame", "description", "citation", "title"})


def differences(before: Json, after: Json, table: FieldTable) -> list[Difference]:
    """Return every difference between two records but the daily stamp.

    None only where the two hold the same: the order of keys and of list items is no difference, an empty object, an
    empty list and a null are not the same as nothing, and 1 is not true.

    Args:
        before, after: decoded records, whole or partial; an absent module is simply not there.
        table: names the identity of each list's items.
    """
    walk = _Walk(table)
    found = walk.values("", None, cut_off(before), cut_off(after))
    return [difference for difference in found if difference.path != STAMP_PATH]


class _Walk:
    def __init__(self, table: FieldTable) -> None:
        self._table = table
        self._groups: Mapping[str, str] = {}  # titles of the groups of results where the walk is, by their IDs

    def values(self, path: str, item: str | None, before: Json, after: Json) -> Iterator[Difference]:
        if before is _ABSENT:
            yield from self.one_sided(path, item, after, How.ADDED)
        elif after is _ABSENT:
            yield from self.one_sided(path, item, before, How.REMOVED)
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from self.objects(path, item, before, after)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self.lists(path, item, before, after)
        elif isinstance(before, dict | list) or isinstance(after, dict | list):
            # Another kind of thing stands there now: what was goes leaf by leaf, what is comes so.
            yield from self.one_sided(path, item, before, How.REMOVED)
            yield from self.one_sided(path, item, after, How.ADDED)
        elif before != after or type(before) is not type(after):
            yield Difference(path=path, item=item, how=self._how(path), old=before, new=after)

    def objects(
        self, path: str, item: str | None, before: dict[str, Json], after: dict[str, Json]
    ) -> Iterator[Difference]:
        if path in JOINED_MATCHERS:
            joined = _joined_keys(path, before, after)
            yield from self.joined_lists(path, before, after, joined)
            before, after = ({key: each[key] for key in each if key not in joined} for each in (before, after))
        if path.startswith(_RESULTS):
            yield from self.results(path, item, before, after)
        else:
            yield from self.fields(path, item, before, after)

    def results(
        self, path: str, item: str | None, before: dict[str, Json], after: dict[str, Json]
    ) -> Iterator[Difference]:
        """Compare what may list groups: a module of results, or one outcome measure."""
        ids = numbering(before, after)
        outer = self._groups
        titles = {ids.get(number, number): title for number, title in group_titles(after).items()}
        self._groups = {**outer, **titles, **group_titles(before)}
        found = self.fields(path, item, before, renumbered(after, ids) if ids else after)
        if ids:
            recorded = {new: old for old, new in ids.items()}
            found = (replace(one, new=renumbered(one.new, recorded)) for one in found)
        yield from found
        self._groups = outer

    def fields(
        self, path: str, item: str | None, before: dict[str, Json], after: dict[str, Json]
    ) -> Iterator[Difference]:
        small: dict[str, tuple[Json, Json]] = {}
        for key in [*before, *(key for key in after if key not in before)]:
            old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
            if old is _ABSENT or new is _ABSENT:
                yield from self.values(_join(path, key), item, old, new)
            elif _same(old, new):
                continue
            elif _has_list(old) or _has_list(new):
                yield from self.values(_join(path, key), item, old, new)
            else:
                small[key] = old, new
        if any(isinstance(old, dict) and isinstance(new, dict) for old, new in small.values()):
            yield from self.small_objects(path, item, small)
        else:
            for key, (old, new) in sorted(small.items()):
                yield from self.values(_join(path, key), item, old, new)

    def small_objects(
        self, path: str, item: str | None, pairs: Mapping[str, tuple[Json, Json]]
    ) -> Iterator[Difference]:
        # Imported at the first difference: 23 MB and 0.2 s that a pass without a change does not need.
        from deepdiff import DeepDiff

        before, after = _unequal(*({key: pair[side] for key, pair in pairs.items()} for side in (0, 1)))
        # No threshold: DeepDiff would report objects that share few keys as one replaced value.
        # Private variables are keys that begin with two underscores; in a record they are keys like others.
        diff = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
        found = [
            (_join(path, ".".join(level.path(output_format="list"))), kind, level)
            for kind, levels in diff.items()
            for level in levels
        ]
        # DeepDiff walks sets of keys, whose order is another one in every process.
        for at, kind, level in sorted(found, key=lambda one: one[0]):
            if kind == "dictionary_item_added":
                yield from self.one_sided(at, item, level.t2, How.ADDED)
            elif kind == "dictionary_item_removed":
                yield from self.one_sided(at, item, level.t1, How.REMOVED)
            else:
                yield from self.values(at, item, level.t1, level.t2)

    def lists(self, path: str, item: str | None, before: list[Json], after: list[Json]) -> Iterator[Difference]:
        at = path + "[]"
        matching = match_list(at, before, after, self._table.rule(at).identity)
        name_before, name_after = self.namer(at, item, before), self.namer(at, item, after)
        for old, new in matching.pairs:
            # Values of results are gathered by the titles of what they belong to.
            name = self.name(at, item, old) if at.startswith(_RESULTS) else name_before(old)
            found = self.values(at, name, old, new)
            moved = at == LOCATIONS and is_elsewhere(old, new)
            yield from (replace(one, moved=True) for one in found) if moved else found
        for old in matching.removed:
            yield Difference(path=at, item=name_before(old), how=How.REMOVED, old=old, new=None)
        for new in matching.added:
            yield Difference(path=at, item=name_after(new), how=How.ADDED, old=None, new=new)

    def joined_lists(
        self, path: str, before: Mapping[str, Json], after: Mapping[str, Json], keys: Sequence[str]
    ) -> Iterator[Difference]:
        """Yield what differs in several lists of one object; an item that moved is one line, with the whole item."""
        lists_before, lists_after = (
            {_join(path, f"{key}[]"): side[key] for key in keys if key in side} for side in (before, after)
        )
        matching = JOINED_MATCHERS[path](lists_before, lists_after)
        names_before, names_after = (
            {at: self.namer(at, None, items) for at, items in lists.items()} for lists in (lists_before, lists_after)
        )
        # What stayed comes first: its lines name items as the lists were, before others of the same name come in.
        for pair in matching.pairs:
            if pair.was_in == pair.is_in:
                found = self.values(pair.is_in, names_before[pair.was_in](pair.old), pair.old, pair.new)
                yield from (replace(one, doubtful=pair.kinship is Kinship.DOUBTFUL) for one in found)
        for pair in matching.pairs:
            if pair.was_in != pair.is_in:
                item = names_after[pair.is_in](pair.new)
                doubtful = pair.kinship is Kinship.DOUBTFUL
                yield Difference(
                    path=pair.is_in, item=item, how=pair.how, old=pair.old, new=pair.new, doubtful=doubtful
                )
        for at, old in matching.removed:
            yield Difference(path=at, item=names_before[at](old), how=How.REMOVED, old=old, new=None)
        for at, new in matching.added:
            yield Difference(path=at, item=names_after[at](new), how=How.ADDED, old=None, new=new)

    def one_sided(self, path: str, item: str | None, value: Json, how: How) -> Iterator[Difference]:
        """Yield a line for each leaf and each list item of a subtree that only one side has."""
        if isinstance(value, dict) and value:
            for key, below in value.items():
                yield from self.one_sided(_join(path, key), item, below, how)
        elif isinstance(value, list) and value:
            empty: list[Json] = []
            before, after = (empty, value) if how is How.ADDED else (value, empty)
            yield from self.lists(path, item, before, after)
        else:
            old, new = (None, value) if how is How.ADDED else (value, None)
            yield Difference(path=path, item=item, how=how, old=old, new=new)

    def namer(self, path: str, outer: str | None, items: Sequence[Json]) -> Callable[[Json], str | None]:
        """Return what names the items of a list: more fully those that are called as another one of them is."""
        naming = self._table.rule(path).naming

        @cache
        def alike() -> frozenset[int]:
            """Return the identities, in memory, of the items that are called as another one is."""
            keys = [name_key(item, naming) for item in items]
            counts = Counter(keys)
            return frozenset(id(item) for item, key in zip(items, keys, strict=True) if counts[key] > 1)

        def name(item: Json) -> str | None:
            if isinstance(item, dict) and naming and id(item) in alike():
                return _below(outer, long_item_name(item, path, self._table))
            return self.name(path, outer, item)

        return name

    def name(self, path: str, outer: str | None, item: Json) -> str | None:
        """Return an item's identity in words, below the name of the item that holds it.

        What was measured in a group of results has the group's title: "OG001" tells a reader nothing.
        """
        own = item_name(item, path, self._table)
        if own is not None and own in self._groups and path.startswith(_RESULTS):
            own = one_line(self._groups[own])
        return _below(outer, own)

    def _how(self, path: str) -> How:
        """Tell a new name and a new wording of a list's item from other changed values."""
        within, found, leaf = path.rpartition("[].")
        if not found:
            return How.CHANGED
        if leaf in _REWORDED_FIELDS:
            return How.REWORDED
        naming = self._table.rule(within + "[]").naming
        return How.RENAMED if naming and leaf == naming[0][0] else How.CHANGED


def _below(outer: str | None, own: str | None) -> str | None:
    return f"{outer}{ITEM_SEPARATOR}{own}" if outer and own else outer or own or None


def _joined_keys(path: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """Return the keys of joined lists, where both sides have a list or nothing and one of the lists is not empty.

    An empty list is not the same as nothing, and no matching of items would tell so.
    """
    keys = [key for key in {**before, **after} if _join(path, f"{key}[]") in JOINED_LISTS]
    values = {key: [side[key] for side in (before, after) if key in side] for key in keys}
    return [key for key in keys if all(isinstance(value, list) for value in values[key]) and any(values[key])]


def _same(old: Json, new: Json) -> bool:
    """Return whether there is no difference for sure: the quick look, for most of a record."""
    if type(old) is not type(new) or old != new:
        return False
    # Python holds 1, 1.0 and true for equal, at any depth; in a record they are not.  Keys mostly stand in one order.
    return not isinstance(old, dict | list) or orjson.dumps(old) == orjson.dumps(new) or dumped(old) == dumped(new)


def _unequal(before: dict[str, Json], after: dict[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return two objects without the members that are the same in both, at any depth."""
    kept: tuple[dict[str, Json], dict[str, Json]] = {}, {}
    for key in before.keys() | after.keys():
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if _same(old, new):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            old, new = _unequal(old, new)
        for side, value in zip(kept, (old, new), strict=True):
            if value is not _ABSENT:
                side[key] = value
    return kept


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _has_list(value: Json) -> bool:
    if isinstance(value, list):
        return True
    return isinstance(value, dict) and any(_has_list(below) for below in value.values())
