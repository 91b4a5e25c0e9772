"""Say why a change weighs what it does: the change, the rules that spoke, and the row of the table for its path."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from watcher.actions.pages import act_line, change_line
from watcher.actions.table_in_force import Row, row_in_force
from watcher.app import Application
from watcher.core.privacy import is_contact_path
from watcher.errors import SettingsError
from watcher.model import Acknowledgement, Change, Json, Severity
from watcher.store.acknowledgements import acts_of
from watcher.store.revisions import RecordedChange, changes_of, find_changes

_SOURCE = "watcher/tables/fields.tsv"
_MOST_NAMED = 10  # changes, where more than one is meant
_MARGIN = 12  # characters before the values of the facts


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenRule:
    code: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A recorded change, and why it weighs what it does."""

    change: Change
    day: str  # of the registry's data
    rules: tuple[SpokenRule, ...]  # in the order in which they spoke; empty for what was recorded before rules were
    row: Row  # of the table that is in force now
    with_it: tuple[Change, ...]  # the others that the same sentence tells
    acts: tuple[Acknowledgement, ...]  # what people did about it, oldest first

    def as_json(self) -> dict[str, Json]:
        rule = self.row.rule
        return {
            "kind": "explanation",
            "day": self.day,
            **change_line(self.change),
            "place": self.change.place,
            "explanations": [{"rule": rule.code, "words": rule.words} for rule in self.rules],
            "row": {"source": _SOURCE, "path": rule.path, "severity": rule.severity, "place": rule.place},
            "set_by": list(_set_by(self.row)),
            "same_sentence": [other.id for other in self.with_it],
            "acknowledgement": act_line(self.acts[-1]) if self.acts else None,
            "acts": [act_line(done) for done in self.acts],
        }


def explain_change(app: Application, text: str) -> Explanation:
    """Return why a recorded change weighs what it does.

    Args:
        app: opened.
        text: the ID of the change, or as much of its beginning as no other one has.

    Raises:
        SettingsError: not an ID, no change has it, or several begin so.
    """
    with app.database.reading() as db:
        recorded = find_change(db, text)
        step = changes_of(db, [recorded.revision_id])[recorded.revision_id]
        acts = [done for done in acts_of(db, [recorded.revision_id]) if done.key.story == recorded.change.story]
    change = recorded.change
    explained = app.table.rules.explanations
    unknown = "not among the rules of this version"
    return Explanation(
        change=change,
        day=recorded.data_timestamp[:10],
        rules=tuple(SpokenRule(code=code, words=explained.get(code, unknown)) for code in change.rules),
        row=row_in_force(app.settings, app.table.rule(change.path)),
        with_it=tuple(other for other in step if other.story == change.story and other.id != change.id),
        acts=tuple(acts),
    )


def find_change(db: Connection, text: str) -> RecordedChange:
    """Return the recorded change that somebody means, its newest recording if there are several.

    Args:
        db: a transaction.
        text: its ID, or as much of the beginning as no other one has.

    Raises:
        SettingsError: not an ID, no change has it, or several begin so.
    """
    beginning = text.strip().casefold()
    if not re.fullmatch("[0-9a-f]{1,16}", beginning):
        right = "write its 16 hexadecimal digits, which `trialwatch history` prints, or the first ones of them"
        raise SettingsError([f"{text!r} is not the ID of a change; {right}"])
    found = find_changes(db, beginning, limit=_MOST_NAMED + 1)
    _check_one(found, beginning)
    return found[-1]


def _check_one(found: list[RecordedChange], beginning: str) -> None:
    named = {one.change.id: one for one in found}
    if not named:
        raise SettingsError([f"no recorded change has the ID {beginning}; `trialwatch history NCT…` prints them"])
    if len(named) > 1:
        shown = [f"{one.change.id} ({one.change.nct_id}: {one.change.label})" for one in named.values()][:_MOST_NAMED]
        more = ", and more" if len(named) > len(shown) else ""
        raise SettingsError([f"several changes have an ID that begins with {beginning}: {', '.join(shown)}{more}"])


def _set_by(row: Row) -> tuple[str, ...]:
    return tuple(key for key in (row.severity_set_by, row.place_set_by) if key)


def explanation_lines(explanation: Explanation, app: Application) -> Iterator[str]:
    """Yield an explanation for people."""
    change, rule = explanation.change, explanation.row.rule
    yield f"{change.nct_id}, registry data of {explanation.day}: change {change.id}"
    yield change.sentence
    yield ""
    yield _fact("Field", f"{change.label} ({change.category})")
    yield _fact("Path", change.path)
    if change.item:
        yield _fact("Item", change.item)
    yield _fact("How", change.how.value)
    yield from _values(change, app)
    yield _fact("Severity", change.severity.value)
    yield _fact("Place", change.place.value)
    yield _fact("Told", "yes" if change.told else f"no: {_why_not_told(change)}")
    for done in explanation.acts:
        yield _fact("By people", done.words)
    yield ""
    yield "Rules that spoke, the last one with the last word:"
    for spoken in explanation.rules:
        yield f"  {spoken.code}: {spoken.words}"
    if not explanation.rules:
        yield "  none was kept: the change was recorded by an earlier version"
    yield ""
    yield f"Row of the table for its path, as it is in force now ({_SOURCE}):"
    yield f"  {rule.path}: {rule.category}, {rule.severity}, {rule.place}"
    for key in _set_by(explanation.row):
        yield f"  set by {key}"
    if explanation.with_it:
        yield ""
        yield "Told in the same sentence:" if change.told else "Of the same story:"
        for other in explanation.with_it[:_MOST_NAMED]:
            yield f"  {other.id}  {other.label}{f' [{other.item}]' if other.item else ''}"
        if len(explanation.with_it) > _MOST_NAMED:
            yield f"  and {len(explanation.with_it) - _MOST_NAMED} more"


def _fact(name: str, value: str) -> str:
    lines = value.splitlines() or [""]
    return f"{name + ':':<{_MARGIN}}" + ("\n" + " " * _MARGIN).join(lines)


def _values(change: Change, app: Application) -> Iterator[str]:
    for name, value in (("Was", change.old), ("Now", change.new)):
        if value is not None:
            structured = isinstance(value, dict | list)
            yield _fact(name, orjson.dumps(value).decode() if structured else app.table.words(change.path, value))
    if is_contact_path(change.path):
        yield _fact("Was, now", "not shown here: contact details; see `trialwatch diff`")


def _why_not_told(change: Change) -> str:
    return "noise" if change.severity is Severity.NOISE else f"its place is {change.place}"
