"""The sentences about what the law asks of a study: certifications and extensions, violations.  Pure.

Does not say what is due when, and claims no more than the record: which of the two was filed it does not say.

Source: domain rules 1.4 as ``docs/changes.md`` states them.
"""

from collections.abc import Mapping

from watcher.core.fields import FieldTable, value_at
from watcher.core.weights.step import STATUS_MODULE
from watcher.core.words.phrases import LONGEST_REASON, Wording, label_of, quoted, same, value_change
from watcher.core.words.stories import VIOLATION_EVENTS, VIOLATION_FLAG, Story
from watcher.model import Difference, How, Json

_CERTIFICATION = "Certification of delay or request for an extension"
_CERTIFIED_ON = STATUS_MODULE + "dispFirstSubmitDate"


def word_certification(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for a certification of delay or an extension request: the record does not say which."""
    before, after = (value_at(record, _CERTIFIED_ON) for record in (story.step.before, story.step.after))
    if before is None and after is not None:
        filed = f"{_CERTIFICATION} filed on {quoted(table.words(_CERTIFIED_ON, after))}"
        return Wording(headline=filed, sentence=f"{filed} (the record does not say which)")
    if after is None and before is not None:
        return same(f"{_CERTIFICATION} is no longer shown (was filed on {quoted(table.words(_CERTIFIED_ON, before))})")
    values = (value_change(label_of(one.path, table), one, table).sentence for one in story.differences)
    return Wording(headline=f"{_CERTIFICATION}: dates changed", sentence=f"{_CERTIFICATION}: {'; '.join(values)}")


def word_violation(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for events of an FDAAA 801 violation; that there is one, they say themselves."""
    events = sorted((one for one in story.differences if _is_new_event(one)), key=lambda one: _day(one.new))
    said = [_event(difference.new, table) for difference in events]
    latest = said[-1:]
    for difference in story.differences:
        says_no_more = bool(events) and difference.path == VIOLATION_FLAG and difference.new is True
        if not _is_new_event(difference) and not says_no_more:
            said.append(value_change(label_of(difference.path, table), difference, table))
    return Wording(headline=(latest or said)[0].headline, sentence="; ".join(one.sentence for one in said))


def _is_new_event(difference: Difference) -> bool:
    return difference.path == VIOLATION_EVENTS and difference.how is How.ADDED and isinstance(difference.new, dict)


def _day(event: Mapping[str, Json]) -> str:
    """Return the day of an event, as text: the one on which it was issued, if that is known."""
    return next((str(event[key]) for key in ("issuedDate", "creationDate", "postedDate") if event.get(key)), "")


def _event(event: Mapping[str, Json], table: FieldTable) -> Wording:
    kind, issued, posted, about = (
        quoted(table.words(f"{VIOLATION_EVENTS}.{key}", event[key]), LONGEST_REASON) if event.get(key) else ""
        for key in ("type", "issuedDate", "postedDate", "description")
    )
    headline = f"FDAAA 801 Violation: {kind or 'event of no known kind'}"
    dates = ", ".join(f"{verb} {day}" for verb, day in (("issued", issued), ("posted", posted)) if day)
    sentence = headline + (f" ({dates})" if dates else "") + (f": {about}" if about else "")
    return Wording(headline=headline, sentence=sentence)
