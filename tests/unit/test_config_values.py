"""The values of settings that people write in many ways: addresses and durations."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.config.values import format_duration, normalise_address, parse_duration


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("reader@example.org", "reader@example.org", id="an example domain"),
        pytest.param("reader@hospital.example", "reader@hospital.example", id="another example domain"),
        pytest.param("reader@watcher.test", "reader@watcher.test", id="a test domain"),
        pytest.param("reader@mail.local", "reader@mail.local", id="a domain inside a house"),
        pytest.param("root@localhost", "root@localhost", id="this machine"),
        pytest.param(" Reader@EXAMPLE.Org ", "Reader@example.org", id="spaces and capitals"),
        pytest.param("rosé@bücher.example", "rosé@xn--bcher-kva.example", id="beyond ASCII"),
    ],
)
def test_an_address_is_normalised(text: str, address: str) -> None:
    assert normalise_address(text) == address
    assert normalise_address(address) == address


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("reader", id="no domain"),
        pytest.param("reader@example", id="a forgotten ending"),
        pytest.param("a@b@example.org", id="two at-signs"),
        pytest.param("Reader <reader@example.org>", id="a display name"),
        pytest.param("reader@example.org\n", id="a line end after it"),
        pytest.param("reader@example.org\r\nBcc: other@example.org", id="another header after it"),
        pytest.param("a@example.org, b@example.org", id="two addresses"),
        pytest.param("reader@[127.0.0.1]", id="a number for a domain"),
        pytest.param("reader@example.invalid", id="a domain that means nobody"),
    ],
)
def test_what_is_not_an_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='write it as in "name@example.org"'):
        normalise_address(text)


@given(st.text())
def test_an_accepted_address_never_holds_a_line_end(text: str) -> None:
    try:
        address = normalise_address(text + "@example.org")
    except ValueError:
        return
    assert address.isprintable()
    assert " " not in address


@given(st.integers(min_value=1, max_value=9_999_999))
def test_durations_are_read_as_they_are_written(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["30", "m", "30 m", "30min", "1h30m", "-5m", "1.5h", "٣m", "30M", ""])
def test_other_forms_of_a_duration_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write a whole number and a unit"):
        parse_duration(text)
