"""Packing bodies: what comes back, how small a typical change is, and what damage does."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import study
from watcher.store.bodies import UnpackError, pack, unpack

BODY = orjson.dumps(study("NCT00000001"))
BASE = orjson.dumps(study("NCT00000001", status="NOT_YET_RECRUITING"))


def body_with_sites(sites: int, *, status: str = "RECRUITING", updated: str = "2026-02-20") -> bytes:
    """Return a record of about 250 bytes for each site."""
    locations = [
        {
            "facility": f"Example Hospital {number * 7919 % 10_007}",
            "status": "RECRUITING" if number % 3 else "NOT_YET_RECRUITING",
            "city": f"City {number * 104_729 % 1_009}",
            "zip": f"{number * 1_299_709 % 100_003:05}",
            "country": "Exampleland",
            "geoPoint": {"lat": number * 0.731 % 90, "lon": number * 0.417 % 180},
        }
        for number in range(sites)
    ]
    return orjson.dumps(study("NCT00000001", status=status, updated=updated, locations=locations))


# --- round trip -------------------------------------------------------------------------------------------------------


@given(body=st.binary(max_size=2000), base=st.none() | st.binary(max_size=2000))
def test_a_body_comes_back_as_it_was(body: bytes, base: bytes | None) -> None:
    assert unpack(pack(body, base), base) == body


@given(
    pieces=st.lists(st.sampled_from([b'{"a":1}', b"\x00" * 40, BODY, BASE[:100]]), max_size=6),
    more=st.lists(st.sampled_from([b"[]", BODY, BASE]), max_size=6),
)
def test_a_body_that_is_like_its_base_comes_back_as_it_was(pieces: Sequence[bytes], more: Sequence[bytes]) -> None:
    base, body = b"".join(pieces), b"".join([*more, *pieces])
    assert unpack(pack(body, base), base) == body


@pytest.mark.parametrize(
    "sites",
    [
        pytest.param(0, id="a small record"),
        pytest.param(60, id="a record of 10 kB"),
        pytest.param(6000, id="a record of 1 MB"),
    ],
)
def test_a_typical_change_takes_less_than_400_bytes(sites: int) -> None:
    before = body_with_sites(sites)
    after = body_with_sites(sites, status="ACTIVE_NOT_RECRUITING", updated="2026-03-01")
    packed = pack(after, before)
    assert unpack(packed, before) == after
    assert len(packed) < 400


# --- damage -----------------------------------------------------------------------------------------------------------


def unpacked_or_refused(packed: bytes, base: bytes | None) -> bytes | None:
    """Return the body; None when it is refused in the one way that callers expect."""
    try:
        return unpack(packed, base)
    except UnpackError:
        return None


BASES = [pytest.param(None, id="packed alone"), pytest.param(BASE, id="packed against another version")]


@pytest.mark.parametrize("base", BASES)
def test_a_damaged_byte_never_gives_another_body(base: bytes | None) -> None:
    packed = pack(BODY, base)
    for position in range(len(packed)):
        for flipped in (0x01, 0x80, 0xFF):
            damaged = bytearray(packed)
            damaged[position] ^= flipped
            assert unpacked_or_refused(bytes(damaged), base) in {None, BODY}, (position, flipped)


@pytest.mark.parametrize("base", BASES)
def test_a_body_that_was_cut_off_is_refused(base: bytes | None) -> None:
    packed = pack(BODY, base)
    assert {unpacked_or_refused(packed[:length], base) for length in range(len(packed))} == {None}


@pytest.mark.parametrize("base", BASES)
def test_a_body_with_something_behind_it_is_refused(base: bytes | None) -> None:
    assert unpacked_or_refused(pack(BODY, base) + b"\x00", base) is None


@given(garbage=st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    assert unpacked_or_refused(garbage, None) is None


@pytest.mark.parametrize(
    "base",
    [
        pytest.param(None, id="no base"),
        pytest.param(b"", id="an empty base"),
        pytest.param(BASE[:-1], id="a base that was cut off"),
        pytest.param(BODY, id="another base"),
    ],
)
def test_a_body_is_not_unpacked_against_the_wrong_base(base: bytes | None) -> None:
    assert unpacked_or_refused(pack(BODY, BASE), base) is None


def test_a_header_that_promises_too_much_is_refused_before_memory_is_taken() -> None:
    promises_16_exabytes = b"\x28\xb5\x2f\xfd\xe4" + b"\xfe" + b"\xff" * 6 + b"\x0f" + b"\x01\x00\x00"
    with pytest.raises(UnpackError, match="not plausible"):
        unpack(promises_16_exabytes, None)
