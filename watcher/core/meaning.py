"""What do the differences between two versions of a record mean?  Pure: tables are passed in.

Each difference becomes one change with its label, category, severity and place from the field table, and with the
story and sentence that tell it.  Nothing is merged away: a sentence may tell many changes, but each keeps its line.
"""

from collections.abc import Collection, Iterator
from hashlib import sha256

import orjson

from watcher.core import stories
from watcher.core.differences import differences
from watcher.core.fields import FieldTable
from watcher.core.outcomes import join_moved_outcomes
from watcher.core.privacy import without_contacts
from watcher.core.wording import Story, Wording, word_story
from watcher.model import Change, Difference, Json, Severity

_ID_LENGTH = 16  # hexadecimal digits


def compare(before: Json, after: Json, table: FieldTable, *, known: Collection[str] = ()) -> tuple[Change, ...]:
    """Return what changed between two versions of a record, one change for each leaf or item.

    Args:
        before, after: decoded records, whole or partial.
        table: labels, severities and identities.
        known: IDs of changes of the same trial that were recorded earlier; a change that comes back is a new one.
    """
    found = join_moved_outcomes(differences(before, after, table))
    new_id = _IdMaker(after, known)
    changes: list[Change] = []
    for key, group in stories.group_into_stories(found):
        wording = word_story(Story(key=key, differences=group, before=before, after=after), table)
        ids = [new_id(difference) for difference in group]
        changes += _changes(group, ids, wording, table=table, nct_id=new_id.nct_id)
    return tuple(changes)


def _changes(
    group: list[Difference], ids: list[str], wording: Wording, *, table: FieldTable, nct_id: str | None
) -> Iterator[Change]:
    for change_id, difference in zip(ids, group, strict=True):
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
            severity=_severity(difference, table),
            place=rule.place,
            story=ids[0],
            sentence=wording.sentence,
            headline=wording.headline,
            old=shown.old,
            new=shown.new,
        )


def _severity(difference: Difference, table: FieldTable) -> Severity:
    if difference.path == stories.STATUS:
        transition = table.rules.statuses.get((str(difference.old), str(difference.new)))
        if transition:
            return transition.severity
    return table.rule(difference.path).severity


class _IdMaker:
    """Names changes by what they are and in which version they came, never by when we saw them.

    A value that flips back and forth without a sponsor's update would give the same name twice; a count keeps those
    apart.
    """

    def __init__(self, after: Json, known: Collection[str]) -> None:
        modules = _object(_object(after).get("protocolSection"))
        status = _object(modules.get("statusModule"))
        nct_id = _object(modules.get("identificationModule")).get("nctId")
        self.nct_id = nct_id if isinstance(nct_id, str) else None
        self._version = [
            status.get("lastUpdateSubmitDate"),
            _object(status.get("lastUpdatePostDateStruct")).get("date"),
        ]
        self._taken = set(known)

    def __call__(self, difference: Difference) -> str:
        facts = [self.nct_id, difference.path, difference.item, difference.how, difference.old, difference.new]
        occurrence = 0
        while True:
            text = orjson.dumps([*facts, *self._version, occurrence], option=orjson.OPT_SORT_KEYS)
            change_id = sha256(text).hexdigest()[:_ID_LENGTH]
            if change_id not in self._taken:
                self._taken.add(change_id)
                return change_id
            occurrence += 1


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
