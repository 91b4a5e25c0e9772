"""Invented outcome changes with what an expert calls them, and how often the rule says the same.

python -m tests.unit.outcome_cases    prints precision and recall, and every case that is answered otherwise
"""

import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from watcher.core.items.outcomes import SECTIONS, Lists, match_outcomes
from watcher.model import How, Json

GROUPS = ("first", "second", "third")

_FILE = Path(__file__).with_name("outcome_cases.toml")
_FIELDS = ("measure", "timeFrame", "description")
_NAMES = dict(zip(("primary", "secondary", "other"), SECTIONS, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    group: str  # "first": at hand when the rule was made; "second", "third": written when it stood
    before: Lists
    after: Lists
    expected: tuple[frozenset[str], ...]  # answers that an expert would accept, best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many of the things that were found, and that should have been, are the same."""

    found: int
    expected: int
    same: int

    @property
    def precision(self) -> float:
        return self.same / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.same / self.expected if self.expected else 1.0

    def __str__(self) -> str:
        precision = f"precision {self.precision:.2f} ({self.same}/{self.found})"
        return f"{precision}, recall {self.recall:.2f} ({self.same}/{self.expected})"


@cache
def cases() -> tuple[Case, ...]:
    with _FILE.open("rb") as file:
        rows = tomllib.load(file)["case"]
    return tuple(
        Case(
            name=row["name"],
            group=row["group"],
            before=_lists(row.get("before", {})),
            after=_lists(row.get("after", {})),
            expected=tuple(map(frozenset, row.get("expected_any") or [row["expected"]])),
        )
        for row in rows
    )


def answer(before: Lists, after: Lists) -> frozenset[str]:
    """Return what the rule says, in the words of the file of cases."""
    found = match_outcomes(before, after)
    said = [
        f"{pair.how} {_place(before, pair.was_in, pair.old)} > {_place(after, pair.is_in, pair.new)}"
        for pair in found.pairs
    ]
    said += [f"{How.REMOVED} {_place(before, section, outcome)}" for section, outcome in found.removed]
    said += [f"{How.ADDED} {_place(after, section, outcome)}" for section, outcome in found.added]
    return frozenset(said)


def accepted(case: Case) -> frozenset[str]:
    """Return the answer that an expert would accept and that is nearest to the rule's."""
    said = answer(case.before, case.after)
    return min(case.expected, key=lambda expected: len(expected ^ said))


def score(some: Iterable[Case]) -> Score:
    """Return how well the rule answers, counted by outcomes that changed."""
    pairs = [(answer(case.before, case.after), accepted(case)) for case in some]
    return Score(
        found=sum(len(said) for said, _ in pairs),
        expected=sum(len(right) for _, right in pairs),
        same=sum(len(said & right) for said, right in pairs),
    )


def score_of_major_changes(some: Iterable[Case]) -> Score:
    """Return how well the rule tells which cases have a primary outcome added, removed, promoted or demoted."""
    pairs = [(_is_major(answer(case.before, case.after)), _is_major(accepted(case))) for case in some]
    return Score(
        found=sum(said for said, _ in pairs),
        expected=sum(right for _, right in pairs),
        same=sum(said and right for said, right in pairs),
    )


def _is_major(lines: Iterable[str]) -> bool:
    return any("primary" in line and not line.startswith(How.REWORDED) for line in lines)


def _lists(sections: Json) -> dict[str, Sequence[Json]]:
    return {
        _NAMES[name]: [dict(zip(_FIELDS, texts, strict=False)) for texts in outcomes]
        for name, outcomes in sections.items()
    }


def _place(lists: Lists, section: str, outcome: Json) -> str:
    """Return an outcome's section and place; of equal ones the last, as the file of cases counts them."""
    name = next(name for name, path in _NAMES.items() if path == section)
    places = [place for place, each in enumerate(lists[section], start=1) if each == outcome]
    return f"{name} {places[-1]}"


def main() -> None:
    """Print the figures, and the cases that are answered otherwise."""
    lines = []
    for group in GROUPS:
        some = [case for case in cases() if case.group == group]
        lines += [
            f"{group} group, {len(some)} cases",
            f"  outcomes:      {score(some)}",
            f"  major changes: {score_of_major_changes(some)}",
        ]
        for case in some:
            said, right = answer(case.before, case.after), accepted(case)
            if said != right:
                lines += [f"  {case.name}", f"    said  {sorted(said - right)}", f"    right {sorted(right - said)}"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
