"""Age limits are compared as ages."""

import pytest

from watcher.core.texts.ages import AgeMove, age_move, same_age

CASES = {
    "months that are years": ("216 Months", "18 Years", AgeMove.SAME),
    "a year and its months": ("1 Year", "12 Months", AgeMove.SAME),
    "half a year": ("1.5 Years", "18 Months", AgeMove.SAME),
    "days that are a week": ("7 Days", "1 Week", AgeMove.SAME),
    "hours that are a day": ("24 Hours", "1 Day", AgeMove.SAME),
    "minutes that are an hour": ("60 Minutes", "1 Hour", AgeMove.SAME),
    "letter case": ("18 YEARS", "18 years", AgeMove.SAME),
    "zero of anything": ("0 Days", "0 Months", AgeMove.SAME),
    "no limit in two ways": ("N/A", None, AgeMove.SAME),
    "no limit at all": (None, None, AgeMove.SAME),
    "a lower limit": ("18 Years", "12 Years", AgeMove.LOWER),
    "a higher one": ("65 Years", "75 Years", AgeMove.HIGHER),
    "a limit that came": (None, "18 Years", AgeMove.ADDED),
    "a limit that went": ("75 Years", None, AgeMove.REMOVED),
    "days far from months": ("30 Days", "2 Months", AgeMove.HIGHER),
    "years far from days": ("18 Years", "1 Day", AgeMove.LOWER),
    "days that may be a month": ("30 Days", "1 Month", AgeMove.UNCLEAR),
    "days that may be years": ("6570 Days", "18 Years", AgeMove.UNCLEAR),
    "a text that is no age": ("adult", "18 Years", AgeMove.UNCLEAR),
    "a unit that the registry does not have": ("2 Decades", "20 Years", AgeMove.UNCLEAR),
}


@pytest.mark.parametrize(("old", "new", "move"), CASES.values(), ids=CASES)
def test_an_age_limit_moves(old: str | None, new: str | None, move: AgeMove) -> None:
    assert age_move(old, new) is move
    assert same_age(old, new) == (move is AgeMove.SAME)


@pytest.mark.parametrize(("old", "new", "move"), CASES.values(), ids=CASES)
def test_the_way_back_is_the_other_way(old: str | None, new: str | None, move: AgeMove) -> None:
    opposite = {
        AgeMove.LOWER: AgeMove.HIGHER,
        AgeMove.HIGHER: AgeMove.LOWER,
        AgeMove.ADDED: AgeMove.REMOVED,
        AgeMove.REMOVED: AgeMove.ADDED,
    }
    assert age_move(new, old) is opposite.get(move, move)
