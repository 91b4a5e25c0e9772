"""Who hears of which trials, and when."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from watcher.config.sections.base import Section
from watcher.config.sections.targets import Reader
from watcher.config.values import LONGEST_LIST_NAME, Line, NctId, TimeZone
from watcher.model import Cadence, Recipient, Schedule

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class RecipientSettings(Section):
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

    def recipient(self) -> Recipient:
        weekday = get_args(Weekday).index(self.weekday)
        schedule = Schedule(cadence=self.cadence, time_zone=self.time_zone, hour=self.hour, weekday=weekday)
        return Recipient(address=self.address, schedule=schedule)


class WatchlistSettings(Section):
    name: Line = Field(
        description="Name of the list, which mails and commands show.",
        examples=['name = "Our trials"'],
        max_length=LONGEST_LIST_NAME,
    )
    trials: Annotated[tuple[NctId, ...], Field(strict=False)] = Field(
        (), description="NCT IDs; more can be added by command.", examples=['trials = ["NCT01234567"]']
    )
    recipients: Annotated[tuple[RecipientSettings, ...], Field(strict=False)] = Field(
        min_length=1,
        description="One table for each person.",
        examples=['[[watchlist.recipients]] and, on the next line, address = "reader@example.org"'],
    )
