"""What happened, in one neutral sentence.  Pure.

Labels are the registry's own, values stand as they are in the record, enum values by their labels.  Nothing is
interpreted and nothing is generated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from watcher.core import stories
from watcher.core.fields import UNKNOWN_FIELD, FieldTable, value_at
from watcher.core.text import one_line
from watcher.model import Difference, How, Json

LONG_TEXT = 120  # characters; longer values are not quoted in a sentence
LONGEST_SENTENCE = 2_000  # characters; what a registry gone mad writes into a date must not fill a mail
NAMED_ITEMS = 3  # of a group of items; the others are counted
_STOPS = frozenset({"SUSPENDED", "TERMINATED", "WITHDRAWN"})
_EVENTS = {
    "RELEASE": "Results submitted to ClinicalTrials.gov",
    "RESET": "Results returned to the sponsor after quality control review",
    "UNRELEASE": "Submission of results cancelled",
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
    """Return the sentence that tells a story, and its short form, each on one line."""
    worded = _worded(story, table)
    return Wording(
        headline=one_line(worded.headline, LONGEST_SENTENCE), sentence=one_line(worded.sentence, LONGEST_SENTENCE)
    )


def _worded(story: Story, table: FieldTable) -> Wording:
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
    return _plain(story, table)


def _plain(story: Story, table: FieldTable) -> Wording:
    if len(story.differences) > 1 or story.differences[0].path.endswith("[]"):
        return _group(story, table)
    return _single(story.differences[0], table)


def _status(story: Story, table: FieldTable) -> Wording:
    old, new = (value_at(record, stories.STATUS) for record in (story.before, story.after))
    if old == new:
        return _reason(story, table)
    headline = f"Recruitment status: {table.words(stories.STATUS, old)} → {table.words(stories.STATUS, new)}"
    if note := _status_note(new, value_at(story.after, stories.WHY_STOPPED)):
        return Wording(headline=headline, sentence=f"{headline} ({note})")
    return _same(headline)


def _status_note(status: Json, why: Json) -> str | None:
    if isinstance(why, str) and why:
        return f"reason given: {_quoted(why)}"
    if status == "UNKNOWN":
        return "set by the registry: not verified for two years"
    return "no reason given" if isinstance(status, str) and status in _STOPS else None


def _reason(story: Story, table: FieldTable) -> Wording:
    """The status stands; its reason, or the last known status, does not."""
    for difference in story.differences:
        if difference.path == stories.WHY_STOPPED:
            return _value_change("Reason for stopping", difference, table)
    return _single(story.differences[0], table)


def _results(story: Story, table: FieldTable) -> Wording:
    flip = next(difference for difference in story.differences if difference.path == stories.HAS_RESULTS)
    if flip.new is not True:
        return _same("Results removed from the record") if flip.old is True else _single(flip, table)
    posted_at = "protocolSection.statusModule.resultsFirstPostDateStruct.date"
    posted = value_at(story.after, posted_at)
    if posted is None:
        return _same("Results posted with quality control comments (quality control not yet passed)")
    documents = dict.fromkeys(
        difference.item
        for difference in story.differences
        if difference.path == stories.DOCUMENTS and difference.how is How.ADDED and difference.item
    )
    with_documents = f", with {'; '.join(map(_quoted, documents))}" if documents else ""
    sentence = f"Results posted (first posted {_quoted(table.words(posted_at, posted))}){with_documents}"
    return Wording(headline="Results posted", sentence=sentence)


def _submission(story: Story, table: FieldTable) -> Wording:
    events = [
        difference.new
        for difference in story.differences
        if difference.path == stories.SUBMISSION_EVENTS
        and difference.how is How.ADDED
        and isinstance(difference.new, dict)
    ]
    said = [_submission_event(event, table) for event in sorted(events, key=lambda event: str(event.get("date", "")))]
    return _same("; ".join(said) or "Results submission record changed")


def _submission_event(event: dict[str, Json], table: FieldTable) -> str:
    kind, date = (
        _quoted(table.words(f"{stories.SUBMISSION_EVENTS}.{key}", event.get(key))) for key in ("type", "date")
    )
    what = _EVENTS.get(str(event.get("type")), f"Results: {kind}")
    return f"{what} on {date}" if event.get("date") else f"{what} (date not recorded)"


def _contacts(_story: Story, _table: FieldTable) -> Wording:
    return _same("Contacts changed")


def _typed_value(story: Story, table: FieldTable) -> Wording:
    """A date or an enrolment with its type: ``2026-03 (estimated) → 2027-05 (estimated)``."""
    leaf = "count" if story.key.endswith(stories.ENROLLMENT) else "date"
    old, new = (_with_type(record, story.key, leaf, table) for record in (story.before, story.after))
    if old == new:
        return _plain(story, table)
    return _same(f"{_label(f'{story.key}.{leaf}', table)}: {old} → {new}")


def _with_type(record: Json, struct: str, leaf: str, table: FieldTable) -> str:
    value, kind = value_at(record, f"{struct}.{leaf}"), value_at(record, f"{struct}.type")
    if value is None:
        return "none"
    words = table.words(f"{struct}.{leaf}", value)
    return f"{words} ({table.words(f'{struct}.type', kind).lower()})" if kind else words


def _group(story: Story, table: FieldTable) -> Wording:
    first = story.differences[0]
    if any(difference.path != first.path for difference in story.differences):
        named_by = f"{story.key}.masking" if story.key.endswith("maskingInfo") else first.path
        label = _label(named_by, table).partition(":")[0]
        return _same(f"{label}: {len(story.differences)} values changed")
    if first.path == stories.LOCATIONS + ".status":
        return _site_status(story, table)
    label, plural = _label(first.path, table), table.rule(first.path).plural
    parts = [
        _counted(label, plural, how.value, names)
        for how in How
        if (names := [_item_words(d, table) for d in story.differences if d.how is how])
    ]
    return Wording(headline="; ".join(part.partition(":")[0] for part in parts), sentence="; ".join(parts))


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
    headline = f"{_label(first.path, table)}, {where}: {_was(first, table)} → {_now(first, table)}"
    if count == 1:
        return _same(headline)
    more = f" and {count - NAMED_ITEMS} more" if count > NAMED_ITEMS else ""
    return Wording(headline=headline, sentence=f"{headline} ({'; '.join(names[:NAMED_ITEMS])}{more})")


def _single(difference: Difference, table: FieldTable) -> Wording:
    label = _label(difference.path, table)
    if difference.item is not None and "[]." in difference.path:
        label = f"{_quoted(difference.item)}: {label}"
    return _value_change(label, difference, table)


def _value_change(label: str, difference: Difference, table: FieldTable) -> Wording:
    old, new = difference.old, difference.new
    if any(isinstance(value, str) and len(value) > LONG_TEXT for value in (old, new)):
        return _same(f"{label} {difference.how.value}")
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


def _label(path: str, table: FieldTable) -> str:
    """Return what the field is called; for one that this program does not know, also where it stands."""
    rule = table.rule(path)
    return f"{rule.label} {_quoted(path)}" if rule.path == UNKNOWN_FIELD else rule.label


def _same(text: str) -> Wording:
    return Wording(headline=text, sentence=text)
