"""What is suspicious about a release, and which record is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.guards import Belief, Suspicion, Thresholds, Upheaval, believe, shrinks, suspicion

USUAL = Thresholds(share=20, least=25, new_api_version=True)
OFF = Thresholds(share=0, least=25, new_api_version=False)


def upheaval(changed: int, watched: int, *, before: str | None = "2.0.5") -> Upheaval:
    return Upheaval(changed=changed, watched=watched, api_version="2.0.5", version_before=before)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(upheaval(25, 124), Suspicion.MANY_CHANGES, id="more than a fifth, and twenty-five"),
        pytest.param(upheaval(25, 125), None, id="exactly a fifth"),
        pytest.param(upheaval(24, 24), None, id="all of them, but fewer than twenty-five"),
        pytest.param(upheaval(1, 1000, before="2.0.4"), Suspicion.NEW_API_VERSION, id="one, with a new API version"),
        pytest.param(upheaval(0, 1000, before="2.0.4"), None, id="none, with a new API version"),
        pytest.param(upheaval(1, 1000, before=None), None, id="first contact"),
        pytest.param(upheaval(50, 100, before="2.0.4"), Suspicion.MANY_CHANGES, id="both: the number is named"),
    ],
)
def test_a_release_is_suspicious_for_its_number_of_changes_or_its_version(
    seen: Upheaval, expected: Suspicion | None
) -> None:
    assert suspicion(seen, USUAL) is expected


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([None, "2.0.4", "2.0.5"]))
def test_nothing_is_suspicious_where_the_guards_are_off(changed: int, watched: int, before: str | None) -> None:
    assert suspicion(upheaval(changed, watched, before=before), OFF) is None


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_more_changes_never_make_a_release_less_suspicious(changed: int, watched: int) -> None:
    fewer, more = (suspicion(upheaval(count, watched), USUAL) for count in (changed, changed + 1))
    assert not (fewer and not more)


@pytest.mark.parametrize(
    ("size", "last_size", "expected"),
    [
        pytest.param(4_000, 10_000, True, id="less than half is left"),
        pytest.param(5_000, 10_000, False, id="half is left"),
        pytest.param(500, 2_000, False, id="most is gone, but little of it"),
        pytest.param(500, 2_548, True, id="most is gone, two kilobytes of it"),
        pytest.param(20_000, 10_000, False, id="it grew"),
    ],
)
def test_a_record_shrinks_implausibly_when_half_and_two_kilobytes_are_gone(
    *, size: int, last_size: int, expected: bool
) -> None:
    assert shrinks(size, last_size=last_size) is expected


@pytest.mark.parametrize(
    ("shrunk", "withheld", "results_removed", "came_again", "expected"),
    [
        pytest.param(False, False, False, False, Belief.USUAL, id="as large as usual"),
        pytest.param(True, False, False, False, Belief.DOUBTED, id="shrunk"),
        pytest.param(True, False, False, True, Belief.CAME_AGAIN, id="shrunk, twice the same"),
        pytest.param(True, True, False, False, Belief.WITHHELD, id="withheld"),
        pytest.param(True, False, True, False, Belief.RESULTS_REMOVED, id="results removed"),
    ],
)
def test_a_shrunken_record_is_believed_when_it_says_why_or_comes_again(
    *, shrunk: bool, withheld: bool, results_removed: bool, came_again: bool, expected: Belief
) -> None:
    verdict = believe(shrunk=shrunk, withheld=withheld, results_removed=results_removed, came_again=came_again)
    assert verdict is expected
