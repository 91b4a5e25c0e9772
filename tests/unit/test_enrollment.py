"""What it means that an enrollment changed, in one sentence of count and type."""

import itertools

import pytest

from watcher.core.weights.enrollment import Enrollment, tell_enrollment
from watcher.core.weights.verdict import Verdict
from watcher.model import Json, Severity

CRITICAL, MAJOR, MINOR = Severity.CRITICAL, Severity.MAJOR, Severity.MINOR


def target(count: Json) -> Enrollment:
    return Enrollment(count=count, type="ESTIMATED")


def enrolled(count: Json) -> Enrollment:
    return Enrollment(count=count, type="ACTUAL")


def told(old: Enrollment, new: Enrollment) -> Verdict:
    verdict = tell_enrollment(old, new)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("old", "new", "severity", "sentence"),
    [
        pytest.param(
            target(300), target(412), MAJOR, "Enrollment: 300 (estimated) → 412 (estimated), +37 %", id="far more"
        ),
        pytest.param(
            target(949), target(1109), MINOR, "Enrollment: 949 (estimated) → 1,109 (estimated), +17 %", id="some more"
        ),
        pytest.param(
            target(100), target(120), MAJOR, "Enrollment: 100 (estimated) → 120 (estimated), +20 %", id="just a fifth"
        ),
        pytest.param(
            target(1000),
            target(1199),
            MINOR,
            "Enrollment: 1,000 (estimated) → 1,199 (estimated), +20 %",
            id="a fifth only when rounded",
        ),
        pytest.param(
            target(100), target(80), MAJOR, "Enrollment: 100 (estimated) → 80 (estimated), −20 %", id="a fifth less"
        ),
        pytest.param(
            target(1000), target(1001), MINOR, "Enrollment: 1,000 (estimated) → 1,001 (estimated)", id="hardly more"
        ),
        pytest.param(target(0), target(10), MAJOR, "Enrollment: 0 (estimated) → 10 (estimated)", id="from nothing"),
        pytest.param(
            target(300), enrolled(187), MAJOR, "Enrollment: 300 (estimated) → 187 (actual), 62 % of target", id="short"
        ),
        pytest.param(
            target(100), enrolled(85), MINOR, "Enrollment: 100 (estimated) → 85 (actual), 85 % of target", id="enough"
        ),
        pytest.param(
            target(1000),
            enrolled(849),
            MAJOR,
            "Enrollment: 1,000 (estimated) → 849 (actual), 84 % of target",
            id="just short, and not rounded away",
        ),
        pytest.param(
            target(100), enrolled(50), MAJOR, "Enrollment: 100 (estimated) → 50 (actual), 50 % of target", id="half"
        ),
        pytest.param(
            target(100),
            enrolled(49),
            CRITICAL,
            "Enrollment: 100 (estimated) → 49 (actual), 49 % of target",
            id="less than half",
        ),
        pytest.param(
            target(30),
            enrolled(0),
            CRITICAL,
            "Enrollment: 30 (estimated) → 0 (actual): no participants enrolled",
            id="nobody",
        ),
        pytest.param(
            target(100), enrolled(100), MINOR, "Enrollment: 100 (estimated) → 100 (actual), 100 % of target", id="full"
        ),
        pytest.param(target(0), enrolled(7), MINOR, "Enrollment: 0 (estimated) → 7 (actual)", id="no target before"),
        pytest.param(
            enrolled(187), enrolled(190), MAJOR, "Enrollment: 187 (actual) → 190 (actual), +2 %", id="corrected"
        ),
        pytest.param(
            enrolled(5),
            enrolled(0),
            CRITICAL,
            "Enrollment: 5 (actual) → 0 (actual): no participants enrolled",
            id="gone",
        ),
        pytest.param(
            enrolled(187),
            target(300),
            MAJOR,
            "Enrollment no longer reported as actual: 187 (actual) → 300 (estimated)",
            id="no longer actual",
        ),
        pytest.param(
            target(None), target(40), MINOR, "Enrollment added: 40 (estimated)", id="a target for the first time"
        ),
        pytest.param(
            target(None),
            enrolled(0),
            CRITICAL,
            "Enrollment added: 0 (actual): no participants enrolled",
            id="nobody ever",
        ),
        pytest.param(target(40), target(None), MAJOR, "Enrollment removed (was 40, estimated)", id="removed"),
        pytest.param(
            Enrollment(count=40, type=None),
            Enrollment(count=44, type=None),
            MINOR,
            "Enrollment: 40 → 44, +10 %",
            id="no type",
        ),
        pytest.param(target("many"), target(40), MINOR, "Enrollment: many (estimated) → 40 (estimated)", id="a word"),
        pytest.param(
            target(40), target(-40), MINOR, "Enrollment: 40 (estimated) → -40 (estimated)", id="less than none"
        ),
        pytest.param(target(40), target(40.5), MINOR, "Enrollment: 40 (estimated) → 40.5 (estimated)", id="a fraction"),
        pytest.param(target(1), target(True), MINOR, "Enrollment: 1 (estimated) → True (estimated)", id="a truth"),
    ],
)
def test_an_enrollment_is_told_with_its_type_and_weighs_by_its_size(
    old: Enrollment, new: Enrollment, severity: Severity, sentence: str
) -> None:
    verdict = told(old, new)

    assert (verdict.sentence, verdict.severity) == (sentence, severity)


@pytest.mark.parametrize(
    ("old", "new", "headline"),
    [
        pytest.param(target(300), target(412), "Enrollment +37 %", id="more"),
        pytest.param(target(300), enrolled(187), "Enrollment 187, 62 % of target", id="reached"),
        pytest.param(target(300), enrolled(0), "No participants enrolled", id="nobody"),
        pytest.param(enrolled(300), target(310), "Enrollment no longer reported as actual", id="taken back"),
    ],
)
def test_a_headline_says_how_much(old: Enrollment, new: Enrollment, headline: str) -> None:
    assert told(old, new).headline == headline


def test_the_rule_is_named_where_one_spoke() -> None:
    assert told(target(300), target(412)).rules == ("M6",)
    assert told(target("many"), target(412)).rules == ()


def test_what_has_not_changed_is_not_told() -> None:
    assert tell_enrollment(target(40), target(40)) is None


def test_no_value_is_too_odd_to_be_told() -> None:
    kinds: list[Json] = [None, "ACTUAL", "ESTIMATED", "ANOTHER", 7, []]
    counts: list[Json] = [None, 0, 1, 40, -1, 2**63, 1.5, True, False, "", "40", "x" * 500, [], {"count": 1}]
    for old_count, new_count, old_type, new_type in itertools.product(counts, counts, kinds, kinds):
        old, new = Enrollment(count=old_count, type=old_type), Enrollment(count=new_count, type=new_type)
        verdict = tell_enrollment(old, new)

        assert (verdict is None) == (repr(old) == repr(new))
        if verdict:
            assert verdict.sentence
            assert len(verdict.sentence) < 300
