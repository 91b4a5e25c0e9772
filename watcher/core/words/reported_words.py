"""The sentences about what posted results say beside their figures: their outcomes, and single texts.  Pure.

Source: domain rules 3.7, the titles of outcome measures in the field table.
"""

from watcher.core.fields import FieldTable
from watcher.core.words.phrases import Wording, counted, is_long_text, item_words, named, now, same, value_change, was
from watcher.core.words.stories import REPORTED_OUTCOMES, Story
from watcher.core.words.text_words import word_text
from watcher.model import Difference, How

_TITLE = f"{REPORTED_OUTCOMES}.title"


def word_reported_outcomes(story: Story, table: FieldTable) -> Wording | None:
    """Word outcomes that results report anew, no longer, or under another title; None if the story is about none."""
    if any(one.path not in {REPORTED_OUTCOMES, _TITLE} for one in story.differences):
        return None
    parts = [
        _counted("reworded" if how in {How.REWORDED, How.RENAMED, How.CHANGED} else how.value, names)
        for how in How
        if (names := [_outcome(one, table) for one in story.differences if one.how is how])
    ]
    headline = parts[0] if len(story.parts) == 1 else "; ".join(part.partition(":")[0] for part in parts)
    return Wording(headline=f"Results: {headline}", sentence=f"Results: {'; '.join(parts)}")


def _counted(verb: str, names: list[str]) -> str:
    what = "outcome" if len(names) == 1 else counted(len(names), "outcome")
    return f"{what} {verb}: {named(names)}"


def _outcome(difference: Difference, table: FieldTable) -> str:
    if difference.path == _TITLE:
        return f"{was(difference, table)} → {now(difference, table)}"
    return item_words(difference, table)


def word_one_text(module: str, difference: Difference, table: FieldTable) -> Wording:
    """Word a text of the results that stands alone; a long one by what became of it."""
    old, new = difference.old, difference.new
    if is_long_text(old, new) and isinstance(old, str) and isinstance(new, str):
        return same(f"Results updated: {word_text(module, old, new)}")
    return same(f"Results updated: {value_change(module, difference, table).sentence}")
