"""Who hears of which trials, and when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field

from watcher.config.changes import Category
from watcher.config.sections.base import Section
from watcher.config.sections.targets import Reader
from watcher.config.values import (
    LONGEST_LIST_NAME,
    LONGEST_TAG,
    Address,
    Line,
    NctId,
    QuietHours,
    TimeZone,
    parse_quiet_hours,
)
from watcher.model import Cadence, Recipient, Route, Schedule, Severity

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Tag = Annotated[Line, Field(max_length=LONGEST_TAG)]
_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class PersonSettings(Section):
    """How one person wants mail, whatever route it comes by."""

    address: Reader = Field(description="Whose mail this is about.", examples=['address = "reader@example.org"'])
    cadence: Annotated[Cadence, Field(strict=False)] = Field(
        Cadence.DAILY, description="immediate, daily or weekly, unless a list or a route says otherwise."
    )
    time_zone: TimeZone = Field("UTC", description="IANA name of the zone of all that follows, as in Europe/Berlin.")
    hour: int = Field(
        7, ge=0, le=23, description="Hour of the day, 0 to 23, at which daily and weekly mail is written."
    )
    weekday: Weekday = Field("monday", description="Day on which weekly mail is written; the next one if it is free.")
    working_days: Annotated[tuple[Weekday, ...], Field(strict=False)] = Field(
        _WEEKDAYS,
        min_length=1,
        description="Days on which mail is written; what others would bring comes on the next one.  All by default.",
        examples=['working_days = ["monday", "tuesday", "wednesday", "thursday", "friday"]'],
    )
    holidays: Annotated[tuple[date, ...], Field(strict=False)] = Field(
        (), description="Dates that are as free as days that are no working days.", examples=["holidays = [2026-12-25]"]
    )
    quiet_hours: QuietHours | None = Field(
        None,
        description="Hours in which no immediate mail is written; it comes when they end.  None by default.",
        examples=['quiet_hours = "22:00-06:00"'],
    )
    critical_pierces: bool = Field(
        False, description="true: critical changes wait for none of this, nor for a mute, but come within minutes."
    )
    all_clear: bool = Field(
        True, description="Whether a mail says once a week that all was verified, also when nothing changed."
    )

    def schedule(self, merged_for: timedelta) -> Schedule:
        """Return when this person's windows close."""
        return Schedule(
            cadence=self.cadence,
            time_zone=self.time_zone,
            hour=self.hour,
            weekday=_WEEKDAYS.index(self.weekday),
            working_days=tuple(sorted(_WEEKDAYS.index(day) for day in set(self.working_days))),
            holidays=tuple(sorted(set(self.holidays))),
            quiet=parse_quiet_hours(self.quiet_hours) if self.quiet_hours else None,
            merged_for=merged_for,
            critical_pierces=self.critical_pierces,
        )


class RecipientSettings(Section):
    """A person who hears of a watch list.  What is not given is as their [[recipient]] says."""

    address: Reader = Field(
        description='Who hears of it: a mail address, or "target:NAME", see [[target]].',
        examples=['address = "reader@example.org"'],
    )
    cadence: Annotated[Cadence, Field(strict=False)] = Field(
        Cadence.DAILY,
        description="immediate, daily or weekly.  daily is one mail a day, and none when nothing changed.",
    )
    time_zone: TimeZone = Field("UTC", description="IANA name of the zone of hour and weekday, as in Europe/Berlin.")
    hour: int = Field(
        7, ge=0, le=23, description="Hour of the day, 0 to 23, at which daily and weekly mail is written."
    )
    weekday: Weekday = Field("monday", description="Day on which weekly mail is written.")

    def recipient(self, people: "People") -> Recipient:
        schedule = people.schedule(self.address)
        given: dict[str, object] = {name: getattr(self, name) for name in self.model_fields_set - {"address"}}
        if "weekday" in given:
            given["weekday"] = _WEEKDAYS.index(self.weekday)
        return Recipient(address=self.address, schedule=replace(schedule, **given))  # type: ignore[arg-type]  # its own


class WatchlistSettings(Section):
    name: Line = Field(
        description="Name of the list, which mails and commands show.",
        examples=['name = "Our trials"'],
        max_length=LONGEST_LIST_NAME,
    )
    trials: Annotated[tuple[NctId, ...], Field(strict=False)] = Field(
        (), description="NCT IDs; more can be added by command.", examples=['trials = ["NCT01234567"]']
    )
    tags: Annotated[tuple[Tag, ...], Field(strict=False)] = Field(
        (), description="Words for all these trials, to name them in routes.", examples=['tags = ["oncology"]']
    )
    recipients: Annotated[tuple[RecipientSettings, ...], Field(strict=False)] = Field(
        (),
        description="One table for each person, who hears of everything on the list; none if a [[route]] tells of it.",
        examples=['[[watchlist.recipients]] and, on the next line, address = "reader@example.org"'],
    )


class RouteSettings(Section):
    """Who hears only of some trials or changes, beside the recipients of the lists."""

    name: Line = Field(
        description="Name of the route, which explanations show.",
        examples=['name = "Safety"'],
        max_length=LONGEST_LIST_NAME,
    )
    recipients: Annotated[tuple[Address, ...], Field(strict=False)] = Field(
        min_length=1, description="Who hears by it.", examples=['recipients = ["reader@example.org"]']
    )
    watchlists: Annotated[tuple[Line, ...], Field(strict=False)] = Field(
        (),
        min_length=1,
        description="Only trials of these lists, by name; of all unless given.",
        examples=['watchlists = ["Our trials"]'],
    )
    tags: Annotated[tuple[Tag, ...], Field(strict=False)] = Field(
        (),
        min_length=1,
        description="Only trials with one of these tags; whatever they have unless given.",
        examples=['tags = ["oncology"]'],
    )
    severity: Literal["critical", "major", "minor"] = Field("minor", description="The least that is told.")
    categories: Annotated[tuple[Category, ...], Field(strict=False)] = Field(
        (),
        min_length=1,
        description="Only changes of these categories (trialwatch severity prints them); of all unless given.",
        examples=['categories = ["status", "results"]'],
    )
    countries: Annotated[tuple[Line, ...], Field(strict=False)] = Field(
        (),
        min_length=1,
        description="Only changes of sites in these countries, and of trials that have one there; of all unless given.",
        examples=['countries = ["Germany"]'],
    )
    cadence: Annotated[Cadence | None, Field(strict=False)] = Field(
        None,
        description="immediate, daily or weekly; as each person's [[recipient]] says unless given.",
        examples=['cadence = "immediate"'],
    )

    def routes(self, people: "People") -> tuple[Route, ...]:
        return tuple(
            Route(
                name=self.name,
                address=address,
                schedule=people.schedule(address, cadence=self.cadence),
                watchlists=self.watchlists,
                tags=self.tags,
                severity=Severity(self.severity),
                categories=self.categories or None,
                countries=self.countries or None,
            )
            for address in self.recipients
        )


class People:
    """What is known of how people want their mail."""

    def __init__(self, known: Mapping[str, PersonSettings], *, merged_for: timedelta) -> None:
        """Take the [[recipient]] tables by address, folded, and how long immediate mail waits for more."""
        self._known = known
        self._merged_for = merged_for

    def schedule(self, address: str, *, cadence: Cadence | None = None) -> Schedule:
        """Return when somebody's windows close: as they want it, or as is usual."""
        person = self._known.get(address.casefold()) or PersonSettings(address=address)
        schedule = person.schedule(self._merged_for)
        return replace(schedule, cadence=cadence) if cadence else schedule

    def wants_all_clear(self, address: str) -> bool:
        """Return whether somebody gets a mail of a week in which nothing changed."""
        person = self._known.get(address.casefold())
        return person is None or person.all_clear
