"""The sentences about the study's documents: posted, removed, in a new version, or only another file.  Pure.

A document is called by its label, or by its type; the size of a file is never told.

Source: domain rules 3.7 and the documents in the field table, as ``docs/changes.md`` states them.
"""

from watcher.core.fields import FieldTable, value_at
from watcher.core.words.phrases import Wording, item_words, label_of, now, quoted, same, value_change, was
from watcher.core.words.stories import DOCUMENTS, Story
from watcher.model import Difference, How

_DATE = f"{DOCUMENTS}.date"
_FILE = frozenset(f"{DOCUMENTS}.{leaf}" for leaf in ("filename", "size", "uploadDate"))


def document_words(difference: Difference, table: FieldTable) -> str:
    """Return how a document is called that came or went, and its date."""
    date = value_at(difference.new if difference.how is How.ADDED else difference.old, "date")
    return item_words(difference, table) + (f", dated {quoted(table.words(_DATE, date))}" if date is not None else "")


def word_document(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for a document that stays and changes."""
    name = quoted(story.differences[0].item or f"{label_of(DOCUMENTS, table)} without a name")
    said = [_value(one, table) for one in story.differences if one.path not in _FILE]
    return same(f"{name}: {'; '.join(said) or 'file replaced'}")


def _value(difference: Difference, table: FieldTable) -> str:
    label = label_of(difference.path, table)
    if difference.path == _DATE and difference.how is How.CHANGED:
        return f"new version, {label.lower()} {was(difference, table)} → {now(difference, table)}"
    return value_change(label, difference, table).sentence
