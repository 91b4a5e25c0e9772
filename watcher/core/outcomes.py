"""Outcome measures that moved between the sections: promoted and demoted.  Pure.

An outcome that leaves one section and enters another on the same day is one change, not a removal and an addition.
Only the same measure in the same words is recognised here.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from watcher.core.fields import value_at
from watcher.core.matching import normalised
from watcher.model import Difference, How, Json

_MODULE = "protocolSection.outcomesModule."
SECTIONS = (_MODULE + "primaryOutcomes[]", _MODULE + "secondaryOutcomes[]", _MODULE + "otherOutcomes[]")  # best first


def join_moved_outcomes(found: Sequence[Difference]) -> list[Difference]:
    """Return the differences with each removed and added pair of the same measure as one that tells the move."""
    removed: dict[str, list[Difference]] = defaultdict(list)
    for difference in found:
        if difference.path in SECTIONS and difference.how is How.REMOVED:
            removed[_measure(difference.old)].append(difference)
    gone: set[int] = set()
    joined = []
    for difference in found:
        origins = removed[_measure(difference.new)] if _is_new_outcome(difference) else []
        if not origins:
            joined.append(difference)
            continue
        origin = origins.pop(0)
        gone.add(id(origin))
        how = How.PROMOTED if SECTIONS.index(difference.path) < SECTIONS.index(origin.path) else How.DEMOTED
        joined.append(replace(difference, how=how, old=origin.old))
    return [difference for difference in joined if id(difference) not in gone]


def better_section(difference: Difference, before: Json) -> str:
    """Return the better one of the two sections of a move, for any other difference its own path.

    What a primary outcome was, or has become, decides how much a move weighs.

    Args:
        difference: any.
        before: the record that it starts from.
    """
    if difference.how is How.DEMOTED:
        for section in SECTIONS:
            outcomes = value_at(before, section.removesuffix("[]"))
            if isinstance(outcomes, list) and difference.old in outcomes:
                return section
    return difference.path


def _is_new_outcome(difference: Difference) -> bool:
    return difference.path in SECTIONS and difference.how is How.ADDED and bool(_measure(difference.new))


def _measure(outcome: Json) -> str:
    """Return what is measured, as it is compared; empty where that is not said."""
    measure = outcome.get("measure") if isinstance(outcome, dict) else None
    return normalised(measure) if isinstance(measure, str) else ""
