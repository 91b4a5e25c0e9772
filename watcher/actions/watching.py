"""Watch and stop watching by command: check what was given, ask the registry, record all or nothing.

Used by the command line; the web pages of a later version do the same through it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from watcher.app import Application
from watcher.config import Settings
from watcher.config.sections.targets import normalise_reader
from watcher.config.target_rules import why_undeclared
from watcher.config.values import LONGEST_LIST_NAME, check_time_zone, one_line
from watcher.core.identifiers import normalise_nct_id
from watcher.errors import RegistryError, SettingsError
from watcher.model import Cadence, Reason, Recipient
from watcher.store.lists import add_trials, listings, recipients, remove_trials, subscribe, unsubscribe
from watcher.store.routes import Origin
from watcher.store.watches import watch_states

_ABOUT_THE_ID = frozenset({Reason.NOT_FOUND, Reason.ALIASED, Reason.MALFORMED_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A trial that somebody wants on a list, as they wrote it."""

    text: str
    watchlist: str
    place: str | None = None  # file and line, in words; None = an argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    added: dict[str, list[str]]  # IDs by watch list, every list that was right
    known: dict[str, list[str]]  # were on the list by command already
    problems: list[str]  # what cannot be watched, in the order in which it was given


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    trials: list[str]
    people: list[str]
    declared: list[str]  # trials and people of these that the settings file keeps on the list


def read_recipient(address: str, *, cadence: Cadence | None, time_zone: str | None, settings: Settings) -> Recipient:
    """Check who is to hear of a list: a person, or one of the targets.

    Args:
        address: as it was written.
        cadence, time_zone: None = as the [[recipient]] of that address has it, or as is usual.
        settings: that name targets and people.

    Raises:
        SettingsError: not an address, no such target, or no such time zone.
    """
    try:
        reader = normalise_reader(address)
        why = why_undeclared(reader, [one.name for one in settings.target])
        if why is not None:
            raise SettingsError([f"{reader}: {why}"])
        schedule = settings.people().schedule(reader, cadence=cadence)
        if time_zone is not None:
            schedule = replace(schedule, time_zone=check_time_zone(time_zone))
        return Recipient(address=reader, schedule=schedule)
    except ValueError as error:
        raise SettingsError([str(error)]) from error


def watch_trials(
    app: Application,
    given: Sequence[Given],
    *,
    recipients: Sequence[Recipient] = (),
    skip_wrong: bool = False,
    dry_run: bool = False,
) -> Added:
    """Put trials on watch lists, which are made when they are new, in one transaction.

    Args:
        app: opened.
        given: what is wanted on which list.
        recipients: who hears of these lists from now on, beside those who do.
        skip_wrong: take what is right although some of it is wrong.
        dry_run: only check, and return what is right and what is wrong.

    Raises:
        SettingsError: something is wrong and ``skip_wrong`` was not asked for; nothing was recorded.
        RegistryError: the registry cannot be asked; nothing was recorded.
    """
    lists, problems = _checked(app, given)
    if problems and not skip_wrong and not dry_run:
        raise SettingsError([*problems, "nothing was added; see --skip-wrong"])
    if dry_run:
        with app.database.reading() as db:
            added = {name: _not_yet_on(db, name, trials) for name, trials in lists.items()}
    else:
        with app.database.writing() as db:
            added = {name: add_trials(db, name, trials, now=app.now()) for name, trials in lists.items()}
            for name in lists:
                for recipient in recipients:
                    subscribe(db, name, recipient, now=app.now())
    known = {name: [nct_id for nct_id in trials if nct_id not in added[name]] for name, trials in lists.items()}
    return Added(added=added, known=known, problems=problems)


def _checked(app: Application, given: Sequence[Given]) -> tuple[dict[str, list[str]], list[str]]:
    """Return what is right, by list and each ID once, and what is wrong with the rest, line by line."""
    read = [_read(one) for one in given]
    unknown = _unknown_to_registry(app, {trial for _, trial, reasons in read if not reasons})
    lists: dict[str, list[str]] = {}
    problems = []
    for one, (name, trial, reasons) in zip(given, read, strict=True):
        wrong = reasons or ([unknown[trial]] if trial in unknown else [])
        problems += [f"{one.place}: {reason}" if one.place else reason for reason in wrong]
        if not wrong and trial not in lists.setdefault(name, []):
            lists[name].append(trial)
    return lists, problems


def _read(given: Given) -> tuple[str, str, list[str]]:
    """Return the name of the list, the ID, and what is wrong with them."""
    name, trial, reasons = "", "", []
    try:
        name = check_list_name(given.watchlist)
    except ValueError as error:
        reasons.append(f"the name of the watch list {error}")
    try:
        trial = normalise_nct_id(given.text)
    except ValueError as error:
        reasons.append(str(error))
    return name, trial, reasons


def check_list_name(name: str) -> str:
    """Return a list's name without surrounding white space, if the settings file could declare it.

    Raises:
        ValueError: it could not; "the name of the watch list" stands before the reason.
    """
    if not name.strip():
        raise ValueError("is empty; write one line of text")
    line = one_line(name)
    if len(line) > LONGEST_LIST_NAME:
        raise ValueError(f"has {len(line)} characters; write at most {LONGEST_LIST_NAME}")
    return line


def _not_yet_on(db: Connection, watchlist: str, trials: Sequence[str]) -> list[str]:
    present = {one.nct_id for one in listings(db) if one.watchlist == watchlist and one.origin is Origin.COMMAND}
    return [nct_id for nct_id in trials if nct_id not in present]


def _unknown_to_registry(app: Application, trials: set[str]) -> dict[str, str]:
    """Ask the registry for each ID that was never fetched, and return why not, for those that it does not have."""
    with app.database.reading() as db:
        fetched = {nct_id for nct_id, state in watch_states(db).items() if state.snapshot_id is not None}
    problems = {}
    for batch in app.registry.fetch(sorted(trials - fetched), lambda _: {}):
        for refusal in batch.refusals:
            if refusal.reason not in _ABOUT_THE_ID:
                raise RegistryError(refusal.reason, f"the registry could not be asked: {refusal.detail}")
            instead = f"; watch {refusal.canonical_id} instead" if refusal.canonical_id else ""
            problems[refusal.nct_id] = f"{refusal.nct_id}: {refusal.detail}{instead}"
    return problems


def unwatch(app: Application, watchlist: str, *, trials: Sequence[str], addresses: Sequence[str] = ()) -> Removed:
    """Take trials and people off a watch list by command, in one transaction.

    Raises:
        SettingsError: nothing was named, or one is not on the list by command; nothing was recorded.
    """
    if not trials and not addresses:
        raise SettingsError(["nothing to remove was named; give NCT IDs, or people with --to ADDRESS"])
    problems: list[str] = []
    wanted = _each_read(trials, normalise_nct_id, problems)
    people = _each_read(addresses, normalise_reader, problems)
    with app.database.writing() as db:
        removed = set(remove_trials(db, watchlist, wanted, now=app.now()))
        left = {address for address in people if unsubscribe(db, watchlist, address, now=app.now())}
        problems += [
            _not_removed(nct_id, watchlist, _lists_of(db, nct_id)) for nct_id in wanted if nct_id not in removed
        ]
        hearing = {name: {one.address for one in found} for name, found in recipients(db).items()}
        problems += [_not_left(address, watchlist, hearing) for address in people if address not in left]
        if problems:
            raise SettingsError([*problems, "nothing was removed"])  # undoes what was removed above
        declared = [nct_id for nct_id in wanted if watchlist in _lists_of(db, nct_id)]
    declared += [address for address in people if address in hearing.get(watchlist, ())]
    return Removed(trials=wanted, people=people, declared=declared)


def _each_read(texts: Sequence[str], read: Callable[[str], str], problems: list[str]) -> list[str]:
    """Return each text once as ``read`` has it; what is wrong with the others is added to the problems."""
    right = []
    for text in texts:
        try:
            right.append(read(text))
        except ValueError as error:
            problems.append(str(error))
    return list(dict.fromkeys(right))


def _lists_of(db: Connection, nct_id: str) -> dict[str, list[Origin]]:
    found: dict[str, list[Origin]] = {}
    for one in listings(db):
        if one.nct_id == nct_id:
            found.setdefault(one.watchlist, []).append(one.origin)
    return found


def _not_removed(nct_id: str, watchlist: str, lists: dict[str, list[Origin]]) -> str:
    """Say why a trial cannot be taken off a list, and where it is instead."""
    if watchlist in lists:
        where = "is declared in the settings file; remove it there"
    elif lists:
        others = ", ".join(f'"{name}" ({_origin_words(origins)})' for name, origins in lists.items())
        where = f"is not on it, but on {others}"
        if any(Origin.COMMAND in origins for origins in lists.values()):
            where += "; name the list with --list"
    else:
        where = "is on no list"
    return f'{nct_id} cannot be removed from "{watchlist}" by command: it {where}'


def _origin_words(origins: Sequence[Origin]) -> str:
    words = {Origin.FILE: "declared in the settings file", Origin.COMMAND: "by command"}
    return " and ".join(words[origin] for origin in origins)


def _not_left(address: str, watchlist: str, hearing: dict[str, set[str]]) -> str:
    """Say why a person cannot be taken off a list."""
    others = ", ".join(f'"{name}"' for name, people in hearing.items() if address in people)
    if address in hearing.get(watchlist, ()):
        where = "is declared in the settings file; remove it there"
    elif others:
        where = f"does not hear of it, but of {others}; name the list with --list"
    else:
        where = "hears of no list"
    return f'{address} cannot be removed from "{watchlist}" by command: the address {where}'
