"""A trial's own page, in words: its history, its record at a day, and what differs between two days."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import orjson

from watcher.app import Application
from watcher.core.differences import differences
from watcher.core.fields import FieldTable
from watcher.core.identifiers import normalise_nct_id
from watcher.core.privacy import is_contact_path
from watcher.core.text import one_line
from watcher.errors import SettingsError
from watcher.model import Acknowledgement, Change, Difference, Json
from watcher.store.acknowledgements import newest_acts
from watcher.store.revisions import Revision, changes_of, revisions
from watcher.store.snapshots import read_body

_NO_RULE = "without a recorded rule"  # what was recorded before rules were
_SHOWN_VALUE = 60  # characters of a value in a list of changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One version of a trial, as its history shows it."""

    day: str  # of the registry's data
    words: str
    sentences: tuple[str, ...]
    not_told: tuple[str, ...]  # what was recorded and not told, each in a line of words
    changes: tuple[Change, ...]
    acts: Mapping[str, Acknowledgement]  # what counts, by story


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRecord:
    nct_id: str
    day: str  # of the registry's data in which this version was first seen
    record: Json


def change_line(change: Change) -> dict[str, Json]:
    """Return a change as programs read it."""
    return {
        "id": change.id,
        "nct_id": change.nct_id,
        "path": change.path,
        "item": change.item,
        "how": change.how,
        "label": change.label,
        "category": change.category,
        "severity": change.severity,
        "told": change.told,
        "rules": list(change.rules),
        "story": change.story,
        "old": change.old,
        "new": change.new,
        "sentence": change.sentence,
    }


def act_line(done: Acknowledgement) -> dict[str, Json]:
    """Return an act as programs read it."""
    return {
        "act": done.act,
        "by": done.by,
        "assignee": done.assignee,
        "comment": done.comment,
        "at": done.at.isoformat(),
    }


def difference_line(difference: Difference, table: FieldTable) -> dict[str, Json]:
    """Return a difference as programs read it."""
    return {
        "path": difference.path,
        "item": difference.item,
        "how": difference.how,
        "label": table.rule(difference.path).label,
        "old": difference.old,
        "new": difference.new,
    }


def history_of(app: Application, trial: str) -> list[Step]:
    """Return a trial's recorded steps, oldest first.

    Raises:
        SettingsError: not an NCT ID, or nothing was ever recorded for it.
    """
    with app.database.reading() as db:
        recorded = _recorded(app, trial)
        found = changes_of(db, [step.id for step in recorded])
        done = newest_acts(db, list(found))
    steps = []
    for step in recorded:
        changes = found[step.id]
        acts = {key.story: act for key, act in done.items() if key.revision_id == step.id}
        steps.append(
            Step(
                day=_day(step),
                words=_count_words(changes) if step.before_id else "first seen",
                sentences=tuple(_told_lines(changes, acts)),
                not_told=tuple(_untold_line(change, app.table) for change in changes if not change.told),
                changes=tuple(changes),
                acts=acts,
            )
        )
    return steps


def _count_words(changes: Sequence[Change]) -> str:
    """Count changes: "14 changes, 12 recorded and not told: 9 M8, 3 M9"."""
    all_of_them = "1 change" if len(changes) == 1 else f"{len(changes):,} changes"
    silent = Counter(_last_rule(change) for change in changes if not change.told)
    if not silent:
        return all_of_them
    parts = sorted(silent.items(), key=lambda part: (-part[1], part[0]))
    by_rule = ", ".join(f"{count:,} {code}" for code, count in parts)
    return f"{all_of_them}, {silent.total():,} recorded and not told: {by_rule}"


def _told_lines(changes: Sequence[Change], acts: Mapping[str, Acknowledgement]) -> Iterator[str]:
    """Yield each sentence once, with the ID of the weightiest change that it tells, and who has taken note."""
    weightiest: dict[str, Change] = {}
    for change in changes:
        known = weightiest.get(change.sentence)
        if change.told and (known is None or change.severity.rank < known.severity.rank):
            weightiest[change.sentence] = change
    for sentence, change in weightiest.items():
        yield f"{sentence}  ({change.id})"
        if change.story in acts:
            yield f"    {acts[change.story].words}"


def _untold_line(change: Change, table: FieldTable) -> str:
    if is_contact_path(change.path):
        return f"not told, {_last_rule(change)}: {change.label} {change.how.value}  ({change.id})"
    item = f" [{one_line(change.item, _SHOWN_VALUE)}]" if change.item else ""
    old, new = (one_line(table.words(change.path, value), _SHOWN_VALUE) for value in (change.old, change.new))
    return f"not told, {_last_rule(change)}: {change.label}{item}: {old} → {new}  ({change.id})"


def _last_rule(change: Change) -> str:
    """Return the code of the rule that had the last word."""
    return change.rules[-1] if change.rules else _NO_RULE


def record_at(app: Application, trial: str, day: str | None = None) -> DatedRecord:
    """Return a trial's newest version, or the one that was in force on a day.

    Raises:
        SettingsError: not an NCT ID, not a day, or no version that early.
        BodyUnreadable: the stored version is damaged.
    """
    check_days(day)
    step = _step_at(_recorded(app, trial), trial, day)
    return _dated(app, step)


def differences_between(app: Application, trial: str, since: str | None, until: str | None) -> list[Difference]:
    """Return what differs between a trial's versions of two days; by default, between its last two versions.

    Raises:
        SettingsError: as ``record_at``; or there is only one version.
    """
    check_days(since, until)
    recorded = _recorded(app, trial)
    if since is None and len(recorded) < 2:
        raise SettingsError([f"{trial}: there is only one version, of {_day(recorded[0])}; nothing to compare it with"])
    first = recorded[-2] if since is None else _step_at(recorded, trial, since)
    second = _step_at(recorded, trial, until)
    return differences(_dated(app, first).record, _dated(app, second).record, app.table)


def check_days(*days: str | None) -> None:
    """Check days as somebody wrote them.

    Raises:
        SettingsError: one is not a day of the calendar, or not written yyyy-mm-dd.
    """
    for day in days:
        if day is None:
            continue
        try:
            written = date.fromisoformat(day).isoformat()
        except ValueError as error:
            raise SettingsError([f"{day!r} is not a day; write it as 2026-03-02"]) from error
        if written != day:  # the library takes other forms of the standard as well, such as 2026-W10-1
            raise SettingsError([f"{day!r} is not written as yyyy-mm-dd; write {written}"])


def page_of(version: DatedRecord, table: FieldTable) -> Iterator[str]:
    """Yield a record for people: every value with its label, section by section."""
    yield f"{version.nct_id}, in the version first seen in registry data of {version.day}"
    yield from _section("", version.record, table, indent="")


def _section(path: str, value: Json, table: FieldTable, *, indent: str) -> Iterator[str]:
    for key, below in value.items():
        at = f"{path}.{key}" if path else key
        if isinstance(below, dict):
            yield f"{indent}{_title(key)}"
            yield from _section(at, below, table, indent=indent + "  ")
        elif isinstance(below, list):
            yield f"{indent}{_title(key)}"
            for item in below:
                if isinstance(item, dict):
                    yield f"{indent}  -"
                    yield from _section(f"{at}[]", item, table, indent=indent + "    ")
                else:
                    yield f"{indent}  - {table.words(at + '[]', item)}"
        else:
            yield f"{indent}{_label(at, key, table)}: {table.words(at, below)}"


def _title(key: str) -> str:
    """Return a module's name as words: statusModule → Status."""
    spaced = "".join(f" {char}" if char.isupper() else char for char in key).strip()
    words = spaced.removesuffix(" Module").removesuffix(" Section").removesuffix(" Struct")
    return words[:1].upper() + words[1:].lower()


def _label(path: str, key: str, table: FieldTable) -> str:
    rule = table.rule(path)
    return rule.label if rule.path == path else _title(key)


def _recorded(app: Application, trial: str) -> list[Revision]:
    try:
        nct_id = normalise_nct_id(trial)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    with app.database.reading() as db:
        recorded = revisions(db, nct_id)
    if not recorded:
        raise SettingsError([f"{nct_id} has never been fetched; watch it, then run `trialwatch check`"])
    return recorded


def _step_at(recorded: list[Revision], trial: str, day: str | None) -> Revision:
    if day is None:
        return recorded[-1]
    earlier = [step for step in recorded if _day(step) <= day]
    if not earlier:
        raise SettingsError([f"{trial}: no version is as old as {day}; the first one is of {_day(recorded[0])}"])
    return earlier[-1]


def _dated(app: Application, step: Revision) -> DatedRecord:
    with app.database.reading() as db:
        body = read_body(db, step.after_id).body
    return DatedRecord(nct_id=step.nct_id, day=_day(step), record=orjson.loads(body))


def _day(step: Revision) -> str:
    return step.data_timestamp[:10]
