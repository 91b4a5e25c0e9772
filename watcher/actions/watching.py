"""Watch and stop watching by command: check what was given, ask the registry, record all or nothing.

Used by the command line; the web pages of a later version do the same through it.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from watcher.app import Application
from watcher.config.values import check_time_zone, normalise_address
from watcher.core.identifiers import normalise_nct_id
from watcher.errors import RegistryError, SettingsError
from watcher.model import Cadence, Reason, Recipient, Schedule
from watcher.store.lists import Origin, add_trials, listings, recipients, remove_trials, subscribe
from watcher.store.watches import WatchState, watch_states

_COLUMNS = ("nct_id", "watchlist")
_ABOUT_THE_ID = frozenset({Reason.NOT_FOUND, Reason.ALIASED, Reason.MISSING, Reason.MALFORMED_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something given that cannot be watched."""

    position: int  # argument or line, from 1
    given: str
    reason: str

    @property
    def as_argument(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    added: list[str]
    known: list[str]  # were on the list by command already
    problems: list[Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTrial:
    nct_id: str
    origins: str  # "file", "command", or both
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOverview:
    name: str
    trials: list[ListedTrial]
    recipients: list[str]

    def as_json(self) -> dict[str, object]:
        trials = [{"nct_id": one.nct_id, "origins": one.origins.split("+"), "state": one.state} for one in self.trials]
        return {"kind": "watchlist", "name": self.name, "recipients": self.recipients, "trials": trials}


def read_recipient(address: str, *, cadence: Cadence, time_zone: str) -> Recipient:
    """Check a person who is to hear of a list.

    Raises:
        SettingsError: not an address, or no such time zone.
    """
    try:
        schedule = Schedule(cadence=cadence, time_zone=check_time_zone(time_zone))
        return Recipient(address=normalise_address(address), schedule=schedule)
    except ValueError as error:
        raise SettingsError([str(error)]) from error


def watch_trials(
    app: Application,
    watchlist: str,
    given: Sequence[tuple[int, str]],
    *,
    recipients: Sequence[Recipient] = (),
    skip_wrong: bool = False,
    dry_run: bool = False,
) -> Added:
    """Put trials on a watch list.

    Args:
        app: opened.
        watchlist: its name; made when it is new.
        given: IDs as somebody wrote them, each with its position.
        recipients: who hears of the list from now on, beside those who do.
        skip_wrong: take what is right although some of it is wrong.
        dry_run: only check.

    Raises:
        SettingsError: something is wrong and ``skip_wrong`` was not asked for; nothing was recorded.
        RegistryError: the registry cannot be asked; nothing was recorded.
    """
    right, problems = _normalised(given)
    problems += _unknown_to_registry(app, right)
    if problems and not skip_wrong and not dry_run:
        raise SettingsError([problem.reason for problem in problems] + ["nothing was added; see --skip-wrong"])
    wrong = {problem.position for problem in problems}
    trials = [nct_id for position, nct_id in right if position not in wrong]
    with app.database.writing() as db:
        if dry_run:
            present = {
                one.nct_id for one in listings(db) if one.watchlist == watchlist and one.origin is Origin.COMMAND
            }
            added = [nct_id for nct_id in dict.fromkeys(trials) if nct_id not in present]
        else:
            added = add_trials(db, watchlist, trials, now=app.now())
            for recipient in recipients:
                subscribe(db, watchlist, recipient, now=app.now())
    known = [nct_id for nct_id in dict.fromkeys(trials) if nct_id not in added]
    return Added(added=added, known=known, problems=sorted(problems, key=lambda problem: problem.position))


def unwatch_trials(app: Application, watchlist: str, given: Sequence[str]) -> list[str]:
    """Take trials off a watch list by command, and return them.

    Raises:
        SettingsError: one is not on it by command; nothing was recorded.
    """
    right, problems = _normalised(list(enumerate(given, 1)))
    with app.database.writing() as db:
        here = [one for one in listings(db) if one.watchlist == watchlist]
        by_command = {one.nct_id for one in here if one.origin is Origin.COMMAND}
        in_file = {one.nct_id for one in here if one.origin is Origin.FILE}
        for position, nct_id in right:
            if nct_id not in by_command:
                where = "is declared in the settings file; remove it there" if nct_id in in_file else "is not on it"
                reason = f'{nct_id} cannot be removed from "{watchlist}" by command: it {where}'
                problems.append(Problem(position=position, given=nct_id, reason=reason))
        if problems:
            raise SettingsError([problem.reason for problem in problems] + ["nothing was removed"])
        return remove_trials(db, watchlist, [nct_id for _, nct_id in right], now=app.now())


def overview(app: Application) -> Iterator[ListOverview]:
    """Yield every watch list with its trials and who hears of it."""
    with app.database.reading() as db:
        listed, hearing, states = listings(db), recipients(db), watch_states(db)
    for name in sorted({*(one.watchlist for one in listed), *hearing}):
        origins: dict[str, list[str]] = {}
        for one in listed:
            if one.watchlist == name:
                origins.setdefault(one.nct_id, []).append(one.origin.value)
        trials = [
            ListedTrial(nct_id=nct_id, origins="+".join(found), state=state_words(states[nct_id]))
            for nct_id, found in origins.items()
        ]
        people = [f"{each.address} ({each.schedule.cadence})" for each in hearing.get(name, [])]
        yield ListOverview(name=name, trials=trials, recipients=people)


def state_words(state: WatchState) -> str:
    """Return where a watch stands, in a few words."""
    verified = f"verified against data of {state.data_timestamp[:10]}" if state.data_timestamp else "never fetched"
    if state.reason is None:
        return verified
    return f"{verified}; FAILING since {state.failing_since:%Y-%m-%d %H:%M} UTC: {state.reason}: {state.detail}"


def hears_nobody(app: Application, watchlist: str) -> bool:
    """Return whether nobody hears of a list."""
    with app.database.reading() as db:
        return not recipients(db).get(watchlist)


def read_csv(file: Path, *, default_list: str) -> dict[str, list[tuple[int, str]]]:
    """Read a CSV file into IDs with their lines, by watch list.

    Raises:
        SettingsError: it cannot be read, or has no column nct_id.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            fields = [name.strip().lower() for name in reader.fieldnames or []]
            if "nct_id" not in fields:
                there = ", ".join(fields) or "nothing"
                problem = f'{file}, line 1: there is no column "nct_id" in the heading; it has: {there}'
                raise SettingsError([problem])
            reader.fieldnames = fields
            rows: dict[str, list[tuple[int, str]]] = {}
            for row in reader:
                name = (row.get("watchlist") or "").strip() or default_list
                rows.setdefault(name, []).append((reader.line_num, row.get("nct_id") or ""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError([f"{file}: cannot be read as CSV in UTF-8: {error}"]) from error
    return rows


def write_csv(app: Application, output: TextIO) -> None:
    """Write all watched trials as CSV, in the form that ``read_csv`` reads; a trial once for each list."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(_COLUMNS)
    with app.database.reading() as db:
        for watchlist, nct_id in dict.fromkeys((one.watchlist, one.nct_id) for one in listings(db)):
            writer.writerow([nct_id, _harmless(watchlist)])


def _harmless(text: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _normalised(given: Sequence[tuple[int, str]]) -> tuple[list[tuple[int, str]], list[Problem]]:
    right, problems = [], []
    for position, text in given:
        try:
            right.append((position, normalise_nct_id(text)))
        except ValueError as error:
            problems.append(Problem(position=position, given=text, reason=str(error)))
    return right, problems


def _unknown_to_registry(app: Application, right: Sequence[tuple[int, str]]) -> list[Problem]:
    """Ask the registry for each ID that was never fetched; an answer about an ID is a problem, no answer an error."""
    with app.database.reading() as db:
        fetched = {nct_id for nct_id, state in watch_states(db).items() if state.snapshot_id is not None}
    positions = {nct_id: position for position, nct_id in right if nct_id not in fetched}
    problems = []
    for batch in app.registry.fetch(list(positions), lambda _: {}):
        for refusal in batch.refusals:
            if refusal.reason not in _ABOUT_THE_ID:
                raise RegistryError(refusal.reason, f"the registry could not be asked: {refusal.detail}")
            instead = f"; watch {refusal.canonical_id} instead" if refusal.canonical_id else ""
            reason = f"{refusal.nct_id}: {refusal.detail}{instead}"
            problems.append(Problem(position=positions[refusal.nct_id], given=refusal.nct_id, reason=reason))
    return problems
