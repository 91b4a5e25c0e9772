"""What is told of a step, and steps made of two values at one path, for tables of small cases."""

from typing import Any

from tests.factories import study
from tests.unit.full_records import table
from watcher.core.meaning import compare
from watcher.model import Json

NCT = "NCT00000001"
UPDATED = "2026-03-01"  # later than ``study`` says: the sponsor made the step


def told(before: Json, after: Json) -> list[str]:
    """Return what is told, each sentence once with the severity of its worst change, in the order of the changes."""
    found: dict[str, list[str]] = {}
    for change in compare(before, after, table()):
        if change.told:
            found.setdefault(change.sentence, []).append(change.severity)
    ranks = ["critical", "major", "minor"]
    return [f"{min(severities, key=ranks.index)}: {sentence}" for sentence, severities in found.items()]


def recorded(before: Json, after: Json) -> list[tuple[str, str | None]]:
    """Return the item and the last rule of each change, told or not, but for the dates of the update."""
    changes = compare(before, after, table())
    return [(change.item or "", change.rules[-1]) for change in changes if "statusModule" not in change.path]


def at(path: str, value: Json, **details: Any) -> Json:
    """Return a record with a value at a path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return study(NCT, extra=value, **details)


def step(path: str, before: Json, after: Json, **details: Any) -> tuple[Json, Json]:
    """Return two versions of a record that differ at a path, the second one sent in by the sponsor."""
    return at(path, before, **details), at(path, after, updated=UPDATED, **details)


def places(before: list[Json], after: list[Json], *, updated: str = UPDATED) -> tuple[Json, Json]:
    """Return two versions of a record that differ in their locations."""
    return study(NCT, locations=before), study(NCT, locations=after, updated=updated)
