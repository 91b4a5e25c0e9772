"""What raises or lowers the weight of a field: the modifiers of the field table, one by one."""

import pytest

from tests.unit.telling import UPDATED, at, recorded, step, told
from watcher.model import Json

PROTOCOL = "protocolSection."
COLLABORATORS = PROTOCOL + "sponsorCollaboratorsModule.collaborators"
INVESTIGATOR = PROTOCOL + "sponsorCollaboratorsModule.responsibleParty.investigatorFullName"
TITLE = PROTOCOL + "identificationModule.officialTitle"
IDS = PROTOCOL + "identificationModule.secondaryIdInfos"
LINKS = PROTOCOL + "referencesModule.seeAlsoLinks"
TREATED = PROTOCOL + "armsInterventionsModule.interventions"
FIRM, OTHER_FIRM, CLINIC = (
    {"name": name, "class": kind} for name, kind in (("P", "INDUSTRY"), ("Q", "INDUSTRY"), ("R", "OTHER"))
)


def severities(pair: tuple[Json, Json]) -> list[str]:
    return [sentence.partition(":")[0] for sentence in told(*pair)]


@pytest.mark.parametrize(
    ("pair", "severity"),
    [
        pytest.param(
            step(COLLABORATORS, [CLINIC], [CLINIC, FIRM]), "major", id="the first collaborator of the industry"
        ),
        pytest.param(step(COLLABORATORS, [FIRM], [FIRM, OTHER_FIRM]), "minor", id="the second one"),
        pytest.param(step(COLLABORATORS, [], [CLINIC]), "minor", id="a collaborator of another kind"),
        pytest.param(step(INVESTIGATOR, "Ann Example", "Bob Example"), "major", id="another investigator"),
        pytest.param(step(INVESTIGATOR, "Ann Example, MD", "Ann Example, MD, PhD"), "minor", id="another degree"),
        pytest.param(
            step(TREATED, [{"type": "DRUG", "name": "X"}], [{"type": "BIOLOGICAL", "name": "x"}]),
            "minor",
            id="an intervention of another type by the same name",
        ),
        pytest.param(
            step(TREATED, [{"type": "DRUG", "name": "Examplemab one"}], [{"type": "DEVICE", "name": "Examplemab"}]),
            "major",
            id="an intervention of another type by another name",
        ),
        pytest.param(step(TITLE, "A Phase 2 Study of X", "A Phase 2 Trial of X"), "minor", id="a title in other words"),
        pytest.param(step(TITLE, "A Phase II Study of X", "A Phase 2 Study of X"), "minor", id="a phase in digits"),
        pytest.param(step(TITLE, "A Phase 2 Study of X", "A Phase 2a Study of X"), "major", id="another phase"),
        pytest.param(step(TITLE, "Open-label Study of X", "Double-Blind Study of X"), "major", id="another blinding"),
        pytest.param(step(TITLE, "Double-blind Study", "Double Blinded Trial"), "minor", id="the blinding respelled"),
        pytest.param(step(TITLE, "Study of X", "Placebo-controlled Study of X"), "major", id="a placebo"),
        pytest.param(step(TITLE, "X Versus Y in Adults", "X vs. Z in Adults"), "major", id="another comparator"),
        pytest.param(step(TITLE, "X versus Y in Adults", "X vs. Y in Adults"), "minor", id="the comparator kept"),
    ],
)
def test_a_change_weighs_so(pair: tuple[Json, Json], severity: str) -> None:
    assert set(severities(pair)) == {severity}


@pytest.mark.parametrize(
    ("pair", "rule"),
    [
        pytest.param(
            step(PROTOCOL + "identificationModule.orgStudyIdInfo.id", "AB-123", "ab 123"), "M9", id="the study's ID"
        ),
        pytest.param(step(IDS, [{"id": "xy-1"}], [{"id": "XY1"}]), "M9", id="a secondary ID"),
        pytest.param(
            step(
                LINKS,
                [{"label": "a", "url": "http://Example.org/x/"}],
                [{"label": "a", "url": "https://example.org/x"}],
            ),
            "M9",
            id="a link to the same page",
        ),
        pytest.param(
            step(
                LINKS,
                [{"label": "a", "url": "https://example.org/x"}],
                [{"label": "b", "url": "https://example.org/x"}],
            ),
            "field",
            id="the label of a link",
        ),
    ],
)
def test_a_spelling_is_recorded_and_not_told(pair: tuple[Json, Json], rule: str) -> None:
    assert told(*pair) == []
    assert [found for _, found in recorded(*pair)] == [rule]


def test_links_of_one_label_are_told_apart_by_their_addresses() -> None:
    before = [{"label": "Site", "url": f"http://example.org/{page}"} for page in "ab"]
    after = [{"label": "Site", "url": f"https://example.org/{page}/"} for page in "ba"]

    assert told(*step(LINKS, before, after)) == []


def with_completion(path: str, value: Json, kind: str, **details: str) -> Json:
    record = at(path, value, **details)
    record["protocolSection"]["statusModule"]["primaryCompletionDateStruct"] = {"date": "2026-01-05", "type": kind}
    return record


@pytest.mark.parametrize(
    ("path", "old", "new", "before", "after"),
    [
        pytest.param("oversightModule.isFdaRegulatedDrug", True, False, "major", "critical", id="a regulated drug"),
        pytest.param("oversightModule.isFdaRegulatedDevice", True, False, "major", "critical", id="a regulated device"),
        pytest.param("oversightModule.isFdaRegulatedDrug", False, True, "major", "major", id="regulated now"),
        pytest.param(
            "designModule.designInfo.maskingInfo",
            {"masking": "DOUBLE"},
            {"masking": "NONE"},
            "major",
            "minor",
            id="masking",
        ),
        pytest.param(
            "designModule.designInfo.maskingInfo",
            {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]},
            {"masking": "SINGLE", "whoMasked": ["PARTICIPANT"]},
            "major",
            "minor",
            id="masking with who is masked",
        ),
        pytest.param("armsInterventionsModule.armGroups", [], [{"label": "A"}], "major", "minor", id="an arm"),
        pytest.param("eligibilityModule.sex", "ALL", "FEMALE", "major", "major", id="eligibility while recruiting"),
    ],
)
def test_an_actual_primary_completion_matters(path: str, old: Json, new: Json, before: str, after: str) -> None:
    for kind, severity in (("ESTIMATED", before), ("ACTUAL", after)):
        versions = (
            with_completion(PROTOCOL + path, old, kind),
            with_completion(PROTOCOL + path, new, kind, updated=UPDATED),
        )
        assert severities(versions) == [severity]
