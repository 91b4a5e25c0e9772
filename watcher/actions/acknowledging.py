"""Acknowledge, assign and reopen what was told, by command, and show what waits for somebody.

What a link in a mail does is done by ``web``.
"""

import getpass
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from watcher.actions.explaining import find_change
from watcher.actions.pages import act_line
from watcher.app import Application
from watcher.config.values import normalise_address
from watcher.core.text import one_line
from watcher.core.windows import window_at
from watcher.errors import SettingsError
from watcher.model import Acknowledgement, Act, Change, Json, Severity, StoryKey
from watcher.store.acknowledgements import acknowledge, add_act, newest_acts
from watcher.store.lists import schedules
from watcher.store.reminders import Reminder, add_reminders
from watcher.store.stories import OpenStory, find_story, open_stories

COMMENT_LENGTH = 2_000  # characters
_BY_LENGTH = 320  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command came to."""

    change: Change
    standing: Acknowledgement  # what counts now
    new: bool  # False: it was so before

    @property
    def words(self) -> str:
        was = "" if self.new else "already "
        return f"{self.change.nct_id}: {self.change.sentence}\n{was}{self.standing.words}"

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": "acknowledgement",
            "id": self.change.id,
            "nct_id": self.change.nct_id,
            "story": self.change.story,
            "new": self.new,
            **act_line(self.standing),
        }


def acknowledge_change(app: Application, text: str, *, comment: str | None, by: str | None) -> Done:
    """Take note of the story that a change belongs to.

    Args:
        app: opened.
        text: the ID of the change, or as much of its beginning as no other one has.
        comment: None = none.
        by: who does; None = whoever is logged in.

    Raises:
        SettingsError: not an ID, no change has it, several begin so, or nobody is named.
    """
    who, said, now = _name(by), _comment(comment), app.now()
    with app.database.writing() as db:
        recorded = find_change(db, text)
        key = StoryKey(revision_id=recorded.revision_id, story=recorded.change.story)
        standing, new = acknowledge(db, key, by=who, comment=said, now=now)
    return Done(change=recorded.change, standing=standing, new=new)


def assign_change(app: Application, text: str, address: str, *, comment: str | None, by: str | None) -> Done:
    """Ask one person to look after a story: they are told, and only they are reminded from now on.

    Args and errors as ``acknowledge_change``; ``address`` has to be a mail address.
    """
    who, said, now = _name(by), _comment(comment), app.now()
    try:
        assignee = normalise_address(address)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    with app.database.writing() as db:
        recorded = find_change(db, text)
        change = recorded.change
        key = StoryKey(revision_id=recorded.revision_id, story=change.story)
        standing = Acknowledgement(key=key, act=Act.ASSIGNED, by=who, assignee=assignee, comment=said, at=now)
        add_act(db, standing)
        story = find_story(db, key)
        if story is not None:
            schedule = schedules(db, story.nct_id).get(assignee)
            asked = f"{who} asks you to look after it{f': {said}' if said else ''}"
            reminder = Reminder(
                address=assignee,
                nct_id=story.nct_id,
                key=key,
                window=window_at(schedule, now) if schedule is not None else (now, now),
                severity=story.change.severity,
                detail=asked,
            )
            add_reminders(db, [reminder], now=now)
    return Done(change=change, standing=standing, new=True)


def reopen_change(app: Application, text: str, *, comment: str | None, by: str | None) -> Done:
    """Let a story wait for somebody again: as if nobody had acknowledged it, or were to look after it.

    Args and errors as ``acknowledge_change``.

    Raises:
        SettingsError: also when nobody has done anything about it.
    """
    who, said, now = _name(by), _comment(comment), app.now()
    with app.database.writing() as db:
        recorded = find_change(db, text)
        key = StoryKey(revision_id=recorded.revision_id, story=recorded.change.story)
        before = newest_acts(db, [key.revision_id]).get(key)
        if before is None:
            raise SettingsError([f"{recorded.change.id} is open: nobody has acknowledged it, and it is nobody's task"])
        if before.act is Act.REOPENED:
            return Done(change=recorded.change, standing=before, new=False)
        standing = Acknowledgement(key=key, act=Act.REOPENED, by=who, comment=said, at=now)
        add_act(db, standing)
    return Done(change=recorded.change, standing=standing, new=True)


def inbox(app: Application, *, least: Severity = Severity.MINOR) -> list[OpenStory]:
    """Return what was told and is not acknowledged: the worst first, then what has waited longest."""
    with app.database.reading() as db:
        return [one for one in open_stories(db) if one.story.change.severity.rank <= least.rank]


def inbox_line(one: OpenStory) -> dict[str, Json]:
    """Return one entry as programs read it."""
    change = one.story.change
    return {
        "kind": "open",
        "id": change.id,
        "nct_id": one.story.nct_id,
        "severity": change.severity,
        "category": change.category,
        "sentence": change.sentence,
        "story": change.story,
        "day": one.story.data_timestamp[:10],
        "told_at": one.told_at.isoformat(),
        "assignee": _assignee(one),
        "acknowledgement": act_line(one.standing) if one.standing else None,
    }


def inbox_lines(found: list[OpenStory], *, most: int) -> Iterator[str]:
    """Yield entries for people, at most so many."""
    severity = None
    for one in found[:most]:
        change = one.story.change
        if change.severity is not severity:
            severity = change.severity
            yield severity.value
        task = _assignee(one)
        yield f"  {one.told_at:%Y-%m-%d}  {one.story.nct_id}  {change.sentence}  ({change.id})"
        if task:
            yield f"              assigned to {task}"
    if len(found) > most:
        yield f"and {len(found) - most:,} more; --json prints all, --severity critical fewer"
    if not found:
        yield "Nothing waits: all that was told is acknowledged."


def _assignee(one: OpenStory) -> str | None:
    return one.standing.assignee if one.standing else None


def _comment(text: str | None) -> str | None:
    return one_line(text, COMMENT_LENGTH) or None if text else None


def _name(by: str | None) -> str:
    name = one_line(by, _BY_LENGTH) if by else ""
    if not name and by is None:
        with suppress(OSError, KeyError, ImportError):  # what a process without a name raises, by version and system
            name = getpass.getuser()
    if not name:
        raise SettingsError(["--by: it is not known who you are; name yourself, as in --by name@example.org"])
    return name
