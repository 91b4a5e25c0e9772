"""The sentence about the overall recruitment status: what it was and is, why, and what went with it.  Pure.

The words for each of the transitions stand in the table of statuses.
"""

from collections import Counter
from collections.abc import Iterator

from watcher.core.fields import FieldTable, value_at
from watcher.core.weights.circumstances import CENTRAL_CONTACTS, SITE_STATUS
from watcher.core.weights.date_words import Milestone
from watcher.core.weights.step import (
    ENROLLMENT,
    LAST_KNOWN_STATUS,
    OPEN,
    STATUS,
    STATUS_MODULE,
    STOPS,
    WHY_STOPPED,
    WITHHELD,
)
from watcher.core.words.phrases import LONGEST_REASON, Wording, counted, label_of, quoted, value_change
from watcher.core.words.stories import Story
from watcher.model import How, Json

OPEN_OR_ACTIVE = OPEN | {"ACTIVE_NOT_RECRUITING"}
_DELAYED_POSTING = STATUS_MODULE + "delayedPosting"
_DATE_NAMES = {
    Milestone.START: "start date",
    Milestone.PRIMARY_COMPLETION: "primary completion date",
    Milestone.COMPLETION: "study completion date",
}


def word_status(story: Story, table: FieldTable) -> Wording:
    """Return the sentence of a status story."""
    step = story.step
    if not step.status_moved:
        return _reason_alone(story, table)
    old, new = (quoted(table.words(STATUS, value_at(record, STATUS))) for record in (step.before, step.after))
    change = f"{old} → {new}"
    rule = table.rules.statuses.get(step.status)
    words = rule.wording if rule and not _is_news(story) else "Recruitment status: {change}"
    told = _filled(words, change, step.after, table)
    if "{change}" not in words:
        told += f" (Recruitment status: {change})"
    headline = told if "{change}" in words else f"Recruitment status: {change}"
    why = [] if "{why}" in words else _reason(story)
    return Wording(headline=headline, sentence="; ".join([told, *why, *_beside(story, table)]))


def _is_news(story: Story) -> bool:
    """Return whether a status that was unknown is another one than was last known, so that nothing is confirmed."""
    known = value_at(story.step.before, LAST_KNOWN_STATUS)
    return story.step.status[0] == "UNKNOWN" and story.step.status[1] in OPEN_OR_ACTIVE - {known} and known is not None


def _reason(story: Story) -> list[str]:
    """Say the reason for a stop where the words for the transition have no place for it."""
    why = value_at(story.step.after, WHY_STOPPED)
    if not isinstance(why, str) or not (story.step.moved(WHY_STOPPED) or story.step.status[1] in STOPS):
        return []
    return [f"reason for stopping: {quoted(why, LONGEST_REASON)}"]


def _filled(words: str, change: str, after: Json, table: FieldTable) -> str:
    why, last_known = value_at(after, WHY_STOPPED), value_at(after, LAST_KNOWN_STATUS)
    reason = quoted(why, LONGEST_REASON) if isinstance(why, str) and why else "no reason given"
    known = table.words(LAST_KNOWN_STATUS, last_known) if last_known is not None else "not recorded"
    # Not ``format``: what a record says is no template.
    return words.replace("{change}", change).replace("{last_known}", known).replace("{why}", reason)


def _reason_alone(story: Story, table: FieldTable) -> Wording:
    """The status stands; its reason, or the last known status, does not."""
    for difference in story.differences:
        if difference.path == WHY_STOPPED:
            words = value_change("Reason for stopping", difference, table)
            if difference.how is How.CHANGED and isinstance(difference.new, str):
                return Wording(
                    headline="Reason for stopping changed",
                    sentence=f"Reason for stopping changed: {quoted(str(difference.old), LONGEST_REASON)}"
                    f" → {quoted(difference.new, LONGEST_REASON)}",
                )
            return words
    first = story.differences[0]
    return value_change(label_of(first.path, table), first, table)


def _beside(story: Story, table: FieldTable) -> list[str]:
    """Say what went or came with the status."""
    if story.step.withheld:
        return _placeholder(story, table)
    said = [_last_reason(story), _last_known(story, table), _cascade(story), _sites(story, table)]
    paths = [difference.path for difference in story.differences]
    step = story.step
    if step.enrollment and any(path.startswith(ENROLLMENT) for path in paths):
        said.append(step.enrollment.sentence)
    said += _dates(story)
    return [clause for clause in said if clause]


def _placeholder(story: Story, table: FieldTable) -> list[str]:
    """Count what a placeholder lacks and says otherwise; nobody reads a record in a mail."""
    beside = [part.difference for part in story.parts if not part.weight.silent and part.difference.path != STATUS]
    said = [
        value_change(label_of(one.path, table), one, table).sentence for one in beside if one.path == _DELAYED_POSTING
    ]
    counts = Counter(one.how for one in beside if one.path != _DELAYED_POSTING)
    counts[How.ADDED] -= any(one.path == WHY_STOPPED and one.how is How.ADDED for one in beside)  # said already
    by_verb = (counts.pop(How.REMOVED, 0), "removed"), (counts.pop(How.ADDED, 0), "added"), (counts.total(), "changed")
    changes = ", ".join(f"{counted(count, 'value')} {verb}" for count, verb in by_verb if count)
    placeholder = "a placeholder stands for it" if story.step.status[1] == WITHHELD else "no placeholder any more"
    return [*said, f"{placeholder}: {changes}"] if changes else said


def _last_reason(story: Story) -> str | None:
    """A study that goes on again loses the reason for which it was stopped."""
    gone = [one.old for one in story.differences if one.path == WHY_STOPPED and one.how is How.REMOVED]
    return f"reason for stopping removed (was {quoted(str(gone[0]), LONGEST_REASON)})" if gone else None


def _last_known(story: Story, table: FieldTable) -> str | None:
    known = value_at(story.step.before, LAST_KNOWN_STATUS)
    return f"last known was {quoted(table.words(LAST_KNOWN_STATUS, known))}" if _is_news(story) else None


def _dates(story: Story) -> Iterator[str]:
    """Say that the dates of a withdrawn study are the day on which that was decided: no milestone was reached."""
    set_to: dict[str, list[str]] = {}
    for milestone, name in _DATE_NAMES.items():
        told = story.step.milestone(milestone)
        if told is None or not any(one.path.startswith(f"{milestone}.") for one in story.differences):
            continue
        old, new = (value_at(record, milestone) for record in (story.step.before, story.step.after))
        if value_at(old, "date") is None or value_at(new, "date") is None:
            yield told.sentence
        else:
            kind = str(value_at(new, "type") or "no type given").lower()
            now = f"{quoted(str(value_at(new, 'date')))} ({quoted(kind)})"
            set_to.setdefault(now, []).append(f"{name} (was {quoted(str(value_at(old, 'date')))})")
    yield from (f"{', '.join(names)} now {now}" for now, names in set_to.items())


def _cascade(story: Story) -> str | None:
    how = How.REMOVED if story.step.recruitment_closed else How.ADDED
    of_kind = [difference for difference in story.differences if difference.how is how]
    statuses = sum(difference.path == SITE_STATUS for difference in of_kind)
    contacts = sum(difference.path == CENTRAL_CONTACTS for difference in of_kind)
    counts = [
        counted(count, *words)
        for count, words in (
            (statuses, ("site status", "site statuses")),
            (contacts, ("central contact", "central contacts")),
        )
        if count
    ]
    if not counts:
        return None
    event = "recruitment closed" if story.step.recruitment_closed else "recruitment open"
    if story.step.status[1] == "UNKNOWN":
        event = "together with it"  # nobody closed anything
    return f"{event}: {' and '.join(counts)} {how.value}"


def _sites(story: Story, table: FieldTable) -> str | None:
    """Say how many sites follow the status of the study."""
    changed = [one for one in story.differences if one.path == SITE_STATUS and one.how is How.CHANGED]
    if not changed:
        return None
    moves = Counter(f"{table.words(one.path, one.old)} → {table.words(one.path, one.new)}" for one in changed)
    return "; ".join(f"{counted(count, 'location')}: {move}" for move, count in moves.items())
