"""A long text is read line by line: what a reader should see, and what only arranges it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.texts.lines import lines_of, readable

CASES = {
    "a Markdown bullet": ("* Age of at least 18 years", ("*", "Age of at least 18 years")),
    "a number of a list": ("12. Able to consent", ("12.", "Able to consent")),
    "a number without a space": ("1.Able to consent", ("1.", "Able to consent")),
    "an escaped bullet, typed by hand": ("\\- Able to consent", ("-", "Able to consent")),
    "an escaped number, typed by hand": ("3\\. Able to consent", ("3.", "Able to consent")),
    "a number after a bullet": ("* (2) Able to consent", ("* (2)", "Able to consent")),
    "a small letter": ("b. Able to consent", ("b.", "Able to consent")),
    "a Roman number": ("iii. Able to consent", ("iii.", "Able to consent")),
    "a number in a circle": ("② heart failure", ("②", "heart failure")),
    "a capital that counts": ("A. Stage II", ("A.", "Stage II")),
    "a genus, which does not": ("E. coli infection", (None, "E. coli infection")),
    "a decimal number": ("1.5 mg or less", (None, "1.5 mg or less")),
    "a minus sign": ("-5 to 5 points", (None, "-5 to 5 points")),
    "a number alone": ("1.", (None, "1.")),
    "escapes": ("Age \\>= 18 \\[years\\], 10\\^9", (None, "Age >= 18 [years], 10^9")),
    "entities": ("height &lt; 2 m &#x27;tall&#39; &amp;gt; 1", (None, "height < 2 m 'tall' > 1")),
    "an ampersand that begins no entity": ("R&D; A&not B", (None, "R&D; A&not B")),
    "white space of all kinds": ("a \u00a0 b\u2009c", (None, "a b c")),
    "invisible characters": ("tri\u00adal\u200b watch\ufeff", (None, "trial watch")),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_what_begins_a_line_is_told_from_its_words(text: str, expected: tuple[str | None, str]) -> None:
    (line,) = lines_of(text)
    assert (line.marker, line.words) == expected


@pytest.mark.parametrize("text", ["", " \n\n", "\\-", "* \n---", "_____"], ids=repr)
def test_a_line_without_words_is_no_line(text: str) -> None:
    assert lines_of(text) == ()


def test_the_depth_of_a_list_is_kept() -> None:
    text = "Inclusion Criteria:\n\n* one of\n\n  * this\n    * and that\n"
    assert [line.indent for line in lines_of(text)] == [0, 0, 2, 4]


def test_the_markup_of_the_record_history_reads_like_that_of_the_api() -> None:
    archive = "<p>Inclusion:</p><ul><li>one of<ol><li>this</li></ol></li><li>ANC 10<sup>9</sup>/L &amp; more</li></ul>"
    api = "Inclusion:\n\n* one of\n\n  1. this\n* ANC 10\\^9/L & more"
    assert [(line.indent, line.words) for line in lines_of(archive)] == [
        (line.indent, line.words) for line in lines_of(api)
    ]


def test_what_only_looks_like_markup_is_kept() -> None:
    assert readable("p<0.05 and \\<b> or <c>") == "p<0.05 and <b> or <c>"


def test_a_text_is_shown_on_one_line_with_one_kind_of_bullet() -> None:
    assert readable("To be included:\n\n1. adults\n2. able to\n   read\n\n- or write") == (
        "To be included: • adults • able to read • or write"
    )


@given(st.text(max_size=200))
def test_any_text_can_be_shown_on_one_line(text: str) -> None:
    shown = readable(text)
    assert len(shown.splitlines()) <= 1
    assert shown == " ".join(shown.split())
