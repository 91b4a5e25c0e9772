"""What goes with a mail beside its text: all told changes as a table, and moved dates for a calendar.

Pure: the same input gives the same bytes.  Does not decide what is attached (``letters.py``), and does not put it into
a mail (``mime.py``).  Contact details do not get here: changes carry none.

Sources: RFC 4180 (CSV), OWASP "CSV Injection" (cells that spreadsheets take for formulas), RFC 5545 (iCalendar),
RFC 5546 section 3.2.1 (PUBLISH).
"""

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

from watcher.core.moved_dates import MovedDate
from watcher.core.text import one_line
from watcher.render.counts import plural
from watcher.render.templates import record_url

if TYPE_CHECKING:
    from icalendar import Event

CSV_LIMIT = 2_000_000  # bytes; what is larger, mail servers begin to refuse
_CELL = 10_000  # characters; Excel takes 32,767
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = (
    "NCT ID", "Title", "Registry data of", "Severity", "Category", "What changed", "Field", "Item", "Was", "Now",
    "Change",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str  # of the file, plain ASCII
    media_type: str  # with its parameters, as "text/csv; charset=utf-8"
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One told change."""

    nct_id: str
    title: str
    day: str  # of the registry's data
    severity: str
    category: str
    sentence: str  # the story that it is part of
    label: str
    item: str
    old: str
    new: str
    change_id: str

    @property
    def cells(self) -> tuple[str, ...]:
        told = (self.nct_id, self.title, self.day, self.severity, self.category, self.sentence)
        return (*told, self.label, self.item, self.old, self.new, self.change_id)


def changes_csv(rows: Sequence[TableRow], *, name: str = "changes.csv") -> tuple[Attachment, int]:
    """Return the table of changes, and how many of them are in it.

    UTF-8 with a byte order mark: without one, Excel takes it for the encoding of the reader's country.  All cells are
    quoted, and none begins like a formula.  A table that would be too large ends with a line that counts the rest.
    """
    lines = [_line(_COLUMNS)]
    size = len(lines[0]) + 200  # room for the line that counts
    for row in rows:
        line = _line(row.cells)
        if size + len(line) > CSV_LIMIT:
            break
        lines.append(line)
        size += len(line)
    held = len(lines) - 1
    if held < len(rows):
        left = plural(len(rows) - held, "more change")
        lines.append(
            _line([f"and {left}, for which this file has no room: trialwatch history NCT… shows every change"])
        )
    content = b"\xef\xbb\xbf" + b"".join(lines)
    return Attachment(name=name, media_type="text/csv; charset=utf-8", content=content), held


def dates_calendar(dates: Sequence[MovedDate], *, domain: str, now: datetime) -> Attachment:
    """Return the moved dates as events that a calendar takes over, each replacing the one of its name.

    Args:
        dates: at least one.
        domain: of the events' identities, which must stay the same when a date moves again.
        now: when the mail is written, UTC.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//trialwatch//study dates//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")  # not REQUEST, which makes mail programs ask for an answer
    for one in dates:
        calendar.add_component(_event(one, domain=domain, now=now))
    media_type = "text/calendar; charset=utf-8; method=PUBLISH"
    return Attachment(name="study-dates.ics", media_type=media_type, content=calendar.to_ical())


def _event(one: MovedDate, *, domain: str, now: datetime) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{one.nct_id}-{one.milestone}@{domain}")
    event.add("sequence", one.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", one.day)
    event.add("dtend", one.day + timedelta(days=1))
    in_month = f" (in {one.day:%Y-%m}, day not given)" if one.whole_month else ""
    event.add("summary", f"{one.words}{in_month}: {one.nct_id} {one_line(one.title, 120)}")
    event.add("description", " ".join(_description(one)))
    event.add("url", record_url(one.nct_id))
    event.add("transp", "TRANSPARENT")
    event.add("status", "CANCELLED" if one.gone else "CONFIRMED")
    return event


def _description(one: MovedDate) -> Iterator[str]:
    if one.gone:
        yield "The record gives no such date any more."
    elif one.whole_month:
        yield "The record gives only the month; the event stands on its last day."
    if one.was is not None and not one.gone:
        yield f"It was {one_line(one.was, 40)}."
    yield record_url(one.nct_id)


def _line(cells: Sequence[str]) -> bytes:
    written = StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return written.getvalue().encode("utf-8", "replace")


def _cell(text: str) -> str:
    """Return a text as a cell: on one line, and no formula."""
    line = one_line(text, _CELL)
    # Spreadsheets of some countries take the wide and small forms of a sign for the sign.
    first = unicodedata.normalize("NFKC", line[:1])
    return f"'{line}" if first.startswith(_FORMULA) else line
