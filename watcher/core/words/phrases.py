"""The small parts of sentences: labels, values and counts in words.  Pure.

Labels are the registry's own, values stand as they are in the record, enum values by their labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from watcher.core.fields import UNKNOWN_FIELD, FieldTable
from watcher.core.text import one_line
from watcher.model import Difference, How, Json

LONG_TEXT = 120  # characters; longer values are not quoted in a sentence
LONGEST_REASON = 300  # characters; the registry allows 250 for the reason of a stop
NAMED_ITEMS = 3  # of a group of items; the others are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    headline: str  # for subjects
    sentence: str


def same(text: str) -> Wording:
    return Wording(headline=text, sentence=text)


def quoted(text: str, limit: int = LONG_TEXT) -> str:
    """Return a value on one line, cut where it would drown the sentence."""
    return one_line(text, limit)


def label_of(path: str, table: FieldTable) -> str:
    """Return what the field is called; for one that this program does not know, also where it stands."""
    rule = table.rule(path)
    return f"{rule.label} {quoted(path)}" if rule.path == UNKNOWN_FIELD else rule.label


def was(difference: Difference, table: FieldTable) -> str:
    return quoted(table.words(difference.path, difference.old))


def now(difference: Difference, table: FieldTable) -> str:
    return quoted(table.words(difference.path, difference.new))


def is_long_text(*values: Json) -> bool:
    return any(isinstance(value, str) and len(value) > LONG_TEXT for value in values)


def value_change(label: str, difference: Difference, table: FieldTable) -> Wording:
    """Word one value that came, went or changed."""
    if is_long_text(difference.old, difference.new):
        return same(f"{label} {difference.how.value}")
    if difference.how is How.ADDED:
        words = now(difference, table)
        yes_or_no = isinstance(difference.new, bool)
        return same(f"{label}: {words} (was not stated)" if yes_or_no else f"{label} added: {words}")
    if difference.how is How.REMOVED:
        gone = "is not stated any more" if isinstance(difference.old, bool) else "removed"
        return same(f"{label} {gone} (was {was(difference, table)})")
    return same(f"{label}: {was(difference, table)} → {now(difference, table)}")


def item_words(difference: Difference, table: FieldTable) -> str:
    if difference.item is not None:
        return quoted(table.words(difference.path, difference.item))
    return "an item without a name"


def in_sentence(label: str) -> str:
    """Return a label as it stands after a number: ``secondary outcome measures``, ``secondary IDs``."""
    return " ".join(word if any(map(str.isupper, word[1:])) else word.lower() for word in label.split(" "))


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 contact``, ``1,200 contacts``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def named(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - NAMED_ITEMS:,} more" if len(names) > NAMED_ITEMS else ""
    return "; ".join(names[:NAMED_ITEMS]) + more


def listed(names: Sequence[str], *, last: str = "and") -> str:
    """Return names without punctuation of their own as a sentence lists them: ``Germany, Italy and Spain``."""
    more = [f"{len(names) - NAMED_ITEMS:,} more"] if len(names) > NAMED_ITEMS else []
    *first, final = [*names[:NAMED_ITEMS], *more] or [""]
    return f"{', '.join(first)} {last} {final}" if first else final
