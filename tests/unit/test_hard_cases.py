"""The hard cases: what each one tells, in which words, with which severity, in how many lines and stories."""

import re
from itertools import pairwise

import pytest

from tests.factories import study
from tests.hard_cases import ALL
from tests.hard_cases.records import STATUS, HardCase, edit, trial
from tests.unit.full_records import table
from watcher.core.digest import arrange_version
from watcher.core.meaning import compare
from watcher.core.words.past import Past, PastValue
from watcher.model import Change, Json, Severity
from watcher.tables import load_rules

CONTACT_DATA = re.compile(r"555-|example\.org|Trial Office|Contact \d")
RAW = re.compile(r"Section\.|Module\b|\[\]|Struct\b|\b[A-Z]+_[A-Z_]+\b")
TRANSITIONS = sorted(load_rules().statuses)


def changes_of(case: HardCase) -> tuple[Change, ...]:
    return compare(case.before, case.after, table(), past=case.past)


def told_in_a_digest(changes: tuple[Change, ...]) -> tuple[str, ...]:
    """Return what a digest says of a step, each sentence with its severity, clauses last."""
    version = arrange_version(changes, "2026-03-23")
    sentences = [f"{sentence.severity}: {sentence.text}" for sentence in version.sentences]
    return (*sentences, *(f"also: {clause}" for clause in version.clauses))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_hard_case_is_told_as_an_expert_would(case: HardCase) -> None:
    changes = changes_of(case)

    told = sum(change.told for change in changes)
    assert told_in_a_digest(changes) == case.told
    assert (told, len(changes) - told) == case.lines
    assert len({change.story for change in changes}) == case.stories


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_no_hard_case_shows_contact_data_or_a_raw_path(case: HardCase) -> None:
    said = " ".join(f"{change.sentence} {change.headline}" for change in changes_of(case))

    assert not CONTACT_DATA.search(said)
    assert not RAW.search(said) or "new to the registry" in case.name


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_hard_case_in_which_nothing_changes_tells_nothing(case: HardCase) -> None:
    assert compare(case.after, case.after, table(), past=case.past) == ()


def test_the_names_of_the_hard_cases_differ() -> None:
    assert len({case.name for case in ALL}) == len(ALL)
    assert sum(case.golden for case in ALL) >= 20


def with_status(status: str, *, reason: str | None = None, known: str | None = None) -> Json:
    return study("NCT00000001", status=status) | {
        "protocolSection": trial({STATUS + "whyStopped": reason, STATUS + "lastKnownStatus": known}, status=status)[
            "protocolSection"
        ]
    }


@pytest.mark.parametrize(("old", "new"), TRANSITIONS, ids=lambda status: status.lower())
def test_each_transition_of_the_status_is_one_sentence_with_both_labels(old: str, new: str) -> None:
    stops = new in {"SUSPENDED", "TERMINATED", "WITHDRAWN"}
    before = with_status(old, known="RECRUITING" if old == "UNKNOWN" else None)
    after = with_status(
        new, reason="An invented reason" if stops else None, known="RECRUITING" if new == "UNKNOWN" else None
    )

    told = told_in_a_digest(compare(before, after, table()))

    path = STATUS + "overallStatus"
    assert len(told) == 1
    assert f"{table().words(path, old)} → {table().words(path, new)}" in told[0]
    assert ("An invented reason" in told[0]) is stops
    severity = load_rules().statuses[old, new].severity
    confirms_another = (old, severity) == ("UNKNOWN", Severity.MINOR) and new != "RECRUITING"
    assert told[0].startswith(f"{Severity.MAJOR if confirms_another else severity}: ")


def test_there_are_a_hundred_and_eighty_two_transitions() -> None:
    assert len(TRANSITIONS) == 182


@pytest.mark.parametrize("old", ["SUSPENDED", "TERMINATED", "WITHDRAWN"])
def test_a_study_that_goes_on_says_what_had_stopped_it(old: str) -> None:
    before, after = with_status(old, reason="An invented reason"), with_status("RECRUITING")

    told = told_in_a_digest(compare(before, after, table()))

    assert len(told) == 1
    assert told[0].endswith("; reason for stopping removed (was An invented reason)")


def test_a_value_that_flips_back_and_forth_is_a_change_each_time() -> None:
    status = STATUS + "overallStatus"
    versions = [edit(trial(), {status: value}, by_registry=True) for value in ("RECRUITING", "SUSPENDED") * 2]
    ids: list[str] = []
    values: list[PastValue] = []
    sentences = []
    for day, (before, after) in enumerate(pairwise(versions), start=1):
        (change,) = compare(before, after, table(), past=Past(ids=tuple(ids), values=tuple(values)))
        ids.append(change.id)
        values.append(PastValue(path=status, old=change.old, new=change.new, day=f"2026-03-0{day}"))
        sentences.append(change.sentence)

    assert len(set(ids)) == 3
    assert sentences == [
        "Study suspended: no reason given (Recruitment status: Recruiting → Suspended)",
        "Study resumed: Suspended → Recruiting (back to the value of before 2026-03-01)",
        (
            "Study suspended: no reason given (Recruitment status: Recruiting → Suspended) "
            "(back to the value of before 2026-03-02)"
        ),
    ]
