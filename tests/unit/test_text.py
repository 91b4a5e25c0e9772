"""Text from a record on one line of ours: nothing invisible gets through, and nothing visible is lost."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.text import one_line

hostile = st.text(st.one_of(st.characters(), st.sampled_from("\r\n\t\x00\x1b\x85\u2028\u202e\u2066\u200b\ufeff\u00ad")))


@given(hostile)
def test_no_control_character_no_mark_and_no_line_break_is_left(text: str) -> None:
    assert not {unicodedata.category(character) for character in one_line(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(one_line(text).splitlines()) <= 1


@given(hostile)
def test_every_visible_character_stays_in_its_order(text: str) -> None:
    def visible(some: str) -> list[str]:
        return [c for c in some if not c.isspace() and unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}]

    assert visible(one_line(text)) == visible(text)


@given(hostile, st.integers(1, 30))
def test_a_line_is_no_longer_than_its_limit_and_says_so_when_it_is_cut(text: str, limit: int) -> None:
    line, whole = one_line(text, limit), one_line(text)

    assert len(line) <= limit
    assert line == whole or (line.endswith("…") and whole.startswith(line[:-1]))


@given(hostile)
def test_a_line_stays_what_it_is(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("  a  b ", "a b", id="white space is one space"),
        pytest.param("a\r\nb\tc", "a b c", id="line ends and tabs are spaces"),
        pytest.param("a\u202eb\u2066c", "a b c", id="direction marks are spaces"),
        pytest.param("\x1b[31mred", "[31mred", id="a terminal's escape loses its escape"),
        pytest.param("naïve → 名", "naïve → 名", id="letters of all scripts stay"),
        pytest.param("", "", id="nothing stays nothing"),
    ],
)
def test_text_becomes_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
