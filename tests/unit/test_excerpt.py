"""Of two long texts, readers see where they differ."""

from hypothesis import given
from hypothesis import strategies as st

from watcher.core.excerpt import EXCERPT_LENGTH, differing_parts
from watcher.core.text import one_line

FILLER = "Participants are seen every four weeks until the end of the study. " * 40


def test_a_change_deep_in_a_long_text_is_shown_with_some_words_around_it() -> None:
    was, now = differing_parts(
        f"{FILLER}Age of at least 18 years. {FILLER}", f"{FILLER}Age of at least 16 years. {FILLER}"
    )
    assert "at least 18 years" in was
    assert "at least 16 years" in now
    assert was.startswith("… ")
    assert was.endswith(" …")
    assert len(was) < 300


def test_a_text_that_only_grew_shows_what_came_and_where() -> None:
    was, now = differing_parts("One sentence.", "One sentence. Another one.")
    assert (was, now) == ("One sentence.", "One sentence. Another one.")


def test_texts_without_anything_in_common_are_cut_at_the_end() -> None:
    was, now = differing_parts("a " * 2000, "b " * 2000)
    assert len(was) <= EXCERPT_LENGTH + 4
    assert now.startswith("b b")
    assert now.endswith(" …")


@given(st.text(max_size=2000), st.text(max_size=100), st.text(max_size=100), st.text(max_size=2000))
def test_a_short_difference_is_never_cut_away(head: str, old: str, new: str, tail: str) -> None:
    before, after = f"{head} {old} {tail}", f"{head} {new} {tail}"
    if one_line(before) != one_line(after):
        assert len(set(differing_parts(before, after))) == 2
