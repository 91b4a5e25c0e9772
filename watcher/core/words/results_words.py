"""The sentences about results: submitted, returned, posted, passed, updated, removed.  Pure.

One posting is one sentence, with its documents and with the edits that rode on it.

Source: domain rules 1.4 and 3.7 as ``docs/changes.md`` states them.
"""

from collections.abc import Mapping, Sequence

from watcher.core.differences import ITEM_SEPARATOR
from watcher.core.fields import FieldTable, value_at
from watcher.core.weights.circumstances import comes_with_results
from watcher.core.weights.step import ENROLLMENT, HAS_RESULTS, RESULTS_POSTED_ON
from watcher.core.words.phrases import (
    Wording,
    counted,
    in_sentence,
    is_long_text,
    label_of,
    named,
    now,
    quoted,
    same,
    value_change,
    was,
)
from watcher.core.words.reported_words import word_one_text, word_reported_outcomes
from watcher.core.words.stories import DOCUMENTS, NEWLY_REPORTED, SUBMISSION_EVENTS, Story
from watcher.core.words.submissions import in_order
from watcher.model import How, Json

_EVENTS = {
    "RELEASE": "Results submitted to ClinicalTrials.gov",
    "RESET": "Results returned to the sponsor after quality control review",
    "UNRELEASE": "Submission of results cancelled by the sponsor",
}
_AGAIN = "Results submitted again to ClinicalTrials.gov"


def word_results(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for results that were posted, have passed quality control, or were removed."""
    step = story.step
    posted = value_at(step.after, RESULTS_POSTED_ON)
    words = quoted(table.words(RESULTS_POSTED_ON, posted))
    if step.results_removed:
        gone = "Results removed from the public record"
        return Wording(headline=gone, sentence=gone + _documents(story, How.REMOVED))
    if step.quality_control_passed:
        return Wording(
            headline="Results have passed quality control",
            sentence=f"Results have passed quality control (first posted {words})",
        )
    if not step.results_posted:
        return _flag(story, table)
    headline = "Results posted" if posted is not None else "Results posted with quality control comments"
    detail = f"first posted {words}" if posted is not None else "quality control not yet passed"
    sentence = f"{headline} ({detail})" + _documents(story, How.ADDED) + _edits(story, table)
    return Wording(headline=headline, sentence=sentence)


def _flag(story: Story, table: FieldTable) -> Wording:
    """Word the flag where it went from or to something else than yes or no."""
    flip = next(difference for difference in story.differences if difference.path == HAS_RESULTS)
    return same("Results posted") if flip.new is True else value_change(label_of(HAS_RESULTS, table), flip, table)


def _documents(story: Story, how: How) -> str:
    names = dict.fromkeys(
        difference.item
        for difference in story.differences
        if difference.path == DOCUMENTS and difference.how is how and difference.item
    )
    return f", with {', '.join(map(quoted, names))}" if names else ""


def _edits(story: Story, table: FieldTable) -> str:
    """Name what was edited together with the posting: the enrollment by its values, items of lists by their number."""
    edits = [
        part.difference
        for part in story.parts
        if not part.weight.silent and comes_with_results(part.difference, story.step)
    ]
    said: list[str] = []
    items: dict[tuple[str, str], set[str | None]] = {}
    for difference in edits:
        holder, in_list, leaf = difference.path.rpartition("[]")
        if difference.path.startswith(ENROLLMENT):
            continue
        if in_list:
            verb = "" if leaf else f" {difference.how.value}"
            items.setdefault((f"{holder}[]", verb), set()).add(difference.item)
        else:
            said.append(label_of(difference.path, table))
    for (path, verb), names in items.items():
        rule = table.rule(path)
        said.append(f"{counted(len(names), in_sentence(rule.label), in_sentence(rule.plural or rule.label))}{verb}")
    words = [", ".join(dict.fromkeys(said))] if said else []
    if story.step.enrollment and any(difference.path.startswith(ENROLLMENT) for difference in edits):
        words.append(story.step.enrollment.sentence)
    return f"; edited together with it: {'; '.join(words)}" if words else ""


def word_submission(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for the log of submissions, in the order in which they happened."""
    added, removed = _submissions(story, How.ADDED), _submissions(story, How.REMOVED)
    if removed:
        return _corrected_submissions(removed, added, table)
    recorded = value_at(story.step.before, SUBMISSION_EVENTS.removesuffix("[]"))
    earlier = [event for event in recorded if isinstance(event, dict)] if isinstance(recorded, list) else []
    said: list[str] = []
    for event in in_order(added, after=earlier):
        said.append(_event(event, table, again=bool(earlier or said)))
    if not said:
        values = [value_change(label_of(one.path, table), one, table).sentence for one in story.differences]
        return Wording(headline="Dates of results submissions", sentence=f"Results submissions: {named(values)}")
    return Wording(headline=said[-1], sentence="; ".join(said))


def _submissions(story: Story, how: How) -> list[Mapping[str, Json]]:
    """Return the events that the log of submissions gained or lost."""
    found = ((one.new if how is How.ADDED else one.old, one) for one in story.differences if one.how is how)
    return [event for event, one in found if one.path == SUBMISSION_EVENTS and isinstance(event, dict)]


def _corrected_submissions(
    removed: Sequence[Mapping[str, Json]], added: Sequence[Mapping[str, Json]], table: FieldTable
) -> Wording:
    """Word a log of submissions that says otherwise what it said, or says it no more."""
    old, new = ("; ".join(_event(event, table, again=False) for event in events) for events in (removed, added))
    if not new:
        return Wording(headline="Results submission no longer shown", sentence=f"No longer shown: {old}")
    return Wording(headline="Results submission corrected", sentence=f"Results submission corrected: {old} → {new}")


def _event(event: Mapping[str, Json], table: FieldTable, *, again: bool) -> str:
    kind, date = (quoted(table.words(f"{SUBMISSION_EVENTS}.{key}", event.get(key))) for key in ("type", "date"))
    known = _AGAIN if again and event.get("type") == "RELEASE" else _EVENTS.get(str(event.get("type")))
    words = known or f"Results submission event {kind}"
    return f"{words} on {date}" if event.get("date") else f"{words} (date not recorded)"


def _module(story: Story, table: FieldTable) -> str:
    """Return what the module is called, or the field where the story is about one."""
    whole = f"{story.key}.**"
    path = story.differences[0].path
    return label_of(path if " " in story.key or table.rule(whole).path != whole else whole, table)


def word_results_update(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for values that changed in results that were posted before, module by module."""
    first = story.differences[0]
    if story.key.startswith(NEWLY_REPORTED):
        return same(f"Results added for {quoted(story.key.removeprefix(NEWLY_REPORTED))}")
    if outcomes := word_reported_outcomes(story, table):
        return outcomes
    module = _module(story, table)
    if len(story.parts) == 1 and first.item is None and not first.path.endswith("[]"):
        return word_one_text(module, first, table)
    if len(story.parts) == 1 and first.how is How.CHANGED and first.item is not None:
        words = value_change(f"{module}, {quoted(first.item)}", first, table)
        return same(f"Results corrected: {words.sentence}")
    values = [
        f"{quoted(difference.item)}: {was(difference, table)} → {now(difference, table)}"
        for difference in story.differences
        if difference.how is How.CHANGED and difference.item and not is_long_text(difference.old, difference.new)
    ]
    others = dict.fromkeys(
        quoted(difference.item.partition(ITEM_SEPARATOR)[0]) for difference in story.differences if difference.item
    )
    count = counted(len(story.differences), "value")
    where = f" ({named(values or list(others))})" if others else ""
    return Wording(headline=f"Results updated: {module}", sentence=f"Results updated: {module}, {count} changed{where}")
