"""Rules between lists, routes and people: names that nobody bears, people whom nothing names, lists without readers.

As in ``rules``: works on the tree as it was read, and passes over what the checks of single values tell.
"""

from collections.abc import Callable, Iterator
from typing import Any

from watcher.config.problems import Problem
from watcher.config.sources import Tree
from watcher.config.values import did_you_mean, nearest, normalise_address, quoted

_NO_READERS = 'write it as in [[watchlist.recipients]] and, on the next line, address = "reader@example.org"'


def audience_problems(tree: Tree) -> list[Problem]:
    """Return what is wrong between lists, routes and people.

    Args:
        tree: all sources together.
    """
    return [*_lists_without_readers(tree), *_unknown_lists(tree), *_repeated(tree), *_people_without_mail(tree)]


def _lists_without_readers(tree: Tree) -> Iterator[Problem]:
    routes = [route for _, route in _tables(tree.get("route"))]
    everywhere = any(route.get("watchlists") is None for route in routes)
    routed = {name for route in routes for name in _texts(route.get("watchlists"))}
    for index, listed in _tables(tree.get("watchlist")):
        if listed.get("recipients") in (None, []) and not everywhere and listed.get("name") not in routed:
            what = "is empty" if "recipients" in listed else "is missing"
            yield Problem(
                key=f"watchlist[{index}].recipients", says=f"{what}; {_NO_READERS}, or name it in a [[route]]"
            )


def _unknown_lists(tree: Tree) -> Iterator[Problem]:
    names = [name for _, listed in _tables(tree.get("watchlist")) for name in _texts([listed.get("name")])]
    for index, route in _tables(tree.get("route")):
        for place, name in enumerate(_texts(route.get("watchlists"))):
            if name not in names:
                hint = did_you_mean(nearest(name, names)) or (
                    "; declare it as a [[watchlist]], which needs no trials when they are added by command"
                )
                key = f"route[{index}].watchlists[{place}]"
                yield Problem(key=key, says=f"{quoted(name)} is no watch list of this file{hint}")


def _repeated(tree: Tree) -> Iterator[Problem]:
    routes, people = _tables(tree.get("route")), _tables(tree.get("recipient"))
    named = [(f"route[{index}].name", route.get("name")) for index, route in routes]
    for key, first, text in _twice(named, lambda name: name.strip().casefold()):
        yield Problem(key=key, says=f"{quoted(text)} is {first} already; give each route a name of its own")
    addresses = [(f"recipient[{index}].address", person.get("address")) for index, person in people]
    for key, first, text in _twice(addresses, _folded):
        yield Problem(key=key, says=f"{quoted(text)} is {first} already; write one table for each person")
    for index, route in routes:
        listed = [(f"route[{index}].recipients[{n}]", one) for n, one in enumerate(_texts(route.get("recipients")))]
        for key, first, text in _twice(listed, _folded):
            yield Problem(key=key, says=f"{quoted(text)} is {first} already; write it once")


def _people_without_mail(tree: Tree) -> Iterator[Problem]:
    named = [tree.get("operator"), tree.get("catch_all")]
    for _, listed in _tables(tree.get("watchlist")):
        named += [one.get("address") for _, one in _tables(listed.get("recipients"))]
    for _, route in _tables(tree.get("route")):
        named += _texts(route.get("recipients"))
    known = {_understood(_folded, address) for address in named} - {None}
    for index, person in _tables(tree.get("recipient")):
        address = _understood(_folded, person.get("address"))
        if address is not None and address not in known:
            hint = did_you_mean(nearest(address, [one for one in known if one])) or "; name it there, or leave it out"
            yield Problem(
                key=f"recipient[{index}].address",
                says=f"{quoted(str(person['address']))} is named by no watch list and no route{hint}",
            )


def _twice(entries: list[tuple[str, Any]], normalise: Callable[[str], str]) -> Iterator[tuple[str, str, str]]:
    """Yield key, key of the first like it, and text of each entry that is there a second time."""
    first_seen: dict[str, str] = {}
    for key, entry in entries:
        same = _understood(normalise, entry)
        if same is not None and first_seen.setdefault(same, key) != key:
            yield key, first_seen[same], entry


def _folded(address: str) -> str:
    return normalise_address(address).casefold()


def _understood(read: Callable[[str], str], value: object) -> str | None:
    try:
        return read(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _texts(value: object) -> list[str]:
    return [entry.strip() for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _tables(value: object) -> list[tuple[int, Tree]]:
    entries = value if isinstance(value, list) else []
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]
