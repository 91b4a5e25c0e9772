"""What does not name a thing: degrees, legal forms, the dress of an ID, of a citation and of an address."""

from collections.abc import Callable

import pytest

from watcher.core.items.naming import company_key, doi_key, identifier_key, link_key, person_key

Key = Callable[[str], str | None]


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        pytest.param(person_key, "Ann Example, M.D., Ph.D.", "Ann Example", id="degrees"),
        pytest.param(person_key, "Prof. Dr. Ann Example", "ann EXAMPLE MD", id="titles"),
        pytest.param(person_key, "Example, Ann, MD", "Ann Example", id="the family name first"),
        pytest.param(person_key, "Ann Ma, MA", "Ann Ma", id="a name that is also a degree"),
        pytest.param(company_key, "Example Pharma, Inc.", "Example Pharma", id="a legal form"),
        pytest.param(company_key, "Example S.p.A.", "EXAMPLE SpA", id="a legal form with dots"),
        pytest.param(company_key, "Example & Sons Co., Ltd.", "Example and Sons", id="an ampersand"),
        pytest.param(company_key, "The Example Foundation", "Example Foundation", id="an article"),
        pytest.param(identifier_key, "EX-B-43", "ex b43", id="punctuation of an ID"),
        pytest.param(identifier_key, "EudraCT: 2020-001234-12", "2020-001234-12", id="a European number with its name"),
        pytest.param(
            identifier_key, "2023-501234-12-00", "EU CT 2023-501234-12-01", id="versions of a European number"
        ),
        pytest.param(identifier_key, "UTN U1111-1234-5678", "u1111-1234-5678", id="a number of the WHO"),
        pytest.param(
            doi_key, "Example A. Title. J Ex. doi: 10.1000/EX.12.", "https://doi.org/10.1000/ex.12", id="a DOI"
        ),
        pytest.param(link_key, "http://www.Example.org/Page/", "https://example.org/Page", id="an address"),
    ],
)
def test_spellings_of_one_name_have_one_key(key: Key, one: str, other: str) -> None:
    assert key(one) == key(other) is not None


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        pytest.param(person_key, "Ann Example", "Ben Example", id="two people"),
        pytest.param(person_key, "Ann Ma", "Ann Do", id="names that are also degrees"),
        pytest.param(company_key, "Example North", "Example South", id="two companies"),
        pytest.param(identifier_key, "EX-1", "EX-2", id="two IDs"),
        pytest.param(identifier_key, "2020-001234-12", "2020-001234-13", id="two European numbers"),
        pytest.param(link_key, "https://example.org/A", "https://example.org/a", id="two pages"),
    ],
)
def test_two_names_have_two_keys(key: Key, one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize("key", [person_key, company_key, identifier_key, link_key])
@pytest.mark.parametrize("text", ["", ",", "Dr.", "Inc.", "The", "//", "—"])
def test_a_name_of_nothing_but_trimmings_has_a_key_as_well(key: Key, text: str) -> None:
    assert isinstance(key(text), str)


def test_a_citation_without_a_doi_has_none() -> None:
    assert doi_key("Example A. Title. J Ex. 2026;10.1:5-9.") is None
