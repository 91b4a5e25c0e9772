"""Only what changes nothing for anybody is cosmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.texts.prose import comparable, is_cosmetic

SAME = {
    "entities": ("HbA1c &lt; 7 &amp; stable", "HbA1c < 7 & stable"),
    "Markdown escapes": ("age \\> 18 \\[years\\]", "age > 18 [years]"),
    "letter case": ("Overall Survival in All Participants", "Overall survival in all participants"),
    "white space": ("two  words\n\nand more ", "two words and more"),
    "white space between number and unit": ("5 mg once", "5mg once"),
    "white space beside a comparison": ("age ≥ 18", "age ≥18"),
    "bullets against numbers": ("* able to read\n* able to write", "1. able to read\n2. able to write"),
    "a list that was numbered anew": ("7. able to read\n8. able to write", "8. able to read\n9. able to write"),
    "lines that were joined": ("1. able to read\n2. able to write", "1. able to read 2. able to write"),
    "a paragraph that was broken": ("It begins. It ends.", "It begins.\n\nIt ends."),
    "punctuation at the end of list items": ("* able to read;\n* able to write.", "* able to read\n* able to write"),
    "headings": ("Inclusion Criteria:\n\n* adults", "INCLUSION CRITERIA\n\n* adults"),
    "typographic quotes": ("the “old” subject’s", 'the "old" subject\'s'),
    "typographic dashes": ("18–65 years", "18-65 years"),
    "a hyphen between words": ("follow-up visit", "follow up visit"),
    "a sign and its spelling": ("age >= 18, BMI <= 30, ± 2", "age ≥ 18, BMI ≤ 30, +/- 2"),
    "a minus sign and a hyphen": ("stored at −80 °C", "stored at -80 ºC"),
    "raised letters": ("platelets 100×10⁹/L and 20 mg/m²", "platelets 100 x 10^9/L and 20 mg/m2"),
    "fractions": ("1½ tablets", "1 1/2 tablets"),
    "full-width characters": ("（ＦＦＰＥ）， stage Ⅲ", "(FFPE), stage III"),
    "the two kinds of micro": ("5 µg", "5 μg"),
    "a trade mark": ("Examplin® tablets", "Examplin tablets"),
    "an empty list item": ("* adults\n* \\-", "* adults"),
}
DIFFERENT = {
    "a comparison": ("age ≥ 18", "age > 18"),
    "a comparison that vanished": ("age ≥ 18", "age 18"),
    "a decimal point": ("1.5 mg", "15 mg"),
    "a decimal comma": ("1,5 mg", "1.5 mg"),
    "a point in a number and a space": ("week 1. 5 mg", "week 1.5 mg"),
    "digits that were run together": ("grade 1 2", "grade 12"),
    "a minus sign": ("-5 points", "5 points"),
    "a result": ("ER+ tumour", "ER- tumour"),
    "a result within compounds": ("ER-PR+", "ER PR+"),
    "a result that lost its sign": ("HER2+", "HER2"),
    "an exponent": ("10² cells", "102 cells"),
    "the sign of an exponent": ("10⁻² mol", "10² mol"),
    "a lost exponent": ("10^9 cells", "109 cells"),
    "a ratio": ("randomised 2:1", "randomised 21"),
    "a removed not": ("is not allowed", "is allowed"),
    "words that were run together": ("not able", "notable"),
    "molar and metre": ("5 nM", "5 nm"),
    "milli- and mega-": ("5 mCi", "5 MCi"),
    "a per cent sign": ("5 %", "5"),
    "a comma between words": ("women, who smoke", "women who smoke"),
    "a bracket": ("adults (or children)", "adults or children"),
    "the order of words": ("dose before test", "test before dose"),
    "an item on the other side": (
        "Inclusion:\n* adults\n* smokers\n\nExclusion:\n* pregnancy",
        "Inclusion:\n* adults\n\nExclusion:\n* smokers\n* pregnancy",
    ),
    "a genus": ("E. coli infection", "S. coli infection"),
    "numbers that are all there is": ("1.", "2."),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_appearance_is_cosmetic(old: str, new: str) -> None:
    assert is_cosmetic(old, new)
    assert is_cosmetic(new, old)


@pytest.mark.parametrize(("old", "new"), DIFFERENT.values(), ids=DIFFERENT)
def test_meaning_is_not(old: str, new: str) -> None:
    assert not is_cosmetic(old, new)
    assert not is_cosmetic(new, old)


@given(st.text())
def test_no_text_differs_from_itself(text: str) -> None:
    assert is_cosmetic(text, text)


_PIECES = st.text(alphabet="aB1 2.\n*->+≥\\;:,(o ", max_size=30)


@given(_PIECES, _PIECES, _PIECES, _PIECES)
def test_looking_only_where_texts_differ_changes_no_verdict(head: str, old: str, new: str, tail: str) -> None:
    before, after = head + old + tail, head + new + tail
    whole = comparable(before) == comparable(after) or before.split() == after.split()
    assert is_cosmetic(before, after) == whole
