"""Which location continues which: by number, by name and place, by likeness, by placeholder; counted, never merged."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.items.matching import Matching, canonical
from watcher.core.items.sites import match_sites
from watcher.model import Json

HOSPITAL = "Example University Hospital"


def site(facility: str | None = "Research Site", **fields: Any) -> dict[str, Json]:
    """Return a location in Springfield, unless ``fields`` say otherwise; a field that is None is left out."""
    place = {"city": "Springfield", "state": "Illinois", "zip": "62701", "country": "United States"}
    return {key: value for key, value in {"facility": facility, **place, **fields}.items() if value is not None}


def point(lat: float, lon: float) -> dict[str, float]:
    return {"lat": lat, "lon": lon}


RENAMED = [
    pytest.param(site("Local Institution - 0062"), site(HOSPITAL), id="a placeholder with a number gets a name"),
    pytest.param(site(HOSPITAL), site("Local Institution - 0062"), id="a name becomes a placeholder"),
    pytest.param(site("Research Site"), site(HOSPITAL), id="a placeholder gets a name"),
    pytest.param(site("Research Site", zip=None), site(HOSPITAL), id="a placeholder without a ZIP gets both"),
    pytest.param(site("Example Pharma Investigative Site"), site(HOSPITAL), id="a sponsor's site gets a name"),
    pytest.param(site(None), site(HOSPITAL), id="no name at all gets one"),
    pytest.param(site("Research Site"), site("Clinical Research Site"), id="another placeholder"),
    pytest.param(
        site("Site Reference ID/Investigator# 123456"),
        site(f"{HOSPITAL} /ID# 123456"),
        id="the same number in other words",
    ),
    pytest.param(
        site("Local Institution - 0062"),
        site(f"{HOSPITAL} ( Site 0062)", city="Chatham", zip="62629"),
        id="the same number in the next town",
    ),
    pytest.param(site(HOSPITAL), site(f"{HOSPITAL} - Oncology"), id="a department added"),
    pytest.param(site("Saint Example Hospital"), site("St. Example Hospital"), id="an abbreviation"),
    pytest.param(site("Exampel University Hospital"), site(HOSPITAL), id="a misspelling"),
    pytest.param(site("H?pital de l'Exemple"), site("Hôpital de l’Exemple"), id="broken letters"),
    pytest.param(site("Children&#39;s Hospital"), site("Children's Hospital"), id="an entity"),
    pytest.param(site("EXAMPLE university hospital"), site(HOSPITAL), id="capitals"),
    pytest.param(
        site(HOSPITAL, zip="62701"), site(f"{HOSPITAL}, Clinic B", zip="62702"), id="another ZIP, much the same name"
    ),
    pytest.param(
        site("Northside Associates", contacts=[{"name": "Contact 1"}]),
        site("Lakeview Partners", contacts=[{"name": "Contact 1", "phone": "5"}]),
        id="the same contact in the same ZIP",
    ),
    pytest.param(
        site("Ospedale dell'Esempio", city="Napoli", zip=None, state=None, country="Italy"),
        site("Ospedale dell'Esempio", city="Naples", zip=None, state=None, country="Italy"),
        id="a city respelt",
    ),
    pytest.param(
        site("Ospedale dell'Esempio", city="Padua", state=None, country="Italy"),
        site("Ospedale dell'Esempio", city="Padova", state="Veneto", country="Italy"),
        id="a city respelt and a state added",
    ),
    pytest.param(
        site("Hospital del Ejemplo", state="Región de la Araucanía", country="Chile"),
        site("Hospital del Ejemplo", state="Araucania", country="Chile"),
        id="a region respelt",
    ),
    pytest.param(
        site("Research Site", city="Ankara", country="Turkey"),
        site("Research Site", city="Ankara", country="Turkey (Türkiye)"),
        id="a country respelt, of a placeholder",
    ),
    pytest.param(
        site(HOSPITAL, city="Seoul", country="Korea, Republic of"),
        site(HOSPITAL, city="Seoul", country="South Korea"),
        id="a country respelt",
    ),
    pytest.param(
        site(HOSPITAL, country="Ruritania"), site(HOSPITAL, country="Kingdom of Ruritania"), id="a country nobody knows"
    ),
    pytest.param(
        site("Research Site", city="Suburb", geoPoint=point(1, 2)),
        site("Research Site", city="Springfield", geoPoint=point(1.3, 2)),
        id="a suburb told as its city, in the same ZIP",
    ),
    pytest.param(
        site("Research Site", zip="62701", status="RECRUITING"),
        site("Research Site", zip="62799", status="RECRUITING"),
        id="a placeholder's ZIP corrected",
    ),
    pytest.param(site(HOSPITAL, zip="´62701"), site(HOSPITAL), id="a stray mark in the ZIP"),
    pytest.param(
        site(HOSPITAL, zip=None, city="Old Mills", geoPoint=point(1, 2)),
        site(HOSPITAL, zip=None, city="Newtown", geoPoint=point(1, 2)),
        id="another city at the same point",
    ),
]


@pytest.mark.parametrize(("old", "new"), RENAMED)
def test_a_site_that_is_named_or_spelt_otherwise_is_the_same_site(old: Json, new: Json) -> None:
    assert match_sites([old], [new]) == Matching(pairs=((old, new),), removed=(), added=())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(site(HOSPITAL), site("Lakeview Clinic"), id="another name in the same ZIP"),
        pytest.param(site(HOSPITAL, zip=None), site("Lakeview Clinic", zip=None), id="another name in the same city"),
        pytest.param(
            site("First Affiliated Hospital of Example University"),
            site("Second Affiliated Hospital of Example University"),
            id="the first and the second hospital",
        ),
        pytest.param(site("City Clinical Hospital #3"), site("City Clinical Hospital #9"), id="numbered hospitals"),
        pytest.param(site("Research Site 12"), site("Research Site 14"), id="placeholders with other numbers"),
        pytest.param(site("USA77-0"), site("USA78-0"), id="codes for names"),
        pytest.param(
            site("Research Site"), site("Research Site", city="Chatham", zip="62629"), id="placeholders in two cities"
        ),
        pytest.param(
            site("Research Site"), site(HOSPITAL, zip="62799"), id="a placeholder in another ZIP than the name"
        ),
        pytest.param(
            site("Research Site", zip="62701", status="WITHDRAWN"),
            site("Research Site", zip="62799", status="NOT_YET_RECRUITING"),
            id="a placeholder that ended and another that begins elsewhere in the city",
        ),
        pytest.param(
            site(HOSPITAL, city="Chatham", zip="62629"),
            site(HOSPITAL, zip="62701"),
            id="houses of a chain in two cities",
        ),
        pytest.param(
            site("Local Institution - 0062"),
            site("Local Institution - 0062", country="Canada", zip="1", city="X"),
            id="the same number in another country",
        ),
        pytest.param("Research Site", site("Research Site"), id="what is no object"),
    ],
)
def test_another_site_is_one_that_went_and_one_that_came(old: Json, new: Json) -> None:
    assert match_sites([old], [new]) == Matching(pairs=(), removed=(old,), added=(new,))


def test_placeholders_of_one_city_are_paired_by_what_else_they_have() -> None:
    before = [
        site(zip="1", geoPoint=point(1, 1), status="RECRUITING"),
        site(zip=None, geoPoint=point(2, 2), status="RECRUITING"),
        site(zip=None, contacts=[{"name": "Contact 3"}], status="RECRUITING"),
    ]
    after = [
        site(HOSPITAL, zip=None, contacts=[{"name": "Contact 3", "phone": "5"}]),
        site("Lakeview Clinic", zip=None, geoPoint=point(2, 2)),
        site("Northside Associates", zip="1"),
    ]

    matching = match_sites(before, after)

    assert matching.pairs == ((before[0], after[2]), (before[1], after[1]), (before[2], after[0]))


def test_placeholders_are_counted_and_never_merged() -> None:
    before = [site() for _ in range(5)]
    after = [site(status="RECRUITING") for _ in range(3)] + [site("Clinical Site")]

    matching = match_sites(before, after)

    assert len(matching.pairs) == 4
    assert (matching.removed, matching.added) == ((site(),), ())


def test_a_name_decides_before_a_placeholder_does() -> None:
    before = [site("Local Institution - 0062"), site(HOSPITAL)]
    after = [site(f"{HOSPITAL} - Oncology"), site("Lakeview Clinic")]

    assert match_sites(before, after).pairs == ((before[0], after[1]), (before[1], after[0]))


def test_sites_that_swap_their_numbers_stay_where_they_are() -> None:
    before = [site(f"{HOSPITAL} (Site 12)"), site("Lakeview Clinic (Site 13)", city="Chatham", zip="62629")]
    after = [site(f"{HOSPITAL} (Site 13)"), site("Lakeview Clinic (Site 12)", city="Chatham", zip="62629")]

    assert match_sites(before, after).pairs == ((before[0], after[0]), (before[1], after[1]))


def test_contacts_in_another_order_are_no_difference() -> None:
    people = [{"name": "Contact 1"}, {"name": "Contact 2"}]

    matching = match_sites([site(contacts=people)], [site(contacts=people[::-1])])

    assert matching == Matching(pairs=(), removed=(), added=())


odd_values = st.sampled_from([None, 5, True, [], {}, ["x"], {"lat": "1"}, {"lat": True, "lon": 2}])
places = st.fixed_dictionaries(
    {},
    optional={
        "facility": st.sampled_from(["Research Site", "Site 12", "Local Institution - 0012", HOSPITAL, "Lakeview", ""])
        | odd_values,
        "city": st.sampled_from(["Napoli", "Naples"]) | odd_values,
        "zip": st.sampled_from(["1", "2"]) | odd_values,
        "country": st.sampled_from(["Italy", "Turkey"]) | odd_values,
        "status": st.sampled_from(["RECRUITING", "WITHDRAWN"]),
        "geoPoint": st.sampled_from([point(1, 1), point(2, 2)]) | odd_values,
        "contacts": st.sampled_from([[{"name": "Contact 1"}], [{"name": 5}], ["x"], "x", {}]),
    },
)
site_lists = st.lists(places | odd_values, max_size=7)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(site_lists, site_lists)
def test_as_many_sites_come_out_as_go_in(before: list[Json], after: list[Json]) -> None:
    matching = match_sites(before, after)

    olds, news = bag(old for old, _ in matching.pairs), bag(new for _, new in matching.pairs)
    equal_before = bag(before) - olds - bag(matching.removed)
    equal_after = bag(after) - news - bag(matching.added)
    assert olds <= bag(before)
    assert news <= bag(after)
    assert equal_before == equal_after == bag(before) & bag(after)
    assert all(canonical(old) != canonical(new) for old, new in matching.pairs)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(site_lists, site_lists, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_decides_nothing(before: list[Json], after: list[Json], chance: random.Random) -> None:
    matching = match_sites(before, after)
    other = match_sites(chance.sample(before, len(before)), chance.sample(after, len(after)))

    assert bags(matching) == bags(other)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(site_lists, site_lists)
def test_as_many_sites_are_paired_on_the_way_back(before: list[Json], after: list[Json]) -> None:
    there, back = match_sites(before, after), match_sites(after, before)

    assert len(there.pairs) == len(back.pairs)
    assert (len(there.removed), len(there.added)) == (len(back.added), len(back.removed))


def _many(count: int, **fields: Any) -> list[Json]:
    return [
        site(city=f"City {n % 400}", zip=str(10_000 + n), geoPoint=point(n % 400, 1), **fields) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(_many(1_500), _many(1_500, status="RECRUITING"), id="all begin to recruit"),
        pytest.param(
            _many(1_500), [{**one, "facility": "Call Center"} for one in _many(1_500)], id="all called otherwise"
        ),
        pytest.param(_many(1_500), [{**one, "city": "City"} for one in _many(1_500)], id="all in another city"),
        pytest.param(
            [site(zip=None) for _ in range(1_500)],
            [site("Study Site", zip=None, status="RECRUITING") for _ in range(1_500)],
            id="all in one city without a ZIP",
        ),
    ],
)
def test_a_study_of_nothing_but_placeholders_is_matched(before: Sequence[Json], after: Sequence[Json]) -> None:
    # About 0.05 s; a comparison of each with each would take minutes.
    assert len(match_sites(before, after[::-1]).pairs) == 1_500


def bag(values: Iterable[Json]) -> Counter[bytes]:
    return Counter(map(canonical, values))


def bags(matching: Matching) -> tuple[Counter[tuple[bytes, bytes]], Counter[bytes], Counter[bytes]]:
    pairs = Counter((canonical(old), canonical(new)) for old, new in matching.pairs)
    return pairs, bag(matching.removed), bag(matching.added)
