"""The groups of posted results, whose IDs are only their positions.  Pure.

"OG000" is whichever group stands first: when a sponsor adds a group or puts them in another order, every later ID
refers to another group, and every measured value would read as changed.  So before two results are compared, the
groups of the later one are referred to by the numbers of the earlier one; what differs is reported with the numbers
that the record has.  The groups themselves keep their IDs, so that a new numbering is recorded, once for each group.

Does not compare results, and leaves IDs in texts as they are.

Source: domain rules, section 3.5; a real update that put two groups of adverse events in the other order.
"""

from collections.abc import Mapping

from watcher.core.items.lists import match_groups
from watcher.model import Json

_GROUP_LISTS = ("groups", "eventGroups")
_REFERENCE, _REFERENCES = "groupId", "groupIds"


def numbering(before: dict[str, Json], after: dict[str, Json]) -> dict[str, str]:
    """Return by which ID each group of ``after`` is compared: the one that the same group has in ``before``.

    A group that only ``after`` has keeps its number where that is free, and gets the next free one where it is not.

    Args:
        before, after: one module of results, or one outcome measure, that lists its groups.

    Returns:
        IDs of ``after``, each with the one to compare by; empty where all are numbered alike, or there are none.
    """
    for key in _GROUP_LISTS:
        olds, news = _groups(before, key), _groups(after, key)
        if olds and news:
            new_ids = _new_ids(olds, news)
            if any(old != new for old, new in new_ids.items()):
                return new_ids
    return {}


def renumbered(value: Json, ids: Mapping[str, str]) -> Json:
    """Return a value of results with its groups referred to by other IDs."""
    if isinstance(value, list):
        return [renumbered(below, ids) for below in value]
    if not isinstance(value, dict):
        return value
    return {key: _renumbered_field(key, below, ids) for key, below in value.items()}


def group_titles(results: dict[str, Json]) -> dict[str, str]:
    """Return what each group of a module, or of an outcome measure, is called, by its ID."""
    return {
        group["id"]: group["title"]
        for key in _GROUP_LISTS
        for group in _groups(results, key)
        if isinstance(group.get("title"), str)
    }


def _groups(results: dict[str, Json], key: str) -> list[dict[str, Json]]:
    """Return the groups; none where they cannot be told apart by their IDs."""
    listed = results.get(key)
    if not isinstance(listed, list):
        return []
    groups = [group for group in listed if isinstance(group, dict) and isinstance(group.get("id"), str)]
    return groups if len({group["id"] for group in groups}) == len(listed) else []


def _new_ids(olds: list[dict[str, Json]], news: list[dict[str, Json]]) -> dict[str, str]:
    """Return each later ID with the one that its group is compared by."""
    if [(group["id"], group.get("title")) for group in olds] == [(group["id"], group.get("title")) for group in news]:
        return {}
    matching = match_groups(olds, news)
    ids = {new["id"]: old["id"] for old, new in matching.pairs}
    added = {group["id"] for group in matching.added}
    for group in news:  # equal groups have no place in a matching
        if group["id"] not in ids and group["id"] not in added:
            ids[group["id"]] = group["id"]
    taken = {group["id"] for group in olds}
    for new in sorted(added):
        ids[new] = new if new not in taken else _free(new, taken | added)
        taken.add(ids[new])
    return ids


def _free(like: str, taken: set[str]) -> str:
    prefix = like.rstrip("0123456789")
    width = len(like) - len(prefix)
    return next(name for number in range(len(taken) + 1) if (name := f"{prefix}{number:0{width}}") not in taken)


def _renumbered_field(key: str, value: Json, new_ids: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return new_ids.get(value, value) if key == _REFERENCE else value
    if key == _REFERENCES and isinstance(value, list):
        return [new_ids.get(one, one) if isinstance(one, str) else one for one in value]
    return renumbered(value, new_ids)
