"""Questions to the registry, the right answer to each, and how to change a study in it; for answers made wrong.

Does not make anything wrong itself: see ``broken_answers.py`` and ``odd_answers.py``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any

import orjson

Json = Any


class May(Enum):
    """What may come of an answer."""

    STORED_ONLY = "only the registry's true records"
    WORD = "what a strict reader finds in it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An answer as it goes over the line."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length_told: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but a body."""
        return self.status == 200 and not self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, and what the right answer is."""

    ids: tuple[str, ...]
    alone: bool  # the record itself is asked for, not a list
    studies: tuple[Json, ...]  # decoded, never to be written to
    lines: tuple[bytes, ...]  # the same, as the registry writes them
    others: tuple[Json, ...]  # records that nobody asked for

    def packed(self, studies: Sequence[Json] | None = None) -> bytes:
        """Return the right answer, or one with these studies, as the registry writes it."""
        return self.joined(self.lines if studies is None else [orjson.dumps(each) for each in studies])

    def joined(self, lines: Sequence[bytes]) -> bytes:
        return b"".join(lines[:1]) if self.alone else b'{"studies":[\n' + b",\n".join(lines) + b"\n]}"

    def with_one(self, chance: Random, change: Callable[[Json], Json]) -> bytes:
        """Return the answer with one of its studies replaced by what ``change`` makes of a copy."""
        lines = list(self.lines)
        place = chance.randrange(len(lines))
        lines[place] = orjson.dumps(change(orjson.loads(lines[place])))
        return self.joined(lines)


Way = Callable[[Random, Question], Sent]


# --- changes to one study ---------------------------------------------------------------------------------------------


def id_of(study: Json) -> str:
    return str(study["protocolSection"]["identificationModule"]["nctId"])


def with_id(study: Json, nct_id: Json) -> Json:
    study["protocolSection"]["identificationModule"]["nctId"] = nct_id
    return study


def with_title(study: Json, title: str) -> Json:
    study["protocolSection"]["identificationModule"]["briefTitle"] = title
    return study


def with_leaf(study: Json, chance: Random, value: Json) -> Json:
    found = [way for way in ways(study, holders=False) if way[-1] not in {"nctId", "overallStatus", "versionHolder"}]
    return with_value(study, chance.choice(found), value)


def with_value(study: Json, way: Sequence[str | int], value: Json) -> Json:
    holder = study
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    return study


def ways(value: Json, *, holders: bool) -> Iterator[list[str | int]]:
    """Yield the way to each leaf, or to each object and list."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in steps:
        if isinstance(below, dict | list):
            if holders:
                yield [key]
            yield from ([key, *way] for way in ways(below, holders=holders))
        elif not holders:
            yield [key]
