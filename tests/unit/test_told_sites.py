"""What is told of locations: countries by whatever name, places that moved or were only respelled, one of several."""

import pytest

from tests.unit.telling import places, recorded, told
from watcher.model import Json

REGISTRY = "2026-02-20"  # no later update than before


def site(city: str = "Lyon", country: str = "France", facility: str = "Research Site", **fields: Json) -> Json:
    return {"facility": facility, "city": city, "country": country, **fields}


def point(lat: float, lon: float) -> Json:
    return {"lat": lat, "lon": lon}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            [site(facility="CHU X")],
            [site(facility="CHU X", country="Belgium")],
            [
                (
                    "major: Location moved: CHU X, Lyon, France → Belgium; first location in Belgium; "
                    "no location in France any more"
                )
            ],
            id="a location in another country",
        ),
        pytest.param(
            [site("Ankara", "Turkey", facility="A")],
            [site("Ankara", "Türkiye", facility="A")],
            [],
            id="the same country by another name",
        ),
        pytest.param(
            [site("Boston", "United States", "Research Site 0062", zip="02114")],
            [site("Houston", "United States", "Research Site 0062", zip="77030")],
            ["minor: Location moved: Research Site 0062, Boston, United States → Houston"],
            id="a placeholder in another city",
        ),
        pytest.param(
            [site("Boston", "United States", f"Research Site 00{n}", zip=f"0211{n}") for n in (1, 2)],
            [site("Houston", "United States", f"Research Site 00{n}", zip=f"7703{n}") for n in (1, 2)],
            [
                (
                    "minor: 2 locations moved: Research Site 001, Boston, United States → Houston; "
                    "Research Site 002, Boston, United States → Houston"
                )
            ],
            id="two placeholders in another city",
        ),
        pytest.param(
            [site("Napoli", "Italy", "Research Site 0062")],
            [site("Naples", "Italy", "Research Site 0062")],
            [],
            id="a placeholder's city by another name",
        ),
        pytest.param(
            [site("Firenze", "Italy", "Research Site 0062", geoPoint=point(43.77, 11.25))],
            [site("Somewhere Else", "Italy", "Research Site 0062", geoPoint=point(43.772, 11.254))],
            [],
            id="a city by quite another name at the same point of the map",
        ),
        pytest.param(
            [site("Ankara", "Turkey", facility="A")],
            [site("Ankara", "Turkey", facility="A"), site("Izmir", "Türkiye", facility="B")],
            ["minor: Location added: B, Izmir, Türkiye"],
            id="a second location in a country that has another name now",
        ),
        pytest.param(
            [site("Seoul", "Korea, Republic of", facility="A")],
            [site("Busan", "South Korea", facility="B")],
            ["minor: Location removed: A, Seoul, Korea, Republic of", "minor: Location added: B, Busan, South Korea"],
            id="the only location goes and another one of the country comes, by another name",
        ),
        pytest.param(
            [site("B", facility="A")],
            [site("B", facility="A"), site("D", "Germany", "C"), site("F", "Spain", "E")],
            ["major: 2 locations added: C, D, Germany; E, F, Spain; first locations in Germany and Spain"],
            id="first locations in two countries",
        ),
        pytest.param(
            [site("B", facility="A"), site("D", "Germany", "C"), site("F", "Spain", "E")],
            [site("B", facility="A")],
            ["major: 2 locations removed: C, D, Germany; E, F, Spain; no location in Germany or Spain any more"],
            id="no location in two countries any more",
        ),
        pytest.param(
            [site(zip="69001"), site(zip="69002")],
            [site(zip="69001")],
            ["minor: Location removed: Research Site, Lyon, 69002, France"],
            id="one of two of the same name",
        ),
        pytest.param(
            [site(zip="69001", status="RECRUITING"), site(zip="69002", status="RECRUITING")],
            [site(zip="69001", status="RECRUITING"), site(zip="69002", status="COMPLETED")],
            ["major: Research Site, Lyon, 69002, France: Individual Site Status: Recruiting → Completed"],
            id="the status of one of two of the same name",
        ),
    ],
)
def test_what_a_sponsor_changes_of_locations_is_told(before: list[Json], after: list[Json], said: list[str]) -> None:
    assert told(*places(before, after)) == said


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        pytest.param(
            [site("Napoli", "Italy", geoPoint=point(40.85, 14.26))],
            [site("Naples", "Italy", geoPoint=point(40.85, 14.26))],
            ["M8"],
            id="a placeholder's city at the same point of the map",
        ),
        pytest.param(
            [site("Napoli", "Italy", geoPoint=point(40.8549, 14.2649))],
            [site("Naples", "Italy", geoPoint=point(40.8551, 14.2651))],
            ["M8", "M8", "M8"],
            id="a placeholder's city some metres away",
        ),
        pytest.param(
            [site("Praia", "Ruritania", facility="Example Clinic")],
            [site("Praia", "Kingdom of Ruritania", facility="Example Clinic")],
            ["M8"],
            id="a country that is spelled in a way nobody knows",
        ),
    ],
)
def test_what_the_registry_respells_by_itself_is_recorded_and_not_told(
    before: list[Json], after: list[Json], rules: list[str]
) -> None:
    pair = places(before, after, updated=REGISTRY)

    assert told(*pair) == []
    assert [rule for _, rule in recorded(*pair)] == rules


def test_a_country_that_is_another_one_is_told_whoever_changed_it() -> None:
    pair = places([site(facility="CHU X")], [site(facility="CHU X", country="Belgium")], updated=REGISTRY)

    assert len(told(*pair)) == 1


@pytest.mark.parametrize("kilometres", [pytest.param(0.9, id="near"), pytest.param(3.0, id="far")])
def test_placeholders_are_one_location_within_a_kilometre(kilometres: float) -> None:
    old, new = point(60.0, 10.0), point(60.0 + kilometres / 111.2, 10.0)

    said = told(*places([site("Oslo", "Norway", geoPoint=old)], [site("Christiania", "Norway", geoPoint=new)]))

    assert (said == []) is (kilometres < 1)
