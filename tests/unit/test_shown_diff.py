"""A mail shows what changed in a long text: the words, some around them, and how much it does not show."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.texts.shown_diff import SHOWN_LENGTH, ShownDiff, as_text, shown_diff
from watcher.core.texts.worddiff import SegmentKind

FILLER = "Participants are seen every four weeks until the end of the study or until they withdraw their consent. "
OLD_GOAL = "To compare the efficacy of the drug and of placebo in adults with severe asthma"
NEW_GOAL = "Proportion of participants whose lung function improves by a tenth or more"


def shown_text(old: str, new: str) -> str:
    return as_text(shown_diff(old, new))


def length(shown: ShownDiff) -> int:
    return sum(len(segment.text) for segment in shown.segments)


CASES = {
    "a replaced number": ("Age ≥ 18 years", "Age ≥ 12 years", "Age ≥ [18 → 12] years"),
    "an added part": ("adults with asthma", "adults with severe asthma", "adults with [added: severe] asthma"),
    "a removed part": ("death, as assessed", "death", "death[removed: , as assessed]"),
    "both sides long": (
        f"{OLD_GOAL}.",
        f"{NEW_GOAL}.",
        f"[removed: {OLD_GOAL}] [added: {NEW_GOAL}].",
    ),
    "appearance beside a change": (
        "Adults WITH asthma, aged 18",
        "Adults with asthma, aged 12",
        "Adults with asthma, aged [18 → 12]",
    ),
    "appearance alone": ("Adults WITH asthma", "Adults with asthma", "Adults [WITH → with] asthma"),
    "escapes and entities": ("age \\> 18 &amp; healthy", "age \\> 12 &amp; healthy", "age > [18 → 12] & healthy"),
    "lists numbered anew": (
        "1. adults\n2. readers",
        "1. smokers\n2. adults\n3. readers",
        "[added: • smokers] • adults • readers",
    ),
    "brackets in the text": ("[adults] aged 18", "[adults] aged 12", "[adults] aged {18 → 12}"),
    "brackets of both kinds in the text": ("[a {b}] 18", "[a {b}] 12", "[a {b}] ⟦18 → 12⟧"),
    "an arrow in the text": ("A → B, dose 18", "A → B, dose 12", "A → B, dose [18 ⇒ 12]"),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_plain_text_marks_what_changed(old: str, new: str, expected: str) -> None:
    assert shown_text(old, new) == expected


def test_what_is_alike_is_left_out_but_for_some_words() -> None:
    old = f"{FILLER * 20}They are aged at least 18 years and able to read. {FILLER * 20}"
    assert shown_text(old, old.replace("18", "16")) == (
        "… withdraw their consent. They are aged at least [18 → 16] years and able to read. Participants are seen …"
    )


def test_two_changes_far_apart_have_an_ellipsis_between_them() -> None:
    old = f"First 18 mg. {FILLER * 3}Then 20 mg."
    new = f"First 19 mg. {FILLER * 3}Then 21 mg."
    assert shown_text(old, new) == (
        "First [18 → 19] mg. Participants are seen every four weeks until "
        "… study or until they withdraw their consent. Then [20 → 21] mg."
    )


def test_a_text_without_a_difference_shows_nothing() -> None:
    assert shown_diff(FILLER, FILLER) == ShownDiff(segments=(), changes_left_out=0, words_left_out=0)


def test_a_long_addition_is_cut_at_a_word_and_the_rest_is_counted() -> None:
    shown = shown_diff("Adults.", "Adults. " + FILLER * 20)
    assert length(shown) <= SHOWN_LENGTH
    assert re.search(r"\w …", as_text(shown))
    kept = sum(word != "…" for segment in shown.segments for word in segment.text.split()) - 1
    assert kept + shown.words_left_out == len((FILLER * 20).split())
    assert shown.changes_left_out == 0


@pytest.mark.parametrize("limit", range(300, 340))
def test_a_cut_never_parts_a_number_from_its_unit(limit: int) -> None:
    shown = as_text(shown_diff("Dose.", "Dose. " + "then at least 250 mg " * 60, limit=limit))
    assert re.search(r"(?:then|mg) …", shown)


def test_of_many_changes_those_of_numbers_are_shown_first() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrst"]
    old = " ".join(f"{FILLER}{word} follows." for word in words) + " The dose is 5 mg."
    new = " ".join(f"{FILLER}another{word} follows." for word in words) + " The dose is 50 mg."
    shown = shown_diff(old, new)
    assert "[5 → 50] mg" in as_text(shown)
    assert length(shown) <= SHOWN_LENGTH
    marked = sum(segment.kind is SegmentKind.REMOVED for segment in shown.segments)
    assert marked + shown.changes_left_out == len(words) + 1
    assert shown.words_left_out == 2 * shown.changes_left_out


_WORDS = st.lists(
    st.sampled_from(
        ["a", "the", "18", "≥", "≥18", ",", ".", "mg", "(", " ", "\n", "•", "[", "{", "→", "x" * 90, FILLER]
    ),
    max_size=60,
).map(" ".join)
_TEXTS = st.one_of(_WORDS, st.text(max_size=60))


@given(_TEXTS, _TEXTS)
def test_no_text_fills_a_mail(old: str, new: str) -> None:
    shown = shown_diff(old, new, limit=300)
    assert length(shown) <= 300
    assert len(as_text(shown).splitlines()) <= 1


@given(_TEXTS, _TEXTS)
def test_marks_surround_words_not_white_space(old: str, new: str) -> None:
    for segment in shown_diff(old, new).segments:
        assert segment.text
        if segment.kind in {SegmentKind.REMOVED, SegmentKind.ADDED}:
            assert segment.text == segment.text.strip()


@given(_TEXTS, _TEXTS)
def test_marks_cannot_be_mistaken_for_text(old: str, new: str) -> None:
    """Without what is in brackets, plain text is what both texts share."""
    shown = shown_diff(old, new)
    opening, closing = _brackets_of(shown)
    alike = "".join(s.text for s in shown.segments if s.kind in {SegmentKind.EQUAL, SegmentKind.OMITTED})
    unmarked = re.sub(f"{re.escape(opening)}.*?{re.escape(closing)}", "", as_text(shown))
    assert unmarked.split() == alike.split()


def _brackets_of(shown: ShownDiff) -> tuple[str, str]:
    text = "".join(segment.text for segment in shown.segments)
    pairs = [(a * n, b * n) for n in (1, 2) for a, b in (("[", "]"), ("{", "}"), ("⟦", "⟧"), ("⟪", "⟫"))]
    return next((a, b) for a, b in pairs if a not in text and b not in text)
