"""The demo's edit language: how one trial's record differs from the dataset day before.

    {"set": PATH, "to": VALUE}         replace a value, or give an object a field that it lacks
    {"remove": PATH}                   take a field out of its object, or an item out of its list
    {"append": PATH, "value": VALUE}   put an item at the end of a list
    {"reverse": PATH}                  turn the order of a list round
    {"replace": PATH, "old": TEXT, "new": TEXT}   change words within a text; the old ones stand there exactly once

A PATH is dotted, from the top of the record.  After the name of a list, brackets pick items: ``locations[*]`` all,
``locations[0]`` by position, ``locations[city=Recife]`` by a field; ``locations[facility=Research Site][city=Recife]``
must meet both.  Except with ``[*]`` exactly one item must be picked, so that an edit cannot hit the wrong site
unnoticed; and an edit that would change nothing is an error, because the day would not show what it says it shows.

Pure: reads no file and no clock, and leaves the record that it is given as it was.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from watcher.model import Json

# Sponsors' updates are posted a few days after they were submitted: the demo's registry always takes three.
REVIEW_TIME = timedelta(days=3)

_STEP = re.compile(r"(?P<name>\w+)(?P<picks>(?:\[[^\]]+\])*)(?:\.|$)")
_PICK = re.compile(r"\[([^\]]+)\]")


class DemoError(ValueError):
    """The demo's own files are wrong: a mistake of whoever wrote them, never of the user.

    Attributes:
        where: the day, the trial and, if one is to blame, the edit.
        why: what was wrong there, and what would be right.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class Verb(StrEnum):
    SET = "set"
    REMOVE = "remove"
    APPEND = "append"
    REVERSE = "reverse"
    REPLACE = "replace"


# The keys that a verb needs beside its path, that of the value first.
_OPERANDS: dict[Verb, tuple[str, ...]] = {
    Verb.SET: ("to",),
    Verb.REMOVE: (),
    Verb.APPEND: ("value",),
    Verb.REVERSE: (),
    Verb.REPLACE: ("new", "old"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    verb: Verb
    path: str
    value: Json = None  # only of SET, APPEND and REPLACE
    old: str = ""  # only of REPLACE: the words that make room

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


@dataclass(frozen=True, slots=True)
class _Step:
    """One dotted part of a path."""

    name: str
    picks: tuple[str, ...]  # what stood between brackets

    @property
    def picks_all(self) -> bool:
        return self.picks == ("*",)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands, or would stand: a key of an object, or an index of a list."""

    holder: Json
    key: str | int

    @property
    def is_there(self) -> bool:
        return isinstance(self.key, int) or self.key in self.holder


class _Misfit(Exception):
    """The edit does not fit the record; says why, and is given its ``where`` by ``apply_edits``."""


def parse_edit(raw: Json, *, where: str) -> Edit:
    """Read one edit from its JSON form.

    Raises:
        DemoError: not an object with exactly one verb, its path and, where the verb takes one, its value.
    """
    verbs = [verb for verb in Verb if isinstance(raw, dict) and verb in raw]
    if len(verbs) != 1:
        raise DemoError(where, f"an edit is an object with one of {', '.join(Verb)}; this is {raw!r}")
    verb = verbs[0]
    operands = _OPERANDS[verb]
    if set(raw) != {verb, *operands}:
        raise DemoError(
            where, f"an edit with {verb.value!r} has the keys {[verb.value, *operands]}; this has {list(raw)}"
        )
    return Edit(verb=verb, path=raw[verb], value=raw[operands[0]] if operands else None, old=raw.get("old", ""))


def apply_edits(record: Json, edits: Sequence[Edit], *, where: str) -> Json:
    """Return a copy of ``record`` with the edits made one after the other.

    Args:
        record: a registry record; stays as it is.
        edits: in the order in which they are to be made.
        where: the day and the trial, for errors.

    Raises:
        DemoError: an edit that does not fit the record, or would change nothing; names the edit and what is there.
    """
    edited = copy.deepcopy(record)
    for number, edit in enumerate(edits, start=1):
        try:
            _apply(edited, edit)
        except _Misfit as misfit:
            raise DemoError(f"{where}, edit {number} ({edit})", str(misfit)) from misfit
    return edited


def with_sponsor_update(record: Json, day: date) -> Json:
    """Return a copy of ``record`` with the dates that move whenever a sponsor's update is posted on ``day``."""
    submitted = day - REVIEW_TIME
    updated = copy.deepcopy(record)
    status = updated["protocolSection"]["statusModule"]
    status["statusVerifiedDate"] = f"{submitted:%Y-%m}"
    status["lastUpdateSubmitDate"] = submitted.isoformat()
    status["lastUpdatePostDateStruct"] = {"date": day.isoformat(), "type": "ACTUAL"}
    return updated


def with_stamp(record: Json, day: date) -> Json:
    """Return a copy of ``record`` that carries the stamp which the registry renews in every record on every day."""
    stamped = copy.deepcopy(record)
    stamped["derivedSection"]["miscInfoModule"]["versionHolder"] = day.isoformat()
    return stamped


def _apply(record: Json, edit: Edit) -> None:
    places = _find(record, _parse_path(edit.path))
    if edit.verb is Verb.SET:
        _set(places, edit.value)
    elif edit.verb is Verb.REMOVE:
        _remove(places)
    elif edit.verb is Verb.REPLACE:
        _replace(places, edit.old, edit.value)
    elif edit.verb is Verb.APPEND:
        for place in places:
            _list_at(place).append(copy.deepcopy(edit.value))
    else:
        _reverse(places)


def _parse_path(path: Json) -> list[_Step]:
    steps: list[_Step] = []
    position = 0
    while isinstance(path, str) and position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        steps.append(_Step(match["name"], tuple(_PICK.findall(match["picks"]))))
        position = match.end()
    if not steps or position < len(path) or path.endswith("."):
        raise _Misfit("the path is not of the form name.name[field=value].name")
    return steps


def _find(record: Json, steps: Sequence[_Step]) -> list[_Place]:
    """The places that a path leads to; what is on the way must be there, what is at the end need not."""
    holders = [record]
    for step in steps[:-1]:
        holders = [_value_at(place) for holder in holders for place in _places_in(holder, step)]
    places = [place for holder in holders for place in _places_in(holder, steps[-1])]
    if not places:
        raise _Misfit("the path picks from an empty list")
    return places


def _places_in(holder: Json, step: _Step) -> list[_Place]:
    if not isinstance(holder, dict):
        raise _Misfit(f"{step.name!r} is asked of something that is not an object")
    if not step.picks:
        return [_Place(holder, step.name)]
    items = _list_at(_Place(holder, step.name))
    picked = [index for index, item in enumerate(items) if all(_meets(pick, index, item) for pick in step.picks)]
    if len(picked) != 1 and not step.picks_all:
        raise _Misfit(f"{len(picked)} of the {len(items)} items of {step.name!r} meet {step.picks}; it must be 1")
    return [_Place(items, index) for index in picked]


def _meets(pick: str, index: int, item: Json) -> bool:
    if pick == "*":
        return True
    field, equals, value = pick.partition("=")
    if equals:
        return isinstance(item, dict) and item.get(field) == value
    return pick.isdigit() and index == int(pick)


def _value_at(place: _Place) -> Json:
    if not place.is_there:
        raise _Misfit(f"there is no {place.key!r}; there are {', '.join(place.holder) or 'no fields at all'}")
    return place.holder[place.key]


def _set(places: Sequence[_Place], value: Json) -> None:
    if all(place.is_there and place.holder[place.key] == value for place in places):
        raise _Misfit("the value is already that")
    for place in places:
        place.holder[place.key] = copy.deepcopy(value)


def _remove(places: Sequence[_Place]) -> None:
    present = [place for place in places if place.is_there]
    if not present:
        _value_at(places[0])
    for place in reversed(present):  # from the end, so that the indexes of a list stay right
        del place.holder[place.key]


def _replace(places: Sequence[_Place], old: str, new: Json) -> None:
    for place in places:
        text = _value_at(place)
        if not isinstance(text, str) or not isinstance(new, str):
            raise _Misfit(f"{place.key!r} and what is to stand in it must be texts")
        if text.count(old) != 1 or old == new:
            raise _Misfit(f"{old!r} stands {text.count(old)} times in the text; it must be once, and differ from 'new'")
        place.holder[place.key] = text.replace(old, new)


def _reverse(places: Sequence[_Place]) -> None:
    for place in places:
        items = _list_at(place)
        if items == items[::-1]:
            raise _Misfit("the list is the same in reverse order")
        items.reverse()


def _list_at(place: _Place) -> list[Json]:
    items = _value_at(place)
    if not isinstance(items, list):
        raise _Misfit(f"{place.key!r} is not a list")
    return items
