"""What do the differences between two versions of a record mean?  Pure: tables are passed in.

Each difference becomes one change with its label, category, severity and place, the rules that made them, and the
story and sentence that tell it.  Nothing is merged away: a sentence may tell many changes, but each keeps its line.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from hashlib import sha256
from zlib import adler32

import orjson

from watcher.core.differences import differences
from watcher.core.fields import FieldTable, value_at
from watcher.core.items.matching import canonical
from watcher.core.privacy import without_contacts
from watcher.core.weights.judging import judge
from watcher.core.weights.step import Step
from watcher.core.words.past import Past
from watcher.core.words.stories import Judged, Story, group_into_stories
from watcher.core.words.wording import word_story
from watcher.model import Change, Difference, Json

_ID_LENGTH = 16  # hexadecimal digits
_SUM_OF_BYTES = 0xFFFF  # the part of Adler-32 that does not depend on their order
NOTHING = Past()


def compare(before: Json, after: Json, table: FieldTable, *, past: Past = NOTHING) -> tuple[Change, ...]:
    """Return what changed between two versions of a record, one change for each leaf or item.

    Args:
        before, after: decoded records, whole or partial.
        table: labels, severities and identities.
        past: what was recorded of the same trial earlier; a change that comes back is a new one.
    """
    step = Step(before, after)
    judged = [Judged(difference=one, weight=judge(one, step, table)) for one in differences(before, after, table)]
    new_id = _IdMaker(after, past.ids)
    changes: list[Change] = []
    for story in group_into_stories(judged, step):
        ids = [new_id(difference) for difference in story.differences]
        changes += _changes(story, table, ids=ids, nct_id=new_id.nct_id, past=past)
    return tuple(changes)


def _changes(story: Story, table: FieldTable, *, ids: list[str], nct_id: str | None, past: Past) -> Iterator[Change]:
    wording = word_story(story, table, past)
    name = min(ids)  # not the first one: the order of the lists that they come from decides nothing
    for change_id, part in zip(ids, story.parts, strict=True):
        difference, weight = part.difference, part.weight
        rule = table.rule(difference.path)
        shown = without_contacts(difference)
        yield Change(
            id=change_id,
            nct_id=nct_id,
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
        self._occurrences: Counter[bytes] = Counter()  # how many IDs equal differences have used up

    def __call__(self, difference: Difference) -> str:
        values = [_content(value) for value in (difference.old, difference.new)]
        facts = orjson.dumps([self.nct_id, difference.path, difference.item, difference.how, *values, *self._version])
        while True:
            change_id = sha256(b"%b %d" % (facts, self._occurrences[facts])).hexdigest()[:_ID_LENGTH]
            self._occurrences[facts] += 1
            if change_id not in self._taken:
                self._taken.add(change_id)
                return change_id


def _content(value: Json) -> str:
    """Return what stands for a value in an ID: the same one however keys and lists within the value are ordered.

    Whole items are told apart by their names; their size and the sum of their bytes tell apart items of one name, at
    a twentieth of the cost of writing them in a lasting order.
    """
    if not isinstance(value, dict | list):
        return canonical(value).decode()
    written = orjson.dumps(value)
    return f"{len(written)} {adler32(written) & _SUM_OF_BYTES}"


def _text_at(record: Json, path: str) -> str | None:
    value = value_at(record, path)
    return value if isinstance(value, str) else None
