"""How alike are two outcome measures?  Pure.

Words are compared, not characters: "Overall survival" and "Progression-free survival" share most of their letters and
are two outcomes; "Pain" and "Pain intensity on a numeric rating scale" share few and are one.  So:

- What names the outcome must be alike by itself; how it is assessed, and in whom, counts less.
- Words that only one of them has make the other a shorter form of it; words of their own in both make them two.
- A word of the measure that moved to the description or the time frame is still there, though it counts less.
- Time frame and description decide between outcomes that are equally alike; an equal description helps two measures
  that do not look alike.
- A measure that names nothing ("Efficacy") can have become any.

Knows no medicine and no sections: which outcome continues which is decided in ``outcomes.py``.
"""

from typing import NamedTuple

from watcher.core.items.outcome_reading import Reading, Text

_OWN_WORDS = 1.25  # what words of their own in both texts cost, ...
_MORE_WORDS = 0.25  # ... and what the words cost that one text has more
_ELSEWHERE = 0.5  # what a word of the measure counts that the other outcome has in its description or time frame
_MANNER = 0.25  # what the words weigh that say how, or in whom
_DETAILS = 0.25  # how much of the likeness hangs on time frame and description, ...
_TIME_FRAME = 0.6  # ... and how much of that on the time frame
_SAME_DESCRIPTION = 0.35  # what an equal description gives to measures without a common word
_SUBSTANCE = 1_500  # weight of a description that says something
_VAGUE = 0.3  # how alike any outcome is to one whose measure names nothing


def similarity(one: Reading, other: Reading) -> float:
    """Return how alike two outcomes of one ``read_outcomes`` are: 0 to 1; from 0.5 on the same in other words.

    The same in both directions, and in every process.
    """
    description = _overlap(one.description, other.description)
    agreement = _agreement(_overlap(one.time_frame, other.time_frame), description)
    alike = _likeness(one, other) if one.measure or other.measure else agreement
    found = alike * (1 - _DETAILS + _DETAILS * agreement)
    if description and min(one.description.total, other.description.total) >= _SUBSTANCE:
        found += (1 - alike) * _SAME_DESCRIPTION * description**4
    return max(found, _VAGUE) if _is_vague(one) or _is_vague(other) else found


def is_doubtful(one: Reading, other: Reading) -> bool:
    """Return whether two outcomes that are alike may still be two: no word of the measures is the same, or the part.

    A synonym is another word as well: "Safety" is hardly "Tolerability".
    """
    if one.part and other.part and one.part != other.part:
        return True
    return bool(one.written and other.written) and one.written.isdisjoint(other.written)


def _is_vague(reading: Reading) -> bool:
    return bool(reading.measure) and not reading.telling


def _likeness(one: Reading, other: Reading) -> float:
    """Return how alike the measures are: as a whole, but no more than what names them."""
    if _nothing_in_common(one, other):
        return 0.0
    name = _common(one, other, text=one.name, other_text=other.name)
    if not one.manner.total and not other.manner.total:
        return _share(name)
    manner = _common(one, other, text=one.manner, other_text=other.manner)
    return min(_share(name), _share(_Common(*(part + _MANNER * more for part, more in zip(name, manner, strict=True)))))


class _Common(NamedTuple):
    """What two texts have in common, and what each of them has alone, by weight."""

    shared: float
    own: float  # the less of what each has alone: what speaks for two outcomes
    more: float  # the more of it: what may be mere detail


def _common(one: Reading, other: Reading, *, text: Text, other_text: Text) -> _Common:
    found, found_back = _found(text, other), _found(other_text, one)
    own, more = sorted((text.total - found, other_text.total - found_back))
    return _Common(shared=(found + found_back) / 2, own=own, more=more)


def _share(common: _Common) -> float:
    if not common.shared:
        return 0.0
    return common.shared / (common.shared + _OWN_WORDS * common.own + _MORE_WORDS * common.more)


def _nothing_in_common(one: Reading, other: Reading) -> bool:
    """Return whether no word that names one of two outcomes stands anywhere in the other: the quick look, for most."""
    return bool(
        one.telling
        and other.telling
        and one.telling.isdisjoint(other.measure)
        and other.telling.isdisjoint(one.measure)
        and one.telling.isdisjoint(other.details)
        and other.telling.isdisjoint(one.details)
    )


def _found(text: Text, other: Reading) -> float:
    """Return the weight of those words of a text that another outcome has."""
    words = text.weights.keys()
    return text.common(words & other.measure) + _ELSEWHERE * text.common(words & other.details)


def _overlap(one: Text, other: Text) -> float | None:
    """Return which share of two texts is common, by weight; None if one of them is missing."""
    if not one.total or not other.total:
        return None
    return 2 * one.common(one.weights.keys() & other.weights.keys()) / (one.total + other.total)


def _agreement(time_frame: float | None, description: float | None) -> float:
    """Return how far the details agree; one that an outcome does not have says nothing."""
    if time_frame is None:
        return 1.0 if description is None else description
    if description is None:
        return time_frame
    return _TIME_FRAME * time_frame + (1 - _TIME_FRAME) * description
