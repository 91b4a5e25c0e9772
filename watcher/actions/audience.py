"""Explain who would hear what of a trial, when, and why: routes, schedules, mutes, and what came of its last change.

Only looks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from watcher.actions.muting import what_words
from watcher.app import Application
from watcher.core.identifiers import normalise_nct_id
from watcher.core.routing import Answer, Judgement, concerns, judgements, stories_of, untaken
from watcher.core.windows import window_at
from watcher.core.words.audience_words import filter_words, schedule_words
from watcher.errors import SettingsError
from watcher.model import Change, Json, Route, Severity
from watcher.store.lists import opt_outs
from watcher.store.mutes import Mute, active_mutes
from watcher.store.noting import countries_at
from watcher.store.revisions import Revision, changes_of, revisions
from watcher.store.routes import Origin, catch_all_route, lists_of, stored_routes, tags_of
from watcher.store.welcomes import welcomes
from watcher.tables.overrides import categories


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One address, and everything that decides what it hears of the trial."""

    address: str
    routes: tuple[Route, ...]  # by which it hears of the trial
    refused: tuple[str, ...]  # lists that it asked to hear no more of; "" = of any
    mutes: tuple[Mute, ...]
    welcomed_at: datetime | None  # None = it will hear where the trial stands first


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChange:
    """What came of the trial's last step."""

    step: Revision
    changes: tuple[Change, ...]
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    nct_id: str
    lists: list[str]
    tags: list[str]
    readers: list[Reader]
    catch_all: Route | None
    left: dict[str, Severity]  # by category: the worst that only the catch-all takes, wherever the sites are
    last: LastChange | None
    now: datetime

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        tags = f"; tags: {', '.join(self.tags)}" if self.tags else ""
        yield f"{self.nct_id}  on {', '.join(self.lists)}{tags}"
        for reader in self.readers:
            yield from self._reader_lines(reader)
        if self.catch_all is not None:
            when = self._when(self.catch_all)
            yield f"{self.catch_all.address}  (the catch-all)"
            yield f"    hears of what nobody else does, {when}: {self._left_words()}"
        if self.last is not None:
            yield from self._last_lines(self.last)

    def as_json(self) -> dict[str, Json]:
        """Return it for programs."""
        return {
            "kind": "audience",
            "nct_id": self.nct_id,
            "watchlists": self.lists,
            "tags": self.tags,
            "readers": [self._reader_json(reader) for reader in self.readers],
            "catch_all": None if self.catch_all is None else self._route_json(self.catch_all),
            "only_catch_all": {category: severity.value for category, severity in self.left.items()},
            "last_change": None if self.last is None else _last_json(self.last),
        }

    def _reader_lines(self, reader: Reader) -> Iterator[str]:
        yield reader.address
        if not reader.routes:
            yield "    hears nothing of it"
        for route in reader.routes:
            yield f'    by "{route.name}": {filter_words(route)}, {self._when(route)}'
        for name in reader.refused:
            yield f"    unsubscribed from {_list_words(name)}"
        for mute in reader.mutes:
            until = f"until {mute.until:%Y-%m-%d %H:%M} UTC" if mute.until else "until it is taken back"
            why = f" ({mute.reason})" if mute.reason else ""
            yield f"    muted {until}: {what_words(mute.category, mute.nct_id)}{why}; it is kept, and told afterwards"
        if reader.routes and reader.welcomed_at is None:
            yield "    new: hears first where the trial stands, when the registry has been asked"

    def _when(self, route: Route) -> str:
        closes = window_at(route.schedule, self.now)[1]
        return f"{schedule_words(route.schedule)}; the next window closes {closes:%Y-%m-%d %H:%M} UTC"

    def _left_words(self) -> str:
        if not self.left:
            return "nothing, as the routes are now"
        if all(severity is Severity.CRITICAL for severity in self.left.values()) and not any(
            reader.routes for reader in self.readers
        ):
            return "every change"
        return ", ".join(f"{category} ({_and_below(severity)})" for category, severity in self.left.items())

    def _last_lines(self, last: LastChange) -> Iterator[str]:
        yield f"Of its last change, in registry data of {last.step.data_timestamp[:10]}:"
        sentences = {change.story: change.sentence for change in reversed(last.changes)}
        story = None
        for one in last.judgements:
            if one.story is not story:
                story = one.story
                yield f"    [{story.severity.value}] {sentences[story.id]}"
            yield f'        {one.route.address} by "{one.route.name}": {one.answer.value}'
        if not last.judgements:
            yield "    nothing of it is told to anybody"

    def _reader_json(self, reader: Reader) -> dict[str, Json]:
        return {
            "address": reader.address,
            "routes": [self._route_json(route) for route in reader.routes],
            "opted_out": list(reader.refused),
            "mutes": [
                {"nct_id": mute.nct_id, "category": mute.category, "until": mute.until, "reason": mute.reason}
                for mute in reader.mutes
            ],
            "welcomed_at": reader.welcomed_at,
        }

    def _route_json(self, route: Route) -> dict[str, Json]:
        opens, closes = window_at(route.schedule, self.now)
        return {
            "name": route.name,
            "address": route.address,
            "severity": route.severity.value,
            "categories": route.categories,
            "countries": route.countries,
            "cadence": route.schedule.cadence.value,
            "schedule": schedule_words(route.schedule),
            "window": {"opens_at": opens, "closes_at": closes},
        }


def explain_audience(app: Application, trial: str) -> Audience:
    """Return who would hear what of a trial.

    Raises:
        SettingsError: not an ID, or no list names it.
    """
    try:
        nct_id = normalise_nct_id(trial)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    now = app.now()
    with app.database.reading() as db:
        lists, tags = lists_of(db, nct_id), tags_of(db, nct_id)
        if not lists:
            raise SettingsError([f"{nct_id} is on no watch list: nobody hears of it"])
        readers = _readers(db, nct_id, lists, tags, now=now)
        routes = [route for reader in readers for route in reader.routes]
        catch_all = catch_all_route(db)
        return Audience(
            nct_id=nct_id,
            lists=lists,
            tags=tags,
            readers=readers,
            catch_all=catch_all,
            left=dict(untaken(routes, categories(app.table.rules))),
            last=_last_change(db, nct_id, routes, catch_all),
            now=now,
        )


def _readers(db: Connection, nct_id: str, lists: Sequence[str], tags: Sequence[str], *, now: datetime) -> list[Reader]:
    unwanted, held, known = opt_outs(db), active_mutes(db, now=now, nct_id=nct_id), welcomes(db, nct_id)
    found: dict[str, list[Route]] = {}
    for one in stored_routes(db):
        tagged = not one.route.tags or not set(tags).isdisjoint(one.route.tags)
        if one.origin is not Origin.CATCH_ALL and tagged and concerns(one.route, lists, ()):
            mine = found.setdefault(one.route.address, [])
            mine += [one.route] if concerns(one.route, lists, unwanted.get(one.route.address, ())) else []
    return [
        Reader(
            address=address,
            routes=tuple(routes),
            refused=tuple(name for name in unwanted.get(address, ()) if name in ("", *lists)),
            mutes=tuple(mute for mute in held if mute.address == address),
            welcomed_at=known.get(address),
        )
        for address, routes in sorted(found.items())
    ]


def _last_change(db: Connection, nct_id: str, routes: Sequence[Route], catch_all: Route | None) -> LastChange | None:
    """Return how the routes, as they are now, take the trial's last step; None when nothing has changed yet."""
    steps = [step for step in revisions(db, nct_id) if step.before_id is not None]
    if not steps:
        return None
    changes = changes_of(db, [steps[-1].id])[steps[-1].id]
    stories = stories_of(changes, countries_at(db, nct_id, steps[-1].id))
    judged = judgements(stories, routes, catch_all)
    return LastChange(step=steps[-1], changes=tuple(changes), judgements=judged)


def _last_json(last: LastChange) -> dict[str, Json]:
    return {
        "day": last.step.data_timestamp[:10],
        "answers": [
            {
                "story": one.story.id,
                "severity": one.story.severity.value,
                "address": one.route.address,
                "route": one.route.name,
                "told": one.answer in {Answer.TOLD, Answer.TOLD_MORE_URGENTLY},
                "why": one.answer.value,
            }
            for one in last.judgements
        ],
    }


def _and_below(severity: Severity) -> str:
    return "all" if severity is Severity.CRITICAL else f"from {severity.value} down"


def _list_words(name: str) -> str:
    return f'"{name}"' if name else "everything"
