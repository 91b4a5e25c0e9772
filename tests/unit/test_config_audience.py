"""Settings of who hears what: people, routes, the catch-all, and what is wrong between them."""

from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from tests.unit.settings_files import OPERATOR, READER, WATCHLIST, load, problems
from watcher.config.values import parse_quiet_hours
from watcher.model import Cadence, Recipient, Route, Schedule, Severity

LISTED = WATCHLIST + READER
PERSON = '[[recipient]]\naddress = "reader@example.org"\n'
ROUTE = '[[route]]\nname = "Safety"\nrecipients = ["reader@example.org"]\n'
USUAL = Schedule(cadence=Cadence.DAILY, time_zone="UTC")
OWN = (
    PERSON + 'cadence = "weekly"\ntime_zone = "Europe/Berlin"\nhour = 9\nweekday = "friday"\n'
    'working_days = ["friday", "monday"]\nholidays = [2026-12-25, 2026-01-01]\nquiet_hours = "22:00-06:30"\n'
    "critical_pierces = true\nall_clear = false\n"
)
WISHED = Schedule(
    cadence=Cadence.WEEKLY,
    time_zone="Europe/Berlin",
    hour=9,
    weekday=4,
    working_days=(0, 4),
    holidays=(date(2026, 1, 1), date(2026, 12, 25)),
    quiet=(time(22), time(6, 30)),
    critical_pierces=True,
)


def test_a_recipient_of_a_list_hears_as_their_own_table_says(tmp_path: Path) -> None:
    [listed] = load(tmp_path, LISTED + OWN).watchlists()
    assert listed.recipients == (Recipient(address="reader@example.org", schedule=WISHED),)


def test_what_a_list_says_of_its_recipient_is_stronger(tmp_path: Path) -> None:
    [listed] = load(tmp_path, LISTED + 'cadence = "daily"\nhour = 7\nweekday = "monday"\n' + OWN).watchlists()
    [one] = listed.recipients
    assert one.schedule == replace(WISHED, cadence=Cadence.DAILY, hour=7, weekday=0)


def test_an_address_is_the_same_person_whatever_its_case(tmp_path: Path) -> None:
    [listed] = load(tmp_path, LISTED + OWN.replace("reader@", "Reader@")).watchlists()
    assert listed.recipients[0].schedule == WISHED


def test_a_route_is_one_for_each_of_its_people(tmp_path: Path) -> None:
    scope = (
        'watchlists = ["Ours"]\ntags = ["x", "y"]\nseverity = "major"\ncategories = ["status"]\n'
        'countries = ["Germany"]\ncadence = "immediate"\n'
    )
    route = ROUTE.replace('["reader@example.org"]', '["reader@example.org", "other@example.org"]')
    settings = load(tmp_path, WATCHLIST + 'tags = ["x"]\n' + READER + route + scope + OWN)
    first = Route(
        name="Safety",
        address="reader@example.org",
        schedule=replace(WISHED, cadence=Cadence.IMMEDIATE),
        watchlists=("Ours",),
        tags=("x", "y"),
        severity=Severity.MAJOR,
        categories=("status",),
        countries=("Germany",),
    )
    usual = replace(USUAL, cadence=Cadence.IMMEDIATE)
    assert settings.routes() == (first, replace(first, address="other@example.org", schedule=usual))
    assert settings.watchlists()[0].tags == ("x",)


def test_a_route_that_says_no_more_is_for_every_change_of_every_trial(tmp_path: Path) -> None:
    [route] = load(tmp_path, WATCHLIST + ROUTE).routes()
    assert route == Route(name="Safety", address="reader@example.org", schedule=USUAL)


@pytest.mark.parametrize(
    ("text", "reader"),
    [
        pytest.param("", "operations@example.org", id="the operator, unless given"),
        pytest.param('catch_all = "Last@EXAMPLE.org"\n', "Last@example.org", id="who is given"),
    ],
)
def test_the_catch_all_hears_daily(tmp_path: Path, text: str, reader: str) -> None:
    assert load(tmp_path, OPERATOR + text).last_reader() == Recipient(address=reader, schedule=USUAL)


def test_the_catch_all_hears_daily_at_their_own_hour(tmp_path: Path) -> None:
    own = OWN.replace("reader@", "operations@")
    assert load(tmp_path, OPERATOR + own).last_reader().schedule == replace(WISHED, cadence=Cadence.DAILY)


def test_how_long_immediate_mail_is_merged_can_be_set(tmp_path: Path) -> None:
    settings = load(tmp_path, OPERATOR + '[mail]\nmerge_for = "0s"\n')
    assert settings.last_reader().schedule.merged_for == timedelta(0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            LISTED + ROUTE + 'watchlists = ["Our"]',
            'route[0].watchlists[0]: "Our" is no watch list of this file; did you mean "Ours"?',
            id="a misspelt list",
        ),
        pytest.param(
            LISTED + ROUTE + 'watchlists = ["Elsewhere"]',
            'route[0].watchlists[0]: "Elsewhere" is no watch list of this file; declare it as a [[watchlist]], which '
            "needs no trials when they are added by command",
            id="an unknown list",
        ),
        pytest.param(
            LISTED + ROUTE + 'categories = ["sties"]',
            'route[0].categories[0]: "sties" is no category of changes; did you mean "sites"?',
            id="a misspelt category",
        ),
        pytest.param(
            LISTED + ROUTE + "categories = []",
            'route[0].categories: is empty; write it as in categories = ["status", "results"]',
            id="no category",
        ),
        pytest.param(
            LISTED + ROUTE + 'severity = "noise"',
            'route[0].severity: "noise" is not one of "critical", "major", "minor"',
            id="a severity that is never told",
        ),
        pytest.param(
            LISTED + '[[route]]\nname = "Safety"\n',
            'route[0].recipients: is missing; write it as in recipients = ["reader@example.org"]',
            id="a route without recipients",
        ),
        pytest.param(
            LISTED + ROUTE + ROUTE.replace("Safety", " safety"),
            'route[1].name: " safety" is route[0].name already; give each route a name of its own',
            id="two routes of one name",
        ),
        pytest.param(
            LISTED + ROUTE.replace('.org"]', '.org", "Reader@example.org"]'),
            'route[0].recipients[1]: "Reader@example.org" is route[0].recipients[0] already; write it once',
            id="a person twice in a route",
        ),
        pytest.param(
            LISTED + PERSON + PERSON,
            'recipient[1].address: "reader@example.org" is recipient[0].address already; write one table for each '
            "person",
            id="a person twice",
        ),
        pytest.param(
            LISTED + PERSON.replace("reader", "raeder"),
            'recipient[0].address: "raeder@example.org" is named by no watch list and no route; did you mean '
            '"reader@example.org"?',
            id="a person whom nothing names",
        ),
        pytest.param(
            LISTED + PERSON + 'quiet_hours = "22-6"',
            'recipient[0].quiet_hours: "22-6" are not quiet hours; write two times of day, in whole five minutes, as '
            'in "22:00-06:00"',
            id="quiet hours in another form",
        ),
        pytest.param(
            LISTED + PERSON + 'quiet_hours = "06:00-06:00"',
            'recipient[0].quiet_hours: "06:00-06:00" begin when they end; write two different times, or leave the key '
            "out",
            id="quiet hours without an end",
        ),
        pytest.param(
            LISTED + PERSON + 'holidays = ["2026-12-25"]',
            "recipient[0].holidays[0]: must be a date without quotation marks, as in 2026-12-25, not text",
            id="a holiday in quotation marks",
        ),
        pytest.param(
            LISTED + PERSON + "working_days = []",
            'recipient[0].working_days: is empty; write it as in working_days = ["monday", "tuesday", "wednesday", '
            '"thursday", "friday"]',
            id="no working day",
        ),
        pytest.param(
            LISTED + PERSON + 'critical_pierces = "yes"',
            "recipient[0].critical_pierces: must be true or false, without quotation marks, not text",
            id="yes in place of true",
        ),
    ],
)
def test_a_problem_is_named_with_its_key_and_what_would_be_right(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


def test_a_list_without_recipients_is_fine_where_a_route_tells_of_it(tmp_path: Path) -> None:
    assert load(tmp_path, WATCHLIST + ROUTE + 'watchlists = ["Ours"]').watchlists()[0].recipients == ()
    assert load(tmp_path, WATCHLIST + ROUTE).watchlists()[0].recipients == ()


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        pytest.param("22:00-06:00", (time(22), time(6)), id="over midnight"),
        pytest.param(" 12:05 – 13:55 ", (time(12, 5), time(13, 55)), id="with spaces and a dash"),
    ],
)
def test_quiet_hours_are_read(text: str, hours: tuple[time, time]) -> None:
    assert parse_quiet_hours(text) == hours


@pytest.mark.parametrize("text", ["22:03-06:00", "24:00-06:00", "22:00", "", "22:00-06:00-07:00"])
def test_other_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        parse_quiet_hours(text)
