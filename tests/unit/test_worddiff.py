"""A difference is shown in whole words, where a reader would see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.texts.worddiff import SegmentKind, word_diff

_MARKS = {SegmentKind.EQUAL: "{}", SegmentKind.REMOVED: "<{}>", SegmentKind.ADDED: "[{}]"}


def marked(old: str, new: str) -> str:
    return "".join(_MARKS[segment.kind].format(segment.text) for segment in word_diff(old, new))


CASES = {
    "a number": ("age of 18 years", "age of 12 years", "age of <18 ><12 >years"),
    "a number with its comparison": ("age ≥18 years", "age >18 years", "age <≥18 >[>18 ]years"),
    "a comparison takes its number along": ("age ≥ 18 years", "age = 18 years", "age <≥ 18 >[= 18 ]years"),
    "a removed not": ("is not allowed", "is allowed", "is <not >allowed"),
    "words before a comma": (
        "until progression as assessed, death",
        "until progression, death",
        "until progression< as assessed>, death",
    ),
    "a sentence between others": (
        "It begins. It ends.",
        "It begins. It goes on. It ends.",
        "It begins. [It goes on. ]It ends.",
    ),
    "a list item between others": (
        "• adults • readers",
        "• adults • smokers • readers",
        "• adults [• smokers ]• readers",
    ),
    "a comma takes its word along": (
        "for five days of rest",
        "for five days, of rest",
        "for five <days >[days, ]of rest",
    ),
    "brackets take their word along": ("for five days", "for (five) days", "for <five >[(five) ]days"),
    "a result": ("a HER2+ tumour", "a HER2- tumour", "a <HER2+ >[HER2- ]tumour"),
    "a unit": ("5 mg/kg daily", "5 mg/m2 daily", "5 <mg/kg >[mg/m2 ]daily"),
    "a range": ("aged 18-65 years", "aged 18-70 years", "aged <18-65 >[18-70 ]years"),
    "a lone small word between two changes": (
        "Adults with asthma of the lower airways are included in the study.",
        "Adults with eczema of unknown origins are included in the study.",
        "Adults with <asthma of the lower airways >[eczema of unknown origins ]are included in the study.",
    ),
    "two additions stay apart": (
        "adults and children",
        "healthy adults and older children",
        "[healthy ]adults and [older ]children",
    ),
    "a text that was rewritten": (
        "To evaluate the efficacy of the drug.",
        "Number of participants with any response until the end.",
        "<To evaluate the efficacy of the drug>[Number of participants with any response until the end].",
    ),
    "a text that came": ("", "adults", "[adults]"),
    "a text that went": ("adults", "", "<adults>"),
    "equal texts": ("adults", "adults", "adults"),
    "no text": ("", "", ""),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_a_difference_reads_well(old: str, new: str, expected: str) -> None:
    assert marked(old, new) == expected.replace("<18 ><12 >", "<18 >[12 ]")


_WORDS = st.lists(
    st.sampled_from(
        ["a", "the", "18", "≥", "≥18", ",", ".", "mg", "(", ")", " ", "  ", "HER2+", "\n", "•", "drug", "dose"]
    ),
    max_size=30,
).map("".join)
_TEXTS = st.one_of(_WORDS, st.text(max_size=60))


@given(_TEXTS, _TEXTS)
def test_the_segments_are_both_texts_to_the_last_space(old: str, new: str) -> None:
    segments = word_diff(old, new)
    assert "".join(s.text for s in segments if s.kind is not SegmentKind.ADDED) == old
    assert "".join(s.text for s in segments if s.kind is not SegmentKind.REMOVED) == new
    assert all(s.text for s in segments)


@given(_TEXTS, _TEXTS)
def test_the_way_back_is_the_same_difference(old: str, new: str) -> None:
    mirror = {SegmentKind.ADDED: SegmentKind.REMOVED, SegmentKind.REMOVED: SegmentKind.ADDED}
    there = sorted((s.kind.value, s.text) for s in word_diff(old, new))
    back = sorted((mirror.get(s.kind, s.kind).value, s.text) for s in word_diff(new, old))
    assert there == back


@given(_TEXTS, _TEXTS)
def test_something_is_marked_exactly_where_texts_differ(old: str, new: str) -> None:
    assert any(s.kind is not SegmentKind.EQUAL for s in word_diff(old, new)) == (old != new)
