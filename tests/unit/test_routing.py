"""Who hears of which story, by which schedule, and why not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import study
from tests.unit.full_records import table
from tests.unit.test_digest import change
from watcher.core.items.places import countries_of
from watcher.core.meaning import compare
from watcher.core.routing import (
    CATCH_ALL,
    Answer,
    Story,
    assign,
    concerns,
    judge,
    judgements,
    most_urgent,
    stories_of,
    untaken,
)
from watcher.model import Cadence, Json, Place, Route, Schedule, Severity

CRITICAL, MAJOR, MINOR, NOISE = Severity
READER, OTHER, LAST = "reader@example.org", "other@example.org", "operator@example.org"


def route(
    name: str = "Ours",
    *,
    address: str = READER,
    cadence: Cadence = Cadence.DAILY,
    pierces: bool = False,
    severity: Severity = MINOR,
    categories: tuple[str, ...] | None = None,
    countries: tuple[str, ...] | None = None,
) -> Route:
    schedule = Schedule(cadence=cadence, time_zone="UTC", critical_pierces=pierces)
    return Route(
        name=name, address=address, schedule=schedule, severity=severity, categories=categories, countries=countries
    )


def story(name: str = "a", *, severity: Severity = MINOR, category: str = "dates", countries: str = "") -> Story:
    return Story(
        id=name,
        severity=severity,
        category=category,
        categories=frozenset([category]),
        countries=frozenset(countries.split()),
    )


EVERYTHING_ELSE = route(CATCH_ALL, address=LAST)


# --- stories ----------------------------------------------------------------------------------------------------------


def test_a_story_is_as_severe_as_the_worst_that_it_tells_and_of_all_its_categories() -> None:
    changes = [
        change("a", severity=MAJOR, category="sites"),
        change("b"),
        change("a", severity=CRITICAL, category="status"),
        change("a", severity=NOISE, category="contacts"),
        change("a", severity=CRITICAL, place=Place.HIDDEN, category="design"),
    ]

    first, second = stories_of(changes)

    assert (first.id, first.severity, first.category) == ("a", CRITICAL, "status")
    assert first.categories == {"sites", "status"}
    assert second == story("b")


def test_what_is_not_told_is_no_story() -> None:
    assert stories_of([change("a", severity=NOISE), change("b", place=Place.FOOTER)]) == ()


def site(facility: str, country: str, status: str = "RECRUITING") -> Json:
    return {"facility": facility, "city": "Example Town", "country": country, "status": status}


@pytest.mark.parametrize(
    ("after", "concerned"),
    [
        pytest.param([site("A", "Germany", "COMPLETED"), site("B", "France")], ["germany"], id="a site's status"),
        pytest.param([site("A", "Germany")], ["france"], id="a site that goes"),
        pytest.param(
            [site("A", "Germany"), site("B", "France"), site("C", "Spain")], ["spain"], id="a site that comes"
        ),
        pytest.param([site("A", "Germany"), site("B", "France")], ["france", "germany"], id="no site: every country"),
    ],
)
def test_a_change_of_a_site_concerns_its_country_and_any_other_change_all_of_them(
    after: Sequence[Json], concerned: list[str]
) -> None:
    before = study("NCT00000001", locations=[site("A", "Germany"), site("B", "France")])
    same = list(after) == before["protocolSection"]["contactsLocationsModule"]["locations"]
    later = study("NCT00000001", locations=after, enrollment=400 if same else 40)
    countries = countries_of(before) | countries_of(later)

    (found,) = stories_of(compare(before, later, table()), countries)

    assert sorted(found.countries) == concerned


def test_a_country_with_a_comma_in_its_name_is_known_by_the_trials_countries() -> None:
    path = "protocolSection.contactsLocationsModule.locations[].status"
    moved = replace(change("a", path=path), item="A Hospital, Example Town, Korea, Republic of")

    (found,) = stories_of([moved], frozenset({"Korea, Republic of", "Germany"}))

    assert judge(route(countries=("Korea, Republic of",)), found) is Answer.TOLD
    assert judge(route(countries=("Germany",)), found) is Answer.OTHER_COUNTRY


# --- which route takes it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "answer"),
    [
        pytest.param(route(), Answer.TOLD, id="a route for everything"),
        pytest.param(route(severity=MAJOR), Answer.TOLD, id="severe enough"),
        pytest.param(route(severity=CRITICAL), Answer.BELOW_SEVERITY, id="not severe enough"),
        pytest.param(route(categories=("dates", "sites")), Answer.TOLD, id="one of its categories"),
        pytest.param(route(categories=("status",)), Answer.OTHER_CATEGORY, id="of another category"),
        pytest.param(route(countries=("Germany",)), Answer.TOLD, id="one of its countries"),
        pytest.param(route(countries=("Türkiye",)), Answer.TOLD, id="a country by another of its names"),
        pytest.param(route(countries=("France",)), Answer.OTHER_COUNTRY, id="in another country"),
        pytest.param(route(severity=CRITICAL, categories=("x",)), Answer.BELOW_SEVERITY, id="the first reason counts"),
    ],
)
def test_a_route_takes_a_story_or_says_why_not(by: Route, answer: Answer) -> None:
    assert judge(by, story(severity=MAJOR, countries="germany turkey")) is answer


def test_a_trial_without_sites_concerns_no_country() -> None:
    assert judge(route(countries=("Germany",)), story()) is Answer.OTHER_COUNTRY


# --- who hears --------------------------------------------------------------------------------------------------------


def test_an_address_hears_a_story_once_by_the_most_urgent_of_its_routes_and_is_told_why_by_all() -> None:
    weekly, daily = route("W", cadence=Cadence.WEEKLY), route("D", severity=MAJOR)
    minor, major = story("a"), story("b", severity=MAJOR)

    by_week, by_day = assign([minor, major], [weekly, daily])

    assert (by_week.schedule, by_week.stories, by_week.routes) == (weekly.schedule, (minor,), ("W",))
    assert (by_day.schedule, by_day.stories, by_day.routes) == (daily.schedule, (major,), ("W", "D"))
    assert [one.answer for one in judgements([major], [weekly, daily])] == [Answer.TOLD_MORE_URGENTLY, Answer.TOLD]


def test_what_no_route_takes_goes_to_the_catch_all_and_nothing_else_does() -> None:
    minor, major = story("a"), story("b", severity=MAJOR)

    found = {one.address: one.stories for one in assign([minor, major], [route(severity=MAJOR)], EVERYTHING_ELSE)}

    assert found == {READER: (major,), LAST: (minor,)}


def test_a_critical_story_goes_by_the_route_that_it_pierces() -> None:
    daily, piercing = route("D"), route("W", cadence=Cadence.WEEKLY, pierces=True)
    critical, minor = story("a", severity=CRITICAL), story("b")

    at_once, by_day = assign([critical, minor], [daily, piercing])

    assert (at_once.schedule, at_once.pierces, at_once.stories) == (piercing.schedule, True, (critical,))
    assert (by_day.schedule, by_day.pierces, by_day.stories) == (daily.schedule, False, (minor,))


def test_of_equally_urgent_routes_the_first_counts() -> None:
    first, second = route("A"), replace(route("B"), schedule=Schedule(cadence=Cadence.DAILY, time_zone="Asia/Tokyo"))

    assert most_urgent([first, second]) == {READER: first}


_ROUTES = st.lists(
    st.builds(
        route,
        st.sampled_from(["A", "B", "C"]),
        address=st.sampled_from([READER, OTHER]),
        cadence=st.sampled_from(Cadence),
        pierces=st.booleans(),
        severity=st.sampled_from([CRITICAL, MAJOR, MINOR]),
        categories=st.none() | st.just(("dates",)) | st.just(("sites",)),
        countries=st.none() | st.just(("Germany",)),
    ),
    max_size=6,
)
_STORIES = st.lists(
    st.builds(
        story,
        st.sampled_from("abcdef"),
        severity=st.sampled_from([CRITICAL, MAJOR, MINOR]),
        category=st.sampled_from(["dates", "sites"]),
        countries=st.sampled_from(["", "germany", "france"]),
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)


@settings(deadline=None)
@given(_STORIES, _ROUTES)
def test_every_story_has_a_reader_and_no_address_hears_it_twice(stories: list[Story], routes: list[Route]) -> None:
    found = assign(stories, routes, EVERYTHING_ELSE)

    heard = [(one.address, each) for one in found for each in one.stories]
    assert len(heard) == len(set(heard))
    assert {each for _, each in heard} == set(stories)
    for address in (READER, OTHER):
        takes = {
            each for each in stories for one in routes if one.address == address and judge(one, each) is Answer.TOLD
        }
        assert {each for whom, each in heard if whom == address} == takes
    for one in found:
        assert one.severity is min((each.severity for each in one.stories), key=lambda severity: severity.rank)
        assert one.routes


# --- opt-outs, and what is left ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opted_out", "still"),
    [
        pytest.param([], True, id="nothing was refused"),
        pytest.param(["A"], True, id="one of two lists"),
        pytest.param(["A", "B"], False, id="both lists"),
        pytest.param([""], False, id="everything"),
        pytest.param(["C"], True, id="a list that the trial is not on"),
    ],
)
def test_opting_out_of_a_list_takes_that_list_from_what_somebody_hears_by(opted_out: list[str], *, still: bool) -> None:
    assert concerns(route(), ["A", "B"], opted_out) is still


def test_a_route_of_a_list_concerns_no_trial_that_is_not_on_it() -> None:
    by_list = replace(route(), watchlists=("A",))

    assert concerns(by_list, ["A", "B"], [])
    assert not concerns(by_list, ["B"], [])
    assert not concerns(by_list, ["A", "B"], ["A"])


def test_what_only_the_catch_all_takes_is_named_by_category_and_severity() -> None:
    routes = [route(severity=MAJOR), route(categories=("sites",)), route(countries=("Germany",))]

    assert untaken(routes, ["dates", "sites"]) == {"dates": MINOR}
    assert untaken([], ["dates"]) == {"dates": CRITICAL}
