"""What a facility's name says: a number, a placeholder, a name; and which spellings of places are one."""

import pytest

from watcher.core.items.places import country_key, similar_names
from watcher.core.items.site_names import is_placeholder, split_token


@pytest.mark.parametrize(
    ("facility", "name", "token"),
    [
        pytest.param("Example Hospital /ID# 123456", "example hospital", "123456", id="an ID behind a stroke"),
        pytest.param("Example Hospital ( Site 0062)", "example hospital", "62", id="a site number in brackets"),
        pytest.param("Example Research ( Site 0062)", "example research", "62", id="a research company's number"),
        pytest.param("Example Clinic Site Number : 04", "example clinic", "4", id="a site number behind a name"),
        pytest.param("Local Institution - 0062", "local institution", "62", id="a local institution"),
        pytest.param("Investigational Site Number: DE18", "investigational site number", "de18", id="letters in it"),
        pytest.param("Research Site 111", "research site", "111", id="a numbered placeholder"),
        pytest.param("Research facility ID ORG-0012", "research facility id", "org0012", id="an organisation's ID"),
        pytest.param(
            "Site Reference ID/Investigator# 123456", "site reference id investigator", "123456", id="an investigator's"
        ),
        pytest.param("Investigational Center 12", "investigational center", "12", id="a numbered center"),
        pytest.param("USA77-0", "", "usa770", id="nothing but a code"),
        pytest.param("EX0012 345", "", "ex0012345", id="a code in two parts"),
        pytest.param("Site 000", "site", "0", id="nothing but zeros"),
        pytest.param("Example Hospital", "example hospital", None, id="no number"),
        pytest.param("City Clinical Hospital #9", "city clinical hospital 9", None, id="a number that is the name"),
        pytest.param(
            "Institut Exemple - Site de Paris", "institut exemple site de paris", None, id="a place called site"
        ),
        pytest.param("Example Center - 38th Street", "example center 38th street", None, id="an address"),
        pytest.param("Example Campus, 16 North St", "example campus 16 north st", None, id="a house number"),
        pytest.param("", "", None, id="nothing"),
    ],
)
def test_a_sponsors_number_is_told_from_the_name(facility: str, name: str, token: str | None) -> None:
    assert split_token(facility) == (name, token)


@pytest.mark.parametrize(
    "facility",
    [
        "",
        "Site",
        "Research Site",
        "Clinical Research Site",
        "Investigational center",
        "Local Institution - 0062",
        "Site Reference ID/Investigator# 123456",
        "Example Pharma Investigative Site",
        "Example Pharma Ltd. Investigational Site",
        "Example Study Site",
        "Example Pharma Clinical Trials Call Centre",
        "For additional information regarding sites, contact 555-0100",
        "Multiple Locations",
        "USA77-0",
    ],
)
def test_a_placeholder_names_no_facility(facility: str) -> None:
    assert is_placeholder(split_token(facility)[0])


@pytest.mark.parametrize(
    "facility",
    [
        "Example University Hospital",
        "Example Research Institute",
        "Example University Hospital Clinical Research Site",
        "Example Clinic ( Site 0062)",
        "Example Research ( Site 0062)",
        "Center for Clinical Investigation, Example School of Medicine",
        "Institut Exemple - Site de Paris",
    ],
)
def test_a_facility_with_a_name_is_no_placeholder(facility: str) -> None:
    assert not is_placeholder(split_token(facility)[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Turkey", "Turkey (Türkiye)", id="Turkey"),
        pytest.param("Korea, Republic of", "South Korea", id="Korea"),
        pytest.param("Russian Federation", "Russia", id="Russia"),
        pytest.param("Czech Republic", "Czechia", id="Czechia"),
        pytest.param("FRANCE", "France", id="capitals"),
    ],
)
def test_a_country_is_one_however_the_registry_spells_it(one: str, other: str) -> None:
    assert country_key(one) == country_key(other)


def test_two_countries_stay_two() -> None:
    assert country_key("Korea, Republic of") != country_key("Korea, Democratic People's Republic of")


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        pytest.param("napoli", "naples", True, id="Naples"),
        pytest.param("padua", "padova", True, id="Padua"),
        pytest.param("old mills springfield", "springfield", True, id="a part of a city"),
        pytest.param("", "springfield", True, id="not given"),
        pytest.param("dallas", "boston", False, id="two cities"),
    ],
)
def test_cities_may_be_spellings_of_one(one: str, other: str, *, similar: bool) -> None:
    assert similar_names(one, other) is similar
    assert similar_names(other, one) is similar
