"""What goes with a mail: a table that spreadsheets open without harm, events that calendars take over."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from watcher.core.moved_dates import MovedDate, moved_dates, read_day
from watcher.model import Change, How, Place, Severity
from watcher.render.attachments import CSV_LIMIT, TableRow, changes_csv, dates_calendar

NOW = datetime(2026, 3, 24, 7, tzinfo=UTC)
PRIMARY = "protocolSection.statusModule.primaryCompletionDateStruct.date"


def row(**values: str) -> TableRow:
    cells = {name: name for name in TableRow.__dataclass_fields__}
    return TableRow(**(cells | values))


def opened(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_the_table_has_a_heading_and_a_line_for_each_change() -> None:
    table, held = changes_csv([row(title="Größe"), row()])
    lines = opened(table.content)
    assert held == 2
    assert lines[0][0] == "NCT ID"
    assert len(lines) == 3
    assert lines[1][1] == "Größe"
    assert table.content.startswith(b"\xef\xbb\xbf")
    assert table.content.count(b"\n") == table.content.count(b"\r\n") == 3


@given(st.text(), st.text())
def test_no_cell_is_a_formula_or_breaks_a_line(old: str, new: str) -> None:
    table, _ = changes_csv([row(old=old, new=new)])
    lines = opened(table.content)
    assert [len(line) for line in lines] == [11, 11]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for line in lines for cell in line)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u202e=1", "\uff1d1", "\ufe62a", "\uff20b"]
)
def test_what_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    table, _ = changes_csv([row(new=text)])
    assert opened(table.content)[1][9].startswith("'")


def test_a_table_that_is_too_large_counts_what_it_leaves_out() -> None:
    table, held = changes_csv([row(old="x" * 5_000) for _ in range(1_000)])
    lines = opened(table.content)
    assert len(table.content) <= CSV_LIMIT
    assert 300 < held < 1_000
    assert len(lines) == held + 2
    assert lines[-1][0].startswith(f"and {1_000 - held} more changes")


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2027-03-17", (date(2027, 3, 17), False), id="a day"),
        pytest.param("2028-02", (date(2028, 2, 29), True), id="a month stands on its last day"),
        pytest.param("2027-13", None, id="no month"),
        pytest.param("2027-02-30", None, id="no day"),
        pytest.param("0000-01", None, id="no year"),
        pytest.param("soon", None, id="no date"),
        pytest.param(2027, None, id="a number"),
    ],
)
def test_a_date_of_a_record_stands_on_a_day(text: object, day: object) -> None:
    assert read_day(text) == day


def slip(old: str | None, new: str | None) -> Change:
    return Change(
        id="0" * 16, nct_id="NCT00000001", path=PRIMARY, item=None, how=How.CHANGED, label="", category="dates",
        severity=Severity.MAJOR, place=Place.LINE, rules=(), story="", sentence="", headline="", old=old, new=new,
    )  # fmt: skip


def events(*changes: Change, moves: int = 1) -> list[Any]:
    moved = moved_dates(changes, title="A study", moves={PRIMARY: moves})
    calendar = Calendar.from_ical(dates_calendar(moved, domain="example.org", now=NOW).content)
    assert calendar["method"] == "PUBLISH"
    return list(calendar.walk("VEVENT"))


def test_an_event_replaces_the_one_of_the_same_date_that_was_sent_before() -> None:
    (first,), (second,) = events(slip("2027-03-17", "2027-05-01")), events(slip("2027-05-01", "2027-06"), moves=2)
    assert first["uid"] == second["uid"] == "NCT00000001-primary-completion@example.org"
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert (first.decoded("dtstart"), second.decoded("dtstart")) == (date(2027, 5, 1), date(2027, 6, 30))
    assert first["dtstart"].params["VALUE"] == "DATE"
    assert first["transp"] == "TRANSPARENT"
    assert "in 2027-06, day not given" in second["summary"]


def test_of_a_date_that_moved_twice_in_a_digest_the_last_place_counts() -> None:
    (event,) = events(slip("2027-03", "2027-05"), slip("2027-05", "2027-09-09"), moves=2)
    assert event.decoded("dtstart") == date(2027, 9, 9)


def test_the_event_of_a_date_that_the_record_gives_no_more_is_cancelled() -> None:
    (event,) = events(slip("2027-03-17", None))
    assert event["status"] == "CANCELLED"
    assert event.decoded("dtstart") == date(2027, 3, 17)


def test_what_is_no_date_is_no_event() -> None:
    assert moved_dates([slip("2027-03", "soon")], title="", moves={}) == []


@given(st.text(max_size=200))
def test_a_title_cannot_add_to_an_event(title: str) -> None:
    moved = MovedDate(
        nct_id="NCT00000001", title=title, milestone="study-completion", words="Study completion",
        day=date(2027, 3, 17), whole_month=False, was=None, gone=False, sequence=1,
    )  # fmt: skip
    content = dates_calendar([moved], domain="example.org", now=NOW).content
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    names = {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "URL", "TRANSP", "STATUS"}
    assert set(event) == names
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
