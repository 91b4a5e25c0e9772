"""The small registry that ``make demo`` plays: eight trials over nine dataset days, with every common kind of change.

``trials/`` holds each record as it was on the first day it appeared, ``days.json`` what changed on every later day and
why it is shown, in the language of ``edits.py``; long new sections stand in ``edits/``.  README.md has the story.

Serves nothing and decides nothing: it builds the days and writes them as files, in the form in which recorded dataset
days are kept: ``YYYY-MM-DD.jsonl`` with the records that are new or different on that day, one compact object a line,
and ``{"removed": "NCT…"}`` for a record that left the registry.  All records but one are invented from end to end, with
IDs that the registry cannot have; NCT07298239 starts from public facts, and its changes are invented too.
"""

from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import orjson

from watcher.model import Json
from watcher.replay.demo.edits import DemoError, Edit, apply_edits, parse_edit, with_sponsor_update, with_stamp

DEMO_TRIALS: tuple[str, ...] = ("NCT07298239", *(f"NCT9900000{number}" for number in range(1, 8)))

# Monday to Friday for two weeks, but for Thursday the 5th, on which the registry published nothing.
DEMO_DAYS: tuple[date, ...] = tuple(date(2026, 3, day) for day in (2, 3, 4, 6, 9, 10, 11, 12, 13))

# What an entry of ``days.json`` may say besides "why": exactly one of these; "sponsor_update" only beside "edits".
_HAPPENINGS = ("appears", "edits", "removed_from_registry")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLine:
    """What one dataset day has to say about one trial."""

    nct_id: str
    why: str  # what the day shows, for whoever reads along
    by_sponsor: bool  # False = the registry changed the record, or it is new or gone
    record: Json  # None = it left the registry


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDay:
    """One dataset day: only what is new or different; without lines nothing but the stamp changed."""

    day: date
    lines: tuple[DemoLine, ...]


def write_demo_days(folder: Path) -> None:
    """Write the demo's dataset days into ``folder``, one file each; the folder is made if need be.

    Raises:
        DemoError: the package's own demo files do not fit each other.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for demo_day in build_demo_days():
        lines = [
            orjson.dumps({"removed": line.nct_id} if line.record is None else line.record) for line in demo_day.lines
        ]
        (folder / f"{demo_day.day}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def build_demo_days() -> tuple[DemoDay, ...]:
    """Build the dataset days in their order.

    Raises:
        DemoError: the package's own demo files do not fit each other; names the day, the trial and the edit.
    """
    schedule = _read("days.json")["days"]
    current: dict[str, Json] = {}
    days: list[DemoDay] = []
    for planned in schedule:
        day = date.fromisoformat(planned["day"])
        lines = tuple(_build_line(day, nct_id, entry, current=current) for nct_id, entry in planned["trials"].items())
        current.update({line.nct_id: line.record for line in lines})
        days.append(DemoDay(day=day, lines=lines))
    return tuple(days)


def _build_line(day: date, nct_id: str, entry: Json, *, current: dict[str, Json]) -> DemoLine:
    """Read one trial's entry of one day.

    Args:
        entry: its JSON form in ``days.json``.
        current: the records as of the dataset day before; None where one has left the registry.
    """
    where = f"demo day {day}, {nct_id}"
    _check_keys(entry, where=where)
    by_sponsor = entry.get("sponsor_update", False)
    if entry.get("appears"):
        if nct_id in current:
            raise DemoError(where, "the trial appears, but was there before")
        record = with_stamp(_read("trials", f"{nct_id}.json"), day)
    elif current.get(nct_id) is None:
        raise DemoError(where, "the trial is not in the registry; its first entry must say that it appears")
    elif entry.get("removed_from_registry"):
        record = None
    else:
        record = _edited(current[nct_id], entry, day=day, where=where)
    return DemoLine(nct_id=nct_id, why=entry["why"], by_sponsor=by_sponsor, record=record)


def _check_keys(entry: Json, *, where: str) -> None:
    happenings = [key for key in _HAPPENINGS if key in entry]
    allowed = {"why", *happenings, *(["sponsor_update"] if happenings == ["edits"] else [])}
    if len(happenings) != 1 or "why" not in entry or not set(entry) <= allowed:
        expected = f'"why" and one of {", ".join(_HAPPENINGS)} ("sponsor_update" beside edits only)'
        raise DemoError(where, f"an entry has {expected}; this has the keys {sorted(entry)}")


def _edited(record: Json, entry: Json, *, day: date, where: str) -> Json:
    # The edits come last, so that a day can state other dates than a sponsor's update usually has.
    before = with_sponsor_update(record, day) if entry.get("sponsor_update") else record
    edits = [_read_edit(raw, where=f"{where}, edit {number}") for number, raw in enumerate(entry["edits"], start=1)]
    return with_stamp(apply_edits(before, edits, where=where), day)


def _read_edit(raw: Json, *, where: str) -> Edit:
    """Read an edit; ``to_file`` in place of ``to`` names a file in ``edits/`` that holds the value."""
    if isinstance(raw, dict) and "to_file" in raw:
        inline = {key: value for key, value in raw.items() if key != "to_file"}
        return parse_edit(inline | {"to": _read("edits", raw["to_file"])}, where=where)
    return parse_edit(raw, where=where)


def _read(*parts: str) -> Json:
    return orjson.loads(files(__name__).joinpath(*parts).read_bytes())
