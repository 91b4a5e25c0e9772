"""The sentence about who answers for a study, where it is somebody else now.  Pure.

Source: the responsible party in the field table, domain rules 3.5.
"""

from watcher.core.fields import FieldTable, value_at
from watcher.core.words.phrases import Wording, label_of, quoted, same
from watcher.core.words.stories import RESPONSIBLE, Story
from watcher.model import Json

_TYPE = f"{RESPONSIBLE}.type"
_PERSON = ("investigatorFullName", "investigatorTitle", "investigatorAffiliation")


def word_responsible_party(story: Story, table: FieldTable) -> Wording | None:
    """Word both parties whole: ``Sponsor → Principal Investigator (N. N., Professor, Example Institute)``.

    None where it is no other kind of party: then what changed is told value by value.
    """
    if not any(difference.path == _TYPE for difference in story.differences):
        return None
    old, new = (_party(value_at(record, RESPONSIBLE), table) for record in (story.step.before, story.step.after))
    label = label_of(_TYPE, table)
    if not old or not new:
        return same(f"{label} added: {new}" if new else f"{label} removed (was {old})")
    return same(f"{label}: {old} → {new}")


def _party(party: Json, table: FieldTable) -> str:
    kind = value_at(party, "type")
    person = [quoted(str(said)) for key in _PERSON if (said := value_at(party, key)) is not None]
    words = quoted(table.words(_TYPE, kind)) if kind is not None else ""
    return f"{words} ({', '.join(person)})".strip() if person else words
