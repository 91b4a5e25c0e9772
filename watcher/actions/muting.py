"""Mute readers for a while, and take it back: check what was given, and record it.

What is held back is kept, and comes as one mail afterwards; see ``store/mutes.py``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from watcher.app import Application
from watcher.config.changes import check_category
from watcher.config.values import did_you_mean, nearest, normalise_address, one_line, parse_duration, quoted
from watcher.core.identifiers import normalise_nct_id
from watcher.errors import SettingsError
from watcher.store.mutes import Mute, active_mutes, add_mute, end_mutes
from watcher.store.routes import stored_routes


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """Whose mail a mute is about, as far as it was named."""

    address: str
    nct_id: str | None  # None = every trial
    category: str | None  # None = everything

    @property
    def words(self) -> str:
        return what_words(self.category, self.nct_id)


def what_words(category: str | None, nct_id: str | None) -> str:
    """Return what a mute is about, in words."""
    what = f"changes of {category}" if category else "everything"
    return f"{what} about {nct_id}" if nct_id else what


def mute(
    app: Application, address: str, *, trial: str | None, category: str | None, until: str | None, reason: str | None
) -> tuple[What, datetime | None]:
    """Keep from a reader what is named, and return it with when that ends; None = when it is taken back.

    Raises:
        SettingsError: something given is wrong, or nobody of that address hears of anything.
    """
    now = app.now()
    what = _read(address, trial, category)
    ends = None if until is None else read_end(until, now=now)
    try:
        words = one_line(reason) if reason is not None else None
    except ValueError as error:
        raise SettingsError([f"the reason {error}"]) from error
    with app.database.writing() as db:
        _check_reader(db, what.address)
        add_mute(db, what.address, now=now, nct_id=what.nct_id, category=what.category, until=ends, reason=words)
    return what, ends


def unmute(app: Application, address: str, *, trial: str | None, category: str | None) -> tuple[What, int]:
    """Take back a reader's mutes, all or those of what is named; return that, and how many there were.

    Raises:
        SettingsError: something given is wrong, or there is no such mute.
    """
    what = _read(address, trial, category)
    with app.database.writing() as db:
        ended = end_mutes(db, what.address, now=app.now(), nct_id=what.nct_id, category=what.category)
    if not ended:
        raise SettingsError([f"{what.address} has no such mute; see trialwatch mutes"])
    return what, ended


def mutes(app: Application) -> list[Mute]:
    """Return the mutes that hold something back now."""
    with app.database.reading() as db:
        return active_mutes(db, now=app.now())


def read_end(text: str, *, now: datetime) -> datetime:
    """Return the moment that ``text`` writes: a duration from now, or a date or moment, UTC unless it says otherwise.

    Raises:
        SettingsError: it is neither, or not in the future.
    """
    try:
        return now + parse_duration(text)
    except (ValueError, OverflowError):
        pass  # not a duration: perhaps a moment
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        right = 'write a duration, as in "3d", or a date or moment, as in 2026-03-09 or 2026-03-09T08:00+01:00'
        raise SettingsError([f"{quoted(text)} says not until when; {right}"]) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise SettingsError([f"{quoted(text)} is over; write a moment after {now:%Y-%m-%d %H:%M} UTC"])
    return moment


def _read(address: str, trial: str | None, category: str | None) -> What:
    try:
        return What(
            address=normalise_address(address),
            nct_id=normalise_nct_id(trial) if trial is not None else None,
            category=check_category(category) if category is not None else None,
        )
    except ValueError as error:
        raise SettingsError([str(error)]) from error


def _check_reader(db: Connection, address: str) -> None:
    known = {one.route.address for one in stored_routes(db)}
    if address not in known:
        raise SettingsError([f"{quoted(address)} hears of nothing{did_you_mean(nearest(address, known))}"])
