"""Items of a list are matched in the way that suits what it lists, and never lost or counted twice."""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.items.lists import FURTHER, match_list
from watcher.core.items.matching import Matching, canonical
from watcher.core.paths import LOCATIONS
from watcher.model import Json
from watcher.tables import load_rules

ARMS = "protocolSection.armsInterventionsModule.armGroups[]"
INTERVENTIONS = "protocolSection.armsInterventionsModule.interventions[]"
OFFICIALS = "protocolSection.contactsLocationsModule.overallOfficials[]"
COLLABORATORS = "protocolSection.sponsorCollaboratorsModule.collaborators[]"
SECONDARY_IDS = "protocolSection.identificationModule.secondaryIdInfos[]"
REFERENCES = "protocolSection.referencesModule.references[]"
LINKS = "protocolSection.referencesModule.seeAlsoLinks[]"
DOCUMENTS = "documentSection.largeDocumentModule.largeDocs[]"
REPORTED = "resultsSection.outcomeMeasuresModule.outcomeMeasures[]"
GROUPS = "resultsSection.outcomeMeasuresModule.outcomeMeasures[].groups[]"
EVENTS = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents[]"


def matched(path: str, before: list[Json], after: list[Json]) -> Matching:
    return match_list(path, before, after, load_rules().fields[path].identity)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        pytest.param(ARMS, {"label": "Examplemab (EX-12)"}, {"label": "Examplemab"}, id="an arm's code dropped"),
        pytest.param(
            ARMS,
            {"label": "Active", "description": "10 mg once daily"},
            {"label": "Dose A", "description": "10 mg  once daily."},
            id="an arm with the same description",
        ),
        pytest.param(
            ARMS,
            {"label": "Active", "type": "EXPERIMENTAL", "interventionNames": ["Drug: A", "Drug: B"]},
            {"label": "Part one", "type": "EXPERIMENTAL", "interventionNames": ["Drug: B", "Drug: A"]},
            id="the only arm with these interventions",
        ),
        pytest.param(
            INTERVENTIONS,
            {"type": "DRUG", "name": "EX-12"},
            {"type": "DRUG", "name": "Examplemab", "otherNames": ["ex12", "EX-12"]},
            id="an intervention known by its other name",
        ),
        pytest.param(
            INTERVENTIONS,
            {"type": "DRUG", "name": "examplemab mesylate (EX-12)"},
            {"type": "BIOLOGICAL", "name": "Examplemab mesylate"},
            id="an intervention's code dropped",
        ),
        pytest.param(
            OFFICIALS,
            {"name": "Ann Example, MD", "role": "STUDY_CHAIR"},
            {"name": "Prof. Ann Example", "role": "STUDY_CHAIR", "affiliation": "Example Institute"},
            id="an official's degrees",
        ),
        pytest.param(OFFICIALS, {"name": "Ann Exmaple"}, {"name": "Ann Example"}, id="an official misspelt"),
        pytest.param(COLLABORATORS, {"name": "Example Pharma"}, {"name": "Example Pharma, Inc."}, id="a legal form"),
        pytest.param(
            COLLABORATORS,
            {"name": "Example Lung Network"},
            {"name": "Example Lung Network Clinical Group"},
            id="a longer name of a collaborator",
        ),
        pytest.param(
            SECONDARY_IDS,
            {"type": "OTHER", "id": "EX-B-43"},
            {"type": "OTHER", "id": "EX B43"},
            id="an ID written otherwise",
        ),
        pytest.param(
            SECONDARY_IDS,
            {"type": "OTHER", "id": "EudraCT 2020-001234-12"},
            {"type": "EUDRACT_NUMBER", "id": "2020-001234-12"},
            id="an ID whose type is told",
        ),
        pytest.param(
            REFERENCES,
            {"citation": "Example A. A title. J Ex. 2026. doi: 10.1000/ex.12"},
            {"pmid": "1", "citation": "Example A, Sample B. A title of its own. J Ex 2026;1:2. doi: 10.1000/ex.12."},
            id="a publication that gets a number",
        ),
        pytest.param(
            REFERENCES,
            {"citation": "Example A, Sample B. On samples of examples. J Ex. 2026"},
            {"citation": "Example A, Sample B. On samples of examples. J Ex. 2026;1(2):3-4."},
            id="a publication with its pages",
        ),
        pytest.param(
            LINKS,
            {"url": "http://www.example.org/a/", "label": "Page"},
            {"url": "https://example.org/a", "label": "The page"},
            id="a link's scheme",
        ),
        pytest.param(
            DOCUMENTS,
            {"filename": "Prot_000.pdf", "typeAbbrev": "Prot"},
            {"filename": "Prot_001.pdf", "typeAbbrev": "Prot"},
            id="a new protocol file",
        ),
        pytest.param(
            REPORTED,
            {"type": "PRIMARY", "title": "Overall Response Rate (ORR)"},
            {"type": "PRIMARY", "title": "Overall response rate by central review"},
            id="a reported outcome reworded",
        ),
        pytest.param(GROUPS, {"id": "OG000", "title": "Arm 1"}, {"id": "OG000", "title": "Dose A"}, id="a group's ID"),
    ],
)
def test_an_item_that_is_named_otherwise_is_the_same_item(path: str, old: Json, new: Json) -> None:
    assert matched(path, [old], [new]).pairs == ((old, new),)
    assert matched(path, [new], [old]).pairs == ((new, old),)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        pytest.param(ARMS, {"label": "Cohort 3"}, {"label": "Cohort 4"}, id="cohorts"),
        pytest.param(ARMS, {"label": "Observation"}, {"label": "Surgery"}, id="arms"),
        pytest.param(
            INTERVENTIONS, {"type": "DRUG", "name": "Examplemab"}, {"type": "DRUG", "name": "Otherinib"}, id="drugs"
        ),
        pytest.param(
            OFFICIALS,
            {"name": "Ann Example", "role": "PRINCIPAL_INVESTIGATOR"},
            {"name": "Ben Sample", "role": "PRINCIPAL_INVESTIGATOR"},
            id="a principal investigator replaced",
        ),
        pytest.param(
            COLLABORATORS, {"name": "University of Northland"}, {"name": "University of Southland"}, id="universities"
        ),
        pytest.param(SECONDARY_IDS, {"type": "OTHER", "id": "EX-1"}, {"type": "OTHER", "id": "EX-2"}, id="IDs"),
        pytest.param(
            REFERENCES,
            {"pmid": "1", "citation": "Example A. On samples. J Ex. 2026;1:2"},
            {"pmid": "2", "citation": "Example A. On samples. J Ex. 2026;1:3"},
            id="publications with numbers of their own",
        ),
        pytest.param(LINKS, {"url": "https://example.org/a"}, {"url": "https://example.org/b"}, id="links"),
        pytest.param(
            EVENTS, {"type": "RELEASE", "date": "2026-01-01"}, {"type": "RELEASE", "date": "2026-02-01"}, id="events"
        ),
        pytest.param(ARMS, "Cohort", {"label": "Cohort"}, id="what is no object"),
    ],
)
def test_another_item_is_one_that_went_and_one_that_came(path: str, old: Json, new: Json) -> None:
    assert matched(path, [old], [new]) == Matching(pairs=(), removed=(old,), added=(new,))


def test_the_arms_of_one_drug_are_not_exchanged() -> None:
    rest = {"type": "EXPERIMENTAL", "interventionNames": ["Drug: Examplemab"]}
    before = [{"label": f"Arm {number}", **rest} for number in (1, 2, 3)]
    after = [{"label": f"Arm {number} (dose {number})", **rest} for number in (3, 2, 1)]

    assert {(old["label"], new["label"]) for old, new in matched(ARMS, before, after).pairs} == {
        ("Arm 1", "Arm 1 (dose 1)"),
        ("Arm 2", "Arm 2 (dose 2)"),
        ("Arm 3", "Arm 3 (dose 3)"),
    }


def test_an_identity_that_is_a_last_resort_pairs_only_what_stands_alone() -> None:
    rest = {"type": "EXPERIMENTAL", "interventionNames": ["Drug: Examplemab"]}
    before = [{"label": "Active", **rest}, {"label": "Control", **rest}]
    after = [{"label": "Early start", **rest}, {"label": "Late start", **rest}]

    assert matched(ARMS, before, after) == Matching(pairs=(), removed=tuple(before), added=tuple(after))


def test_groups_in_another_order_and_other_words_are_paired_by_the_words() -> None:
    before = [{"id": "EG000", "title": "Examplemab + Taxol + AC"}, {"id": "EG001", "title": "Placebo + Taxol + AC"}]
    after = [{"id": "EG000", "title": "Placebo and Therapy"}, {"id": "EG001", "title": "Examplemab and Therapy"}]

    assert matched(GROUPS, before, after).pairs == ((before[0], after[1]), (before[1], after[0]))


def test_groups_whose_titles_do_not_decide_are_paired_by_their_ids() -> None:
    before = [{"id": "OG000", "title": "Then home"}, {"id": "OG001", "title": "Then hospital"}]
    after = [
        {"id": "OG001", "title": "Then elsewhere, or hospital"},
        {"id": "OG000", "title": "Then elsewhere, or home"},
    ]

    assert matched(GROUPS, before, after).pairs == ((before[0], after[1]), (before[1], after[0]))


def test_locations_are_matched_as_sites() -> None:
    old, new = (
        {"facility": name, "city": "Springfield", "zip": "62701"} for name in ("Research Site", "Example Clinic")
    )

    assert matched(LOCATIONS, [old], [new]).pairs == ((old, new),)


def test_a_list_without_a_way_of_its_own_is_matched_by_its_identity() -> None:
    old, new = {"name": "A", "n": 1}, {"name": "a", "n": 2}

    assert match_list("some.list[]", [old], [new], (("name",),)).pairs == ((old, new),)


odd_values: st.SearchStrategy[Json] = st.sampled_from([None, 5, True, [], {}, ["x"], ""])
names = st.sampled_from(["Arm A", "Arm B", "Examplemab (EX-12)", "Examplemab", "10.1000/x", "http://a.b"]) | odd_values
fields = ["label", "name", "title", "id", "url", "citation", "pmid", "type", "description", "otherNames", "role", "n"]
items = st.dictionaries(st.sampled_from(fields), names, max_size=4) | odd_values


@pytest.mark.parametrize("path", sorted(FURTHER))
@settings(deadline=None, derandomize=True, max_examples=60)
@given(before=st.lists(items, max_size=5), after=st.lists(items, max_size=5), chance=st.randoms(use_true_random=False))
def test_no_item_is_lost_and_the_order_decides_nothing(
    path: str, before: list[Any], after: list[Any], chance: random.Random
) -> None:
    matching = matched(path, before, after)
    other = matched(path, chance.sample(before, len(before)), chance.sample(after, len(after)))

    olds, news = bag(old for old, _ in matching.pairs), bag(new for _, new in matching.pairs)
    assert bag(before) - olds - bag(matching.removed) == bag(after) - news - bag(matching.added)
    assert bag(before) - olds - bag(matching.removed) == bag(before) & bag(after)
    assert bags(matching) == bags(other)
    assert matched(path, before, before[::-1]) == Matching(pairs=(), removed=(), added=())


def bag(values: Iterable[Json]) -> Counter[bytes]:
    return Counter(map(canonical, values))


def bags(matching: Matching) -> tuple[Counter[tuple[bytes, bytes]], Counter[bytes], Counter[bytes]]:
    pairs = Counter((canonical(old), canonical(new)) for old, new in matching.pairs)
    return pairs, bag(matching.removed), bag(matching.added)
