"""The registry's daily stamp: cut out of a record's bytes, and never anything else with it."""

import re
from hashlib import sha256

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import study
from watcher.core.stamp import UnusualStampError, content_hash, cut_stamp

days = st.dates().map(lambda day: day.isoformat())


def packed(day: str | None, *, title: str = "Example") -> bytes:
    return orjson.dumps(study("NCT00000001", title=title, stamp=day))


@given(days, days)
def test_a_record_of_two_days_has_one_body(one: str, other: str) -> None:
    (body, stamp), (other_body, other_stamp) = cut_stamp(packed(one)), cut_stamp(packed(other))

    assert body == other_body
    assert (stamp, other_stamp) == (one, other)
    assert orjson.loads(body)["derivedSection"]["miscInfoModule"]["versionHolder"] == ""


def test_a_record_without_a_stamp_stays_as_it_is() -> None:
    record = packed(None)

    assert cut_stamp(record) == (record, None)


def test_what_is_cut_already_is_not_cut_again() -> None:
    body, _ = cut_stamp(packed("2026-02-02"))

    with pytest.raises(UnusualStampError):
        cut_stamp(body)


@given(st.text(st.sampled_from('"\\versionHold:,{}20-')))
def test_a_text_of_the_record_is_never_taken_for_the_stamp(text: str) -> None:
    title = f'"miscInfoModule":{{"versionHolder":"2020-01-01"{text}'

    body, stamp = cut_stamp(packed("2026-02-02", title=title))

    assert stamp == "2026-02-02"
    assert orjson.loads(body)["protocolSection"]["identificationModule"]["briefTitle"] == title


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(b'{"derivedSection":{"miscInfoModule":{"versionHolder":20260202}}}', id="a number"),
        pytest.param(b'{"derivedSection":{"miscInfoModule":{"versionHolder":null}}}', id="null"),
        pytest.param(b'{"derivedSection":{"miscInfoModule":{"versionHolder":"2026-02-02T09:00:00"}}}', id="a moment"),
        pytest.param(b'{"derivedSection":{"miscInfoModule":{"versionHolder": "2026-02-02"}}}', id="white space"),
        pytest.param(b'{"derivedSection":{"miscInfoModule":{"other":1,"versionHolder":"2026-02-02"}}}', id="not first"),
        pytest.param(b'{"derivedSection":{"newModule":{"versionHolder":"2026-02-02"}}}', id="another module"),
        pytest.param(b'{"x":{"miscInfoModule":{"versionHolder":"2026-02-02"}}}', id="another section"),
        pytest.param(
            b'{"x":{"versionHolder":"2026-02-01"},"derivedSection":{"miscInfoModule":{"versionHolder":"2026-02-02"}}}',
            id="twice in a record",
        ),
        pytest.param(
            b'{"derivedSection":{"miscInfoModule":{"versionHolder":"2026-02-02","versionHolder":"2026-02-03"}}}',
            id="twice in its module",
        ),
    ],
)
def test_a_stamp_that_is_unusual_is_left_to_a_parser(record: bytes) -> None:
    with pytest.raises(UnusualStampError):
        cut_stamp(record)


def test_a_body_is_addressed_by_its_sha256() -> None:
    assert content_hash(b"{}") == sha256(b"{}").digest()
    assert re.fullmatch("[0-9a-f]{64}", content_hash(b"").hex())
