"""What do the differences between two versions of a record mean?  Pure: tables are passed in.

Each difference becomes one change with its label, category, severity and place, the rules that made them, and the
story and sentence that tell it.  Nothing is merged away: a sentence may tell many changes, but each keeps its line.
"""

from collections.abc import Collection, Iterator
from hashlib import sha256
from zlib import adler32

import orjson

from watcher.core.differences import differences
from watcher.core.fields import FieldTable, value_at
from watcher.core.items.matching import canonical
from watcher.core.privacy import may_show_contacts, without_contacts
from watcher.core.weights.judging import Judge
from watcher.core.weights.step import Step
from watcher.core.words.past import Past
from watcher.core.words.stories import Judged, Story, group_into_stories
from watcher.core.words.wording import word_story
from watcher.model import Change, Difference, Json

_ID_LENGTH = 16  # hexadecimal digits
_SUM_OF_BYTES = 0xFFFF  # the part of Adler-32 that does not depend on their order
_NULL = b"null"  # half of the values: what came was nothing before
NOTHING = Past()


def compare(before: Json, after: Json, table: FieldTable, *, past: Past = NOTHING) -> tuple[Change, ...]:
    """Return what changed between two versions of a record, one change for each leaf or item.

    Args:
        before, after: decoded records, whole or partial.
        table: labels, severities and identities.
        past: what was recorded of the same trial earlier; a change that comes back is a new one.
    """
    step = Step(before, after)
    judge = Judge(step, table)
    judged = [Judged(difference=one, weight=judge(one)) for one in differences(before, after, table)]
    new_id = _IdMaker(after, past.ids)
    changes: list[Change] = []
    for story in group_into_stories(judged, step):
        changes += _changes(story, table, new_id, past=past)
    return tuple(changes)


def _changes(story: Story, table: FieldTable, new_id: "_IdMaker", *, past: Past) -> Iterator[Change]:
    wording = word_story(story, table, past)
    shown_by_id = dict(_shown(difference, new_id) for difference in story.differences)
    name = min(shown_by_id)  # not the first one: the order of the lists that they come from decides nothing
    for part, (change_id, shown) in zip(story.parts, shown_by_id.items(), strict=True):
        difference, weight = part.difference, part.weight
        rule = table.rule(difference.path)
        yield Change(
            id=change_id,
            nct_id=new_id.nct_id,
            path=difference.path,
            item=shown.item,
            how=difference.how,
            label=rule.label,
            category=rule.category,
            severity=weight.severity,
            place=weight.place,
            rules=weight.rules,
            story=name,
            sentence=wording.sentence,
            headline=wording.headline,
            old=shown.old,
            new=shown.new,
        )


def _shown(difference: Difference, new_id: "_IdMaker") -> tuple[str, Difference]:
    """Return the ID of a difference, and the difference as everybody may read it: both by its values as written."""
    old, new = _written(difference.old), _written(difference.new)
    shown = without_contacts(difference) if may_show_contacts(difference.path, old, new) else difference
    return new_id(difference, old, new), shown


class _IdMaker:
    """Names changes by what they are and in which version they came, never by when we saw them.

    A value that flips back and forth without a sponsor's update would give the same name twice; a count keeps those
    apart.
    """

    def __init__(self, after: Json, known: Collection[str]) -> None:
        self.nct_id = _text_at(after, "protocolSection.identificationModule.nctId")
        self._version = [
            _text_at(after, "protocolSection.statusModule.lastUpdateSubmitDate"),
            _text_at(after, "protocolSection.statusModule.lastUpdatePostDateStruct.date"),
        ]
        self._taken = set(known)
        self._occurrences: dict[bytes, int] = {}  # how many IDs equal differences have used up

    def __call__(self, difference: Difference, old: bytes, new: bytes) -> str:
        """Return the ID of a difference whose values ``_written`` has written."""
        values = [_content(difference.old, old), _content(difference.new, new)]
        facts = orjson.dumps([self.nct_id, difference.path, difference.item, difference.how, *values, *self._version])
        count = self._occurrences.get(facts, 0)
        while (change_id := sha256(b"%b %d" % (facts, count)).hexdigest()[:_ID_LENGTH]) in self._taken:
            count += 1
        self._occurrences[facts] = count + 1
        self._taken.add(change_id)
        return change_id


def _written(value: Json) -> bytes:
    if value is None:
        return _NULL
    return orjson.dumps(value) if isinstance(value, dict | list) else canonical(value)


def _content(value: Json, written: bytes) -> str:
    """Return what stands for a value in an ID: the same one however keys and lists within the value are ordered.

    Whole items are told apart by their names; their size and the sum of their bytes tell apart items of one name, at
    a twentieth of the cost of writing them in a lasting order.
    """
    if not isinstance(value, dict | list):
        return written.decode()
    return f"{len(written)} {adler32(written) & _SUM_OF_BYTES}"


def _text_at(record: Json, path: str) -> str | None:
    value = value_at(record, path)
    return value if isinstance(value, str) else None
