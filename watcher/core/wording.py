"""What happened, in one neutral sentence.  Pure.

Labels are the registry's own, values stand as they are in the record, enum values by their labels.  Nothing is
interpreted and nothing is generated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from watcher.core import stories
from watcher.core.fields import UNKNOWN_FIELD, FieldTable
from watcher.core.text import one_line
from watcher.model import Difference, How, Json

LONG_TEXT = 120  # characters; longer values are not quoted in a sentence
NAMED_ITEMS = 3  # of a group of items; the others are counted
_STOPS = frozenset({"SUSPENDED", "TERMINATED", "WITHDRAWN"})
_EVENTS = {
    "RELEASE": "Results submitted to ClinicalTrials.gov",
    "RESET": "Results returned to the sponsor after quality control review",
    "UNRELEASE": "Submission of results cancelled",
}
_VERBS = {
    How.ADDED: "added",
    How.REMOVED: "removed",
    How.PROMOTED: "promoted",
    How.DEMOTED: "demoted",
    How.RENAMED: "renamed",
    How.REWORDED: "reworded",
    How.CHANGED: "changed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Differences that one sentence tells, with both records for what stands beside them."""

    key: str
    differences: Sequence[Difference]
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    headline: str  # for subjects
    sentence: str


def word_story(story: Story, table: FieldTable) -> Wording:
    """Return the sentence that tells a story, and its short form."""
    special = {
        stories.STATUS: _status,
        stories.RESULTS: _results,
        stories.SUBMISSION: _submission,
        stories.CONTACTS: _contacts,
    }.get(story.key)
    if special:
        return special(story, table)
    if story.key.endswith(("DateStruct", stories.ENROLLMENT)):
        return _typed_value(story, table)
    if len(story.differences) > 1 or story.differences[0].path.endswith("[]"):
        return _group(story, table)
    return _single(story.differences[0], table)


def _status(story: Story, table: FieldTable) -> Wording:
    old, new = (_at(record, stories.STATUS) for record in (story.before, story.after))
    why = _at(story.after, stories.WHY_STOPPED)
    if old == new:
        return _reason(story, table)
    headline = f"Recruitment status: {table.words(stories.STATUS, old)} → {table.words(stories.STATUS, new)}"
    if why:
        return Wording(headline=headline, sentence=f"{headline} (reason given: {_quoted(why)})")
    if new in _STOPS:
        return Wording(headline=headline, sentence=f"{headline} (no reason given)")
    if new == "UNKNOWN":
        note = "set by the registry: not verified for two years"
        return Wording(headline=headline, sentence=f"{headline} ({note})")
    return Wording(headline=headline, sentence=headline)


def _reason(story: Story, table: FieldTable) -> Wording:
    """The status stands; its reason, or the last known status, does not."""
    for difference in story.differences:
        if difference.path == stories.WHY_STOPPED:
            label = "Reason for stopping"
            return _value_change(label, difference, table)
    return _single(story.differences[0], table)


def _results(story: Story, _table: FieldTable) -> Wording:
    flip = next(difference for difference in story.differences if difference.path == stories.HAS_RESULTS)
    if not flip.new:
        return _same("Results removed from the record")
    posted = _at(story.after, "protocolSection.statusModule.resultsFirstPostDateStruct.date")
    if posted is None:
        return _same("Results posted with quality control comments (quality control not yet passed)")
    documents = [
        difference.item or "document"
        for difference in story.differences
        if difference.path.startswith("documentSection") and difference.how is How.ADDED and difference.item
    ]
    with_documents = f", with {'; '.join(dict.fromkeys(documents))}" if documents else ""
    return Wording(headline="Results posted", sentence=f"Results posted (first posted {posted}){with_documents}")


def _submission(story: Story, _table: FieldTable) -> Wording:
    events = [
        difference.new
        for difference in story.differences
        if difference.path == stories.SUBMISSION_EVENTS and difference.how is How.ADDED
    ]
    said = []
    for event in sorted(events, key=lambda event: str(event.get("date", ""))):
        what = _EVENTS.get(event.get("type"), f"Results: {event.get('type')}")
        said.append(f"{what} on {event['date']}" if event.get("date") else f"{what} (date not recorded)")
    return _same("; ".join(said) or "Results submission record changed")


def _contacts(_story: Story, _table: FieldTable) -> Wording:
    return _same("Contacts changed")


def _typed_value(story: Story, table: FieldTable) -> Wording:
    """A date or an enrolment with its type: ``2026-03 (estimated) → 2027-05 (estimated)``."""
    leaf = "count" if story.key.endswith(stories.ENROLLMENT) else "date"
    path = f"{story.key}.{leaf}"
    old, new = (_with_type(record, story.key, leaf, table) for record in (story.before, story.after))
    return _same(f"{table.rule(path).label}: {old} → {new}")


def _with_type(record: Json, struct: str, leaf: str, table: FieldTable) -> str:
    value, kind = _at(record, f"{struct}.{leaf}"), _at(record, f"{struct}.type")
    if value is None:
        return "none"
    words = table.words(f"{struct}.{leaf}", value)
    return f"{words} ({table.words(f'{struct}.type', kind).lower()})" if kind else words


def _group(story: Story, table: FieldTable) -> Wording:
    first = story.differences[0]
    paths = {difference.path for difference in story.differences}
    if len(paths) > 1:
        label = _common_label(story.key, first, table)
        return _same(f"{label}: {len(story.differences)} values changed")
    if first.path == stories.LOCATIONS + ".status":
        return _site_status(story, table)
    rule = table.rule(first.path)
    parts = [
        _counted(rule.label, rule.plural, _VERBS[how], names)
        for how in How
        if (names := [_item_words(d, table) for d in story.differences if d.how is how])
    ]
    return Wording(headline="; ".join(part.partition(":")[0] for part in parts), sentence="; ".join(parts))


def _common_label(key: str, first: Difference, table: FieldTable) -> str:
    """Return what different fields of one story are called together."""
    if key.endswith("maskingInfo"):
        return table.rule(f"{key}.masking").label
    return table.rule(first.path).label.partition(":")[0]


def _counted(label: str, plural: str | None, verb: str, names: Sequence[str]) -> str:
    count = len(names)
    shown = "; ".join(names[:NAMED_ITEMS])
    more = f" and {count - NAMED_ITEMS} more" if count > NAMED_ITEMS else ""
    if count == 1:
        return f"{label} {verb}: {shown}"
    return f"{count} {plural or label} {verb}: {shown}{more}"


def _site_status(story: Story, table: FieldTable) -> Wording:
    first, count = story.differences[0], len(story.differences)
    names = [difference.item or "a location without a name" for difference in story.differences]
    where = names[0] if count == 1 else f"{count} locations"
    headline = f"{table.rule(first.path).label}, {where}: {_was(first, table)} → {_now(first, table)}"
    if count == 1:
        return _same(headline)
    more = f" and {count - NAMED_ITEMS} more" if count > NAMED_ITEMS else ""
    return Wording(headline=headline, sentence=f"{headline} ({'; '.join(names[:NAMED_ITEMS])}{more})")


def _single(difference: Difference, table: FieldTable) -> Wording:
    rule = table.rule(difference.path)
    label = rule.label if rule.path != UNKNOWN_FIELD else f"{rule.label} {difference.path}"
    if difference.item is not None and "[]." in difference.path:
        label = f"{_quoted(difference.item)}: {label}"
    return _value_change(label, difference, table)


def _value_change(label: str, difference: Difference, table: FieldTable) -> Wording:
    old, new = difference.old, difference.new
    if any(isinstance(value, str) and len(value) > LONG_TEXT for value in (old, new)):
        return _same(f"{label} {_VERBS[difference.how]}")
    if difference.how is How.ADDED:
        return _same(f"{label} added: {_now(difference, table)}")
    if difference.how is How.REMOVED:
        return _same(f"{label} removed (was {_was(difference, table)})")
    return _same(f"{label}: {_was(difference, table)} → {_now(difference, table)}")


def _item_words(difference: Difference, table: FieldTable) -> str:
    if difference.item is not None:
        return _quoted(table.words(difference.path, difference.item))
    return "an item without a name"


def _was(difference: Difference, table: FieldTable) -> str:
    return _quoted(table.words(difference.path, difference.old))


def _now(difference: Difference, table: FieldTable) -> str:
    return _quoted(table.words(difference.path, difference.new))


def _quoted(text: str) -> str:
    """Return a value on one line, cut where it would drown the sentence."""
    return one_line(text, LONG_TEXT)


def _at(record: Json, path: str) -> Json:
    for key in path.split("."):
        if not isinstance(record, dict) or key not in record:
            return None
        record = record[key]
    return record


def _same(text: str) -> Wording:
    return Wording(headline=text, sentence=text)
