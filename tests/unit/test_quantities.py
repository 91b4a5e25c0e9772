"""Numbers in free text are read with what they say: a comparison and a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.texts.lines import lines_of
from watcher.core.texts.quantities import numbers_changed, quantities_of

READ = {
    "a sign and a unit": ("age ≥ 18 years", ["≥18 year"]),
    "words for a sign": ("at least 18 years of age", ["≥18 year"]),
    "words after the number": ("18 years of age or older", ["≥18 year"]),
    "a long comparison": ("greater than or equal to 18 yrs", ["≥18 year"]),
    "a negated comparison": ("no more than 3 prior lines", ["≤3"]),
    "a bound in time": ("within 14 days", ["≤14 day"]),
    "a unit after a hyphen": ("a 24-week period", ["24 week"]),
    "a unit without a space": ("5mg", ["5 mg"]),
    "a unit with divisors": ("5 mg/kg per day", ["5 mg/kg/day"]),
    "a unit before its number": ("at week 24", ["24 week"]),
    "two labels in a row": ("Cycle 1 Day 8", ["1 cycle", "8 day"]),
    "an enumeration with one unit": ("at 6, 12, and 24 weeks", ["6 week", "12 week", "24 week"]),
    "an enumeration with one label": ("Weeks 4, 8 and 12", ["4 week", "8 week", "12 week"]),
    "a range": ("18-65 years", ["≥18 year", "≤65 year"]),
    "a range in words": ("between 18 and 65 years", ["≥18 year", "≤65 year"]),
    "a range of neighbours": ("ECOG 0-1", ["0", "1"]),
    "a multiple of a limit": ("ALT ≤ 2.5 × ULN", ["≤2.5 uln"]),
    "a multiple of a limit, spelled out": ("≤ 2.5 times the upper limit of normal", ["≤2.5 uln"]),
    "a power of ten": ("1.5 x 10^9/L", ["1500000000 /l"]),
    "a power of ten that lost its raised letter": ("1.5×109/L", ["1500000000 /l"]),
    "thousands": ("1,500/μL", ["1500 /µl"]),
    "a fraction": ("1½ hours", ["1.5 hour"]),
    "a percentage": ("50 % or more", ["≥50 %"]),
    "a ratio": ("randomised 2:1", ["2:1"]),
    "a date": ("until 03 April 2030", ["3 april 2030"]),
    "a number below zero": ("stored at -80 °C", ["-80 degree"]),
    "days around an event": ("Day -28 to -1", ["≥-28 day", "≤-1 day"]),
    "a number word": ("for two (2) weeks", ["2 week"]),
    "how often a day": ("twice daily, BID", ["2 times/day", "2 times/day"]),
    "an interval of doses": ("200 mg Q3W", ["200 mg", "3 week"]),
    "a Roman number with its label": ("NYHA class III", ["3 class"]),
    "a grade": ("Grade ≥ 2", ["≥2 grade"]),
    "units that case tells apart": ("5 nM, 5 nm", ["5 nM", "5 nm"]),
    "a count of things": ("approximately 200 patients", ["200"]),
    "digits within names": ("HER2, PD-1, COVID-19, 5-FU, T1-2N2, CYP3A4/5, ABC-0514", []),
    "numbers of points": ("(1) stroke; 2) angina. 3. Any other", []),
    "numbers of list items": ("1. stroke\n2. angina\n* 3) any other", []),
    "one of several": ("one of the following", []),
}


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_a_number_is_read(text: str, expected: list[str]) -> None:
    assert [
        f"{found.comparison}{found.value} {found.unit}".strip()
        for line in lines_of(text)
        for found in quantities_of(line.words)
    ] == expected


UNCHANGED = {
    "letter case and white space": ("age ≥18 Years", "age ≥ 18 years"),
    "another way to say it": ("≥ 18 years", "18 years or older"),
    "another unit spelling": ("5 mcg for 24 wks", "5 µg for 24 weeks"),
    "a hyphen": ("24 weeks", "24-week period"),
    "a range in other words": ("18 to 65 years", "≥ 18 and ≤ 65 years"),
    "list items that were numbered anew": ("1. adults\n2. smokers", "1. children\n2. adults\n3. smokers"),
    "numbers that moved": ("5 mg for 2 weeks", "for 2 weeks, 5 mg"),
    "another thing counted": ("200 patients", "200 participants"),
    "a unit that was added": ("dose of 5, age ≥ 18", "dose of 5 mg, age ≥ 18 years"),
    "thousands": ("1,500 patients", "1500 patients"),
    "trailing zeros": ("version 5", "v5.0"),
    "names": ("HER2 and PD-1", "HER3 and PD-2"),
    "a plural that was spelled out": ("participants with events", "participants with at least one event"),
}
CHANGED = {
    "a comparison": ("age ≥ 18 years", "age > 18 years", ("≥ 18 years",), ("> 18 years",)),
    "a value": ("a dose of 5 mg", "a dose of 10 mg", ("5 mg",), ("10 mg",)),
    "a unit": ("for 24 weeks", "for 24 months", ("24 weeks",), ("24 months",)),
    "one end of a range": ("18-65 years", "18-70 years", ("18-65 years",), ("18-70 years",)),
    "one of an enumeration": ("weeks 4 and 8", "weeks 4 and 12", ("weeks 4 and 8",), ("weeks 4 and 12",)),
    "a count": ("about 200 patients", "about 100 patients", ("200 patients",), ("100 patients",)),
    "how often": ("5 mg once daily", "5 mg twice daily", ("once daily",), ("twice daily",)),
    "a number that came": ("with renal failure", "with GFR < 30 mL/min", (), ("< 30 mL/min",)),
    "a number that went": ("up to 3 prior lines", "prior lines", ("up to 3",), ()),
    "one of two that were equal": ("5 mg, then 5 mg", "5 mg, then 10 mg", ("5 mg",), ("10 mg",)),
    "a decimal point": ("1.5 mg", "15 mg", ("1.5 mg",), ("15 mg",)),
    "a sign": ("stored at -20 °C", "stored at 20 °C", ("-20 °C",), ("20 °C",)),
    "a class": ("NYHA class II", "NYHA class III", ("class II",), ("class III",)),
}


@pytest.mark.parametrize(("old", "new"), UNCHANGED.values(), ids=UNCHANGED)
def test_other_words_for_the_same_numbers_change_none(old: str, new: str) -> None:
    assert numbers_changed(old, new) == ((), ())


@pytest.mark.parametrize(("old", "new", "gone", "come"), CHANGED.values(), ids=CHANGED)
def test_changed_numbers_are_shown_in_the_words_of_the_text(
    old: str, new: str, gone: tuple[str, ...], come: tuple[str, ...]
) -> None:
    assert numbers_changed(old, new) == (gone, come)
    assert numbers_changed(new, old) == (come, gone)


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_text_can_be_compared_and_the_way_back_mirrors_it(old: str, new: str) -> None:
    gone, come = numbers_changed(old, new)
    assert numbers_changed(new, old) == (come, gone)
    assert numbers_changed(old, old) == ((), ())


@given(
    st.lists(st.sampled_from(["≥", "18", "-", "65", "years", "and", "1.5", "x 10", "^9", "/L", "⁻", "(", ")", "one"]))
)
def test_anything_that_looks_like_a_number_can_be_read(words: list[str]) -> None:
    for text in (" ".join(words), "".join(words)):
        for found in (one for line in lines_of(text) for one in quantities_of(line.words)):
            assert found.words in text
