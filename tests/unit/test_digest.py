"""What a digest says of a trial's changes, in which order, and what its subject promises."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import study
from tests.unit.full_records import table
from watcher.core.digest import (
    SUBJECT_LENGTH,
    Sentence,
    TrialBlock,
    Version,
    arrange_trials,
    arrange_version,
    subject_of_changes,
)
from watcher.core.meaning import compare
from watcher.core.texts.worddiff import SegmentKind
from watcher.model import Change, How, Json, Place, Severity

DAY = "2026-03-02"
CRITICAL, MAJOR, MINOR, NOISE = Severity


def change(
    story: str,
    *,
    severity: Severity = MINOR,
    place: Place = Place.LINE,
    category: str = "dates",
    old: Json = "a",
    new: Json = "b",
    path: str = "a.b",
) -> Change:
    return Change(
        id=f"{story}-{severity}-{place}",
        nct_id="NCT00000001",
        path=path,
        item=None,
        how=How.CHANGED,
        label="Label",
        category=category,
        severity=severity,
        place=place,
        rules=("field",),
        story=story,
        sentence=f"Sentence of {story}",
        headline=f"Headline of {story}",
        old=old,
        new=new,
    )


def sentence(text: str, severity: Severity = MINOR, category: str = "dates") -> Sentence:
    return Sentence(text=text, headline=text, severity=severity, category=category)


def block(nct_id: str, *sentences: Sentence, clauses: tuple[str, ...] = ()) -> TrialBlock:
    version = Version(origin="", sentences=sentences, clauses=clauses, not_told=0)
    return TrialBlock(nct_id=nct_id, title="", versions=(version,))


# --- one step of a record ---------------------------------------------------------------------------------------------


def test_changes_of_one_story_are_one_sentence_as_heavy_as_the_worst() -> None:
    version = arrange_version([change("one"), change("one", severity=CRITICAL, place=Place.CLAUSE)], DAY)

    assert [(each.text, each.severity) for each in version.sentences] == [("Sentence of one", CRITICAL)]
    assert (version.clauses, version.not_told) == ((), 0)


def test_the_worst_comes_first_and_then_the_order_of_the_categories() -> None:
    version = arrange_version(
        [
            change("e", category="unclassified"),
            change("d", category="sites"),
            change("c", category="dates"),
            change("b", category="sites", severity=MAJOR),
            change("a", category="dates", severity=CRITICAL),
        ],
        DAY,
    )

    assert [each.text[-1] for each in version.sentences] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("severity", Severity)
def test_each_change_is_told_in_its_place_or_counted(place: Place, severity: Severity) -> None:
    version = arrange_version([change("one", severity=severity, place=place)], DAY)

    told = severity is not NOISE and place in {Place.LINE, Place.CLAUSE}
    assert len(version.sentences) == (told and place is Place.LINE)
    assert len(version.clauses) == (told and place is Place.CLAUSE)
    assert version.not_told == (not told)


def test_a_change_that_is_not_told_does_not_give_its_story_weight() -> None:
    version = arrange_version([change("one"), change("one", severity=CRITICAL, place=Place.HIDDEN)], DAY)

    assert [each.severity for each in version.sentences] == [MINOR]
    assert version.not_told == 1


def test_a_text_too_long_for_a_sentence_is_shown_where_it_differs() -> None:
    old, new = ("alike " * 400 + end for end in ("before", "after"))

    (told,) = arrange_version([change("one", old=old, new=new)], DAY).sentences

    (detail,) = told.details
    assert detail.text.endswith("[before → after]")
    assert [segment.text for segment in detail.segments if segment.kind is SegmentKind.REMOVED] == ["before"]
    assert len(detail.text) < 700


def test_a_text_that_the_sentence_quotes_is_not_shown_again() -> None:
    (told,) = arrange_version([change("one", old="before", new="after")], DAY).sentences

    assert told.details == ()


def test_a_step_says_whose_it_is() -> None:
    before = study("NCT00000001")
    sponsor = arrange_version(compare(before, study("NCT00000001", updated="2026-02-27"), table()), DAY)
    registry = arrange_version(compare(before, study("NCT00000001", status="UNKNOWN"), table()), DAY)

    assert sponsor.origin == "Sponsor update posted 2026-02-27; registry data of 2026-03-02"
    assert registry.origin == "Changed by the registry, without a sponsor update; registry data of 2026-03-02"


def test_the_date_of_an_update_cannot_bring_lines_of_its_own() -> None:
    before = study("NCT00000001")
    after = study("NCT00000001", updated="2026-02-27\r\n\u202eBcc: x")

    origin = arrange_version(compare(before, after, table()), DAY).origin

    assert origin == "Sponsor update posted 2026-02-27 Bcc: x; registry data of 2026-03-02"


@settings(deadline=None)
@given(
    st.lists(
        st.builds(change, st.sampled_from("abc"), severity=st.sampled_from(Severity), place=st.sampled_from(Place)),
        max_size=12,
    )
)
def test_no_change_is_forgotten(changes: list[Change]) -> None:
    version = arrange_version(changes, DAY)

    told_stories = {each.story for each in changes if each.told}
    assert len(version.sentences) + len(version.clauses) == len(told_stories)
    assert version.not_told == sum(not each.told for each in changes)


# --- the trials of a digest -------------------------------------------------------------------------------------------


def test_trials_come_worst_first_and_then_by_their_ids() -> None:
    blocks = [
        block("NCT00000004", clauses=("a clause",)),
        block("NCT00000003", sentence("x", CRITICAL)),
        block("NCT00000002", sentence("x", MINOR), sentence("y", MAJOR)),
        block("NCT00000001", sentence("x", CRITICAL)),
    ]

    ordered = [each.nct_id[-1] for each in arrange_trials(blocks)]

    assert ordered == ["1", "3", "2", "4"]


def test_the_subject_about_one_trial_names_its_worst_change_and_counts_the_others() -> None:
    trial = block("NCT00000001", sentence("a date"), sentence("a status", MAJOR), clauses=("contacts",))

    assert subject_of_changes([trial], 5) == "[NCT00000001] a status (+2)"
    assert subject_of_changes([block("NCT00000001", sentence("a date"))], 5) == "[NCT00000001] a date"


def test_the_subject_about_one_clause_is_the_clause() -> None:
    assert (
        subject_of_changes([block("NCT00000001", clauses=("Contacts changed",))], 1) == "[NCT00000001] Contacts changed"
    )


def test_the_subject_about_several_trials_counts_them_and_names_two() -> None:
    blocks = [block(f"NCT0000000{n}", sentence(f"event {n}")) for n in range(1, 5)]

    assert subject_of_changes(blocks[:2], 42) == "2 of 42 trials changed: NCT00000001 event 1; NCT00000002 event 2"
    assert subject_of_changes(blocks, 42) == "4 of 42 trials changed: NCT00000001 event 1; NCT00000002 event 2; +2"
    assert subject_of_changes(blocks, 3).startswith("4 of 4 trials")


@given(st.integers(1, 9), st.integers(0, 10**6), st.text(st.characters(), max_size=400))
def test_a_subject_is_one_line_and_not_too_long(count: int, watched: int, text: str) -> None:
    blocks = [block(f"NCT0000000{n}", sentence(text), sentence("more")) for n in range(count)]

    subject = subject_of_changes(blocks, watched)

    assert len(subject) <= SUBJECT_LENGTH
    assert len(subject.splitlines()) == 1
    assert ("(+1)" if count == 1 else f"{count} of ") in subject


def test_a_block_counts_what_it_tells() -> None:
    trial = block("NCT00000001", sentence("x"), sentence("y"), clauses=("z",))
    twice = replace(trial, versions=trial.versions * 2)

    assert (trial.told, twice.told, len(twice.sentences)) == (3, 6, 4)
    assert block("NCT00000001", clauses=("z",)).severity is MINOR
