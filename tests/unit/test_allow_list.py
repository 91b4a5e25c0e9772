"""Who may get mail outside production."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.allow_list import allowed


@pytest.mark.parametrize(
    ("address", "patterns", "verdict"),
    [
        pytest.param("reader@example.org", ["reader@example.org"], True, id="an address"),
        pytest.param("Reader@Example.ORG", ["reader@example.org"], True, id="in capitals"),
        pytest.param("reader@example.org", ["*@example.org"], True, id="a house"),
        pytest.param("reader@sub.example.org", ["*@example.org"], False, id="a house within the house"),
        pytest.param("reader@sub.example.org", ["*@*.example.org"], True, id="all houses within"),
        pytest.param("reader@example.org.evil.example", ["*@example.org"], False, id="a longer domain"),
        pytest.param("reader@notexample.org", ["*@example.org"], False, id="another domain with the same end"),
        pytest.param("reader@exampleXorg", ["*@example.org"], False, id="a dot is a dot"),
        pytest.param("reader+test@example.org", ["reader+*@example.org"], True, id="a part of a name"),
        pytest.param("reader@example.com", ["*@example.org", "reader@example.com"], True, id="the second pattern"),
        pytest.param("reader@example.org", [], False, id="no pattern"),
        pytest.param("a[b]@example.org", ["a[b]@example.org"], True, id="brackets are themselves"),
    ],
)
def test_an_address_is_allowed_by_a_pattern_that_fits_it_whole(
    address: str, patterns: list[str], *, verdict: bool
) -> None:
    assert allowed(address, patterns) is verdict


@given(st.text(), st.text())
def test_an_address_without_stars_allows_itself_alone(address: str, other: str) -> None:
    pattern = address.replace("*", "")
    assert allowed(pattern, [pattern])
    if other.casefold() != pattern.casefold():
        assert not allowed(other, [pattern])
