"""The quick size of the proof, and that its judge tells right from wrong."""

import orjson
import pytest

from tests.factories import study
from tests.reliability.hostile_answers import BOUND, Tally, run_part
from tests.reliability.odd_answers import RELEASE_WAYS, WAYS
from tests.reliability.strict_reader import studies_in

TRIAL = "NCT00000001"


@pytest.fixture(scope="module")
def tally() -> Tally:
    return run_part(1, 1_500)


def test_no_hostile_answer_is_a_crash_or_a_change_that_is_none(tally: Tally) -> None:
    assert tally.unjust == []
    assert tally.answers >= 1_500


def test_every_way_of_being_wrong_came(tally: Tally) -> None:
    came = set(tally.ways)
    assert {way.__name__ for way in WAYS} <= came
    assert len([name for name in came if name.startswith("release: ")]) > len(RELEASE_WAYS) // 2
    assert tally.bombs > 0
    reasons = {"not_json", "no_record", "wrong_record", "shrunk", "unreachable", "too_large", "server_error"}
    assert reasons <= set(tally.refused)
    assert tally.words > 20
    assert tally.changes > tally.words
    assert tally.true > 100


def test_memory_is_bounded(tally: Tally) -> None:
    assert tally.peak - tally.base < BOUND


RECORD = orjson.dumps(study(TRIAL))


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        pytest.param(RECORD, True, id="the record"),
        pytest.param(RECORD[:-1], False, id="cut"),
        pytest.param(
            RECORD.replace(b'"hasResults"', b'"hasResults":1,"hasResults"'), False, id="a key that comes twice"
        ),
        pytest.param(RECORD.replace(b"false", b"NaN"), False, id="no number"),
        pytest.param(RECORD.replace(b"Example", b"\\ud800"), False, id="half a character"),
        pytest.param(RECORD.replace(b'"overallStatus"', b'"other"'), False, id="without a status"),
    ],
)
def test_the_judge_believes_only_a_whole_record(body: bytes, *, counts: bool) -> None:
    assert (TRIAL in studies_in(body, alone=True)) is counts


def test_the_judge_believes_neither_of_two_forms() -> None:
    two = [orjson.dumps(study(TRIAL, title=title)) for title in ("One", "Two")]
    assert studies_in(b'{"studies":[\n' + b",\n".join(two) + b"\n]}", alone=False) == {}
