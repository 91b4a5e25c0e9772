"""What it means that a milestone moved, was reached or is gone, in one sentence."""

import itertools

import pytest

from watcher.core.weights.date_words import Milestone, TypedDate, tell_date
from watcher.core.weights.verdict import Verdict
from watcher.model import Json, Severity

START, PRIMARY, COMPLETION = Milestone.START, Milestone.PRIMARY_COMPLETION, Milestone.COMPLETION
CRITICAL, MAJOR, MINOR = Severity.CRITICAL, Severity.MAJOR, Severity.MINOR
NO_DATES: list[Json] = ["", "2026", "2026-13", "2026-02-30", "soon", 5, True, 1.5, [], {"date": "2026-03"}, "x" * 500]


def estimated(value: Json) -> TypedDate:
    return TypedDate(date=value, type="ESTIMATED")


def actual(value: Json) -> TypedDate:
    return TypedDate(date=value, type="ACTUAL")


def told(milestone: Milestone, old: TypedDate, new: TypedDate) -> Verdict:
    verdict = tell_date(milestone, old, new)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("milestone", "old", "new", "sentence"),
    [
        pytest.param(
            PRIMARY,
            estimated("2026-03"),
            estimated("2027-05"),
            "Primary completion date slipped 14 months: 2026-03 (estimated) → 2027-05 (estimated)",
            id="slipped",
        ),
        pytest.param(
            COMPLETION,
            estimated("2026-03-17"),
            estimated("2026-03-02"),
            "Study completion date brought forward 15 days: 2026-03-17 (estimated) → 2026-03-02 (estimated)",
            id="brought forward",
        ),
        pytest.param(
            START,
            estimated("2026-03"),
            estimated("2026-03-17"),
            "Start date now to the day: 2026-03 (estimated) → 2026-03-17 (estimated)",
            id="known to the day",
        ),
        pytest.param(
            PRIMARY,
            estimated("2026-03-17"),
            estimated("2026-03"),
            "Primary completion date now to the month: 2026-03-17 (estimated) → 2026-03 (estimated)",
            id="known to the month",
        ),
        pytest.param(
            START,
            estimated("2026-03"),
            actual("2026-03-02"),
            "Study started 2026-03-02 (estimate was 2026-03)",
            id="started in the month of the estimate",
        ),
        pytest.param(
            START,
            estimated("2026-02"),
            actual("2026-03-02"),
            "Study started 2026-03-02 (estimate was 2026-02), 1 month later than estimated",
            id="started late",
        ),
        pytest.param(
            PRIMARY,
            estimated("2026-03-20"),
            actual("2026-03-15"),
            "Primary completion reached 2026-03-15 (estimate was 2026-03-20), 5 days earlier than estimated",
            id="reached early",
        ),
        pytest.param(
            COMPLETION,
            estimated("2026-03-15"),
            actual("2026-03-15"),
            "Study completion reached 2026-03-15 (as estimated)",
            id="completed to the day",
        ),
        pytest.param(
            PRIMARY,
            actual("2026-03-15"),
            estimated("2026-09"),
            "Primary completion no longer reported as actual: 2026-03-15 (actual) → 2026-09 (estimated)",
            id="no longer actual",
        ),
        pytest.param(
            PRIMARY,
            actual("2026-01-05"),
            actual("2026-02-01"),
            "Primary completion date slipped 27 days: 2026-01-05 (actual) → 2026-02-01 (actual), "
            "was already reported as actual",
            id="an actual date moved",
        ),
        pytest.param(
            PRIMARY,
            estimated("2026-03"),
            TypedDate(date=None, type=None),
            "Primary completion date removed (was 2026-03, estimated)",
            id="removed",
        ),
        pytest.param(
            COMPLETION,
            TypedDate(date="2026-03", type=None),
            TypedDate(date=None, type=None),
            "Study completion date removed (was 2026-03)",
            id="removed, of no type",
        ),
        pytest.param(
            START,
            TypedDate(date=None, type=None),
            estimated("2026-03"),
            "Start date added: 2026-03 (estimated)",
            id="added",
        ),
        pytest.param(
            START,
            TypedDate(date="2026-03", type=None),
            estimated("2026-03"),
            "Start date: 2026-03 → 2026-03 (estimated)",
            id="only a type came",
        ),
        pytest.param(
            START,
            TypedDate(date=None, type="ESTIMATED"),
            TypedDate(date=None, type="ACTUAL"),
            "Start date type: estimated → actual",
            id="a type without a date",
        ),
        pytest.param(
            PRIMARY,
            estimated("2026-13"),
            estimated("soon"),
            "Primary completion date: 2026-13 (estimated) → soon (estimated)",
            id="no dates at all",
        ),
    ],
)
def test_a_milestone_is_told_in_one_sentence(
    milestone: Milestone, old: TypedDate, new: TypedDate, sentence: str
) -> None:
    assert told(milestone, old, new).sentence == sentence


@pytest.mark.parametrize(
    ("old", "new", "severity", "for_the_start"),
    [
        pytest.param("2026-01-01", "2026-01-20", MINOR, MINOR, id="days"),
        pytest.param("2026-01-01", "2026-03-31", MINOR, MINOR, id="89 days"),
        pytest.param("2026-01-01", "2026-04-01", MAJOR, MINOR, id="90 days"),
        pytest.param("2026-01", "2026-12", MAJOR, MINOR, id="eleven months"),
        pytest.param("2026-07", "2027-07", CRITICAL, MAJOR, id="a year"),
        pytest.param("2026-07", "2026-04", MAJOR, MINOR, id="a quarter forward"),
        pytest.param("2027-07", "2024-04", MAJOR, MINOR, id="years forward"),
        pytest.param("2026-07", "2026-06", MINOR, MINOR, id="a month forward"),
        pytest.param("2026-07", "2026-07-31", MINOR, MINOR, id="only better known"),
    ],
)
def test_a_move_weighs_by_its_size_and_one_level_less_for_the_start(
    old: str, new: str, severity: Severity, for_the_start: Severity
) -> None:
    weights = {milestone: told(milestone, estimated(old), estimated(new)).severity for milestone in Milestone}

    assert weights == {START: for_the_start, PRIMARY: severity, COMPLETION: severity}


@pytest.mark.parametrize(
    ("milestone", "old", "new", "severity", "rules"),
    [
        pytest.param(START, estimated("2026-02"), actual("2026-03-02"), MAJOR, ("M5",), id="started"),
        pytest.param(PRIMARY, estimated("2020-12"), actual("2016-12-12"), MAJOR, ("M5",), id="reached years earlier"),
        pytest.param(COMPLETION, estimated("2026-02"), actual("2026-03-02"), MINOR, ("M5",), id="completed"),
        pytest.param(COMPLETION, actual("2026-02"), estimated("2026-03"), MAJOR, ("M5",), id="no longer actual"),
        pytest.param(PRIMARY, estimated("2026-02"), estimated("2026-02-03"), MINOR, ("M4",), id="better known"),
        pytest.param(PRIMARY, estimated("2026-02"), estimated("2026-03"), MINOR, ("M3",), id="slipped"),
        pytest.param(PRIMARY, estimated("2026-02"), estimated(None), MAJOR, (), id="removed"),
        pytest.param(PRIMARY, estimated(None), estimated("2026-02"), MINOR, (), id="an estimate added"),
        pytest.param(PRIMARY, estimated(None), actual("2026-02"), MAJOR, (), id="an actual date added"),
        pytest.param(PRIMARY, estimated("soon"), estimated("2026-02"), MAJOR, (), id="of unknown size"),
    ],
)
def test_a_change_of_a_milestone_names_its_rule_and_weight(
    milestone: Milestone, old: TypedDate, new: TypedDate, severity: Severity, rules: tuple[str, ...]
) -> None:
    verdict = told(milestone, old, new)

    assert (verdict.severity, verdict.rules) == (severity, rules)


@pytest.mark.parametrize(
    ("old", "new", "headline"),
    [
        pytest.param(estimated("2026-07"), estimated("2027-07"), "Primary completion +12 months", id="slipped"),
        pytest.param(estimated("2026-07"), estimated("2026-04"), "Primary completion −3 months", id="forward"),
        pytest.param(estimated("2026-07"), actual("2026-07-09"), "Primary completion reached 2026-07-09", id="reached"),
        pytest.param(
            actual("2026-07"), estimated("2026-08"), "Primary completion no longer reported as actual", id="taken back"
        ),
    ],
)
def test_a_headline_says_how_far(old: TypedDate, new: TypedDate, headline: str) -> None:
    assert told(PRIMARY, old, new).headline == headline


def test_what_has_not_changed_is_not_told() -> None:
    assert tell_date(PRIMARY, estimated("2026-03"), estimated("2026-03")) is None
    assert tell_date(PRIMARY, TypedDate(date=None, type=None), TypedDate(date=None, type=None)) is None


@pytest.mark.parametrize("milestone", Milestone)
def test_no_value_is_too_odd_to_be_told(milestone: Milestone) -> None:
    kinds: list[Json] = [None, "ACTUAL", "ESTIMATED", "ANOTHER", 7, [], {}]
    dates: list[Json] = [None, "2026-03", "2026-03-17", *NO_DATES]
    for old_date, new_date, old_type, new_type in itertools.product(dates, dates, kinds, kinds):
        old, new = TypedDate(date=old_date, type=old_type), TypedDate(date=new_date, type=new_type)
        verdict = tell_date(milestone, old, new)

        assert (verdict is None) == (repr(old) == repr(new))
        if verdict:
            assert verdict.sentence
            assert len(verdict.sentence) < 300
            assert "due" not in verdict.sentence
