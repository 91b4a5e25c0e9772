"""The settings of what a change weighs and where it stands: names of the field table, each with a word for it."""

from pathlib import Path

import pytest

from tests.unit.settings_files import OPERATOR, load, problems
from watcher.model import Place, Severity
from watcher.tables import load_rules

STATUS = "protocolSection.statusModule.overallStatus"
SITE_STATUS = "protocolSection.contactsLocationsModule.locations[].status"
SEVERITY = OPERATOR + "[changes.severity]\n"
PLACE = OPERATOR + "[changes.place]\n"


def test_without_them_the_table_is_the_built_in_one(tmp_path: Path) -> None:
    settings = load(tmp_path, OPERATOR)
    assert (settings.changes.severity, settings.changes.place) == ({}, {})
    assert settings.changes.over(load_rules()) == load_rules()


def test_they_are_put_over_the_table_the_path_over_the_category(tmp_path: Path) -> None:
    text = SEVERITY + f'sites = "critical"\n"{SITE_STATUS}" = "noise"\n[changes.place]\nsites = "footer"\n'
    rows = load(tmp_path, text).changes.over(load_rules()).fields
    assert (rows[SITE_STATUS].severity, rows[SITE_STATUS].place) == (Severity.NOISE, Place.FOOTER)
    assert {row.severity for path, row in rows.items() if row.category == "sites" and path != SITE_STATUS} == {
        Severity.CRITICAL
    }
    assert {row.category for row in rows.values() if row.overridden} == {"sites"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param('sites = "minor"', "sites", id="a category"),
        pytest.param('"data sharing" = "minor"', "data sharing", id="a category of two words"),
        pytest.param(f'"{STATUS}" = "minor"', STATUS, id="a path"),
        pytest.param(f'{STATUS} = "minor"', STATUS, id="a path without quotation marks, which TOML takes for tables"),
        pytest.param(f'"{SITE_STATUS}" = "minor"', SITE_STATUS, id="a path through a list"),
        pytest.param('hasResults = "minor"', "hasResults", id="a path of one name"),
        pytest.param('"**" = "minor"', "**", id="the row of all fields that are not in the table"),
        pytest.param('unclassified = "minor"', "unclassified", id="its category"),
    ],
)
def test_a_setting_is_named_by(tmp_path: Path, text: str, name: str) -> None:
    assert load(tmp_path, SEVERITY + text).changes.severity == {name: Severity.MINOR}


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_can_be_set(tmp_path: Path, severity: Severity) -> None:
    assert load(tmp_path, SEVERITY + f'sites = "{severity}"').changes.severity == {"sites": severity}


@pytest.mark.parametrize("place", list(Place))
def test_every_place_can_be_set(tmp_path: Path, place: Place) -> None:
    assert load(tmp_path, PLACE + f'sites = "{place}"').changes.place == {"sites": place}


_NEITHER = "is neither a category nor the path of a field; "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            SEVERITY + 'site = "minor"',
            f'changes.severity.site: {_NEITHER}did you mean "sites"?',
            id="a misspelt category",
        ),
        pytest.param(
            SEVERITY + 'Sites = "minor"',
            f'changes.severity.Sites: {_NEITHER}did you mean "sites"?',
            id="a category in capitals",
        ),
        pytest.param(
            SEVERITY + 'enrollment = "minor"',
            f'changes.severity.enrollment: {_NEITHER}did you mean "enrolment"?',
            id="a category spelled as elsewhere",
        ),
        pytest.param(
            SEVERITY + 'overallStatus = "minor"',
            f'changes.severity.overallStatus: {_NEITHER}did you mean "{STATUS}"?',
            id="the last name of a path",
        ),
        pytest.param(
            SEVERITY + f'"{SITE_STATUS.replace("[]", "")}" = "minor"',
            f'changes.severity.{SITE_STATUS.replace("[]", "")}: {_NEITHER}did you mean "{SITE_STATUS}"?',
            id="a list without its brackets",
        ),
        pytest.param(
            PLACE + 'xyzzy = "line"',
            f"changes.place.xyzzy: {_NEITHER}the categories are identity, description, sponsor, bookkeeping, status, "
            "regulatory, access, dates, ",
            id="what is near to nothing",
        ),
        pytest.param(
            SEVERITY + 'sites = "minorr"',
            'changes.severity.sites: "minorr" is not one of "critical", "major", "minor", "noise"; did you mean '
            '"minor"?',
            id="a misspelt severity",
        ),
        pytest.param(
            PLACE + 'sites = "minor"',
            'changes.place.sites: "minor" is not one of "line", "clause", "footer", "hidden"',
            id="a severity for a place",
        ),
        pytest.param(
            SEVERITY + "sites = 1",
            "changes.severity.sites: must be text in quotation marks, not a whole number",
            id="a number",
        ),
        pytest.param(
            SEVERITY + "sites = {}",
            "changes.severity.sites: must be text in quotation marks, not a table",
            id="an empty table",
        ),
        pytest.param(
            SEVERITY + f'"{STATUS}" = "minor"\n{STATUS} = "major"',
            f'changes.severity: "{STATUS}" is given twice, with and without quotation marks; keep one of them',
            id="a path twice",
        ),
        pytest.param(
            OPERATOR + '[changes]\nseverity = "minor"',
            "changes.severity: must begin with [changes.severity] on a line of its own, followed by its keys; this is "
            "text",
            id="a word where a table should be",
        ),
        pytest.param(
            OPERATOR + "changes = 3",
            "changes: must begin with [changes] on a line of its own, followed by its keys; this is a whole number",
            id="a number where the tables should be",
        ),
        pytest.param(
            OPERATOR + '[changes.severty]\nsites = "minor"',
            'changes.severty: is not a setting; did you mean "changes.severity"?',
            id="a misspelt table",
        ),
    ],
)
def test_a_problem_is_named_with_its_key_and_what_would_be_right(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(problem)


def test_a_category_in_a_place_of_a_path_is_told_with_near_paths(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, SEVERITY + 'protocolSection.statusModule.overalStatus = "minor"')
    assert f'did you mean "{STATUS}" or "' in found


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = (
        SEVERITY + 'sites = "bad"\nsite = "minor"\nplaces = 3\n'
        '[changes.place]\n"data sharing" = "minor"\noverallStatus = "line"\n[log]\nlevel = "loud"\n'
    )
    assert [problem.partition(":")[0] for problem in problems(tmp_path, text)] == [
        "changes.severity.sites",
        "changes.severity.site",
        "changes.severity.places",
        "changes.severity.places",
        "changes.place.data sharing",
        "changes.place.overallStatus",
        "log.level",
    ]


def test_no_variable_of_the_environment_sets_them(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, OPERATOR, environ={"TRIALWATCH_CHANGES__SEVERITY": "minor"})
    assert found.startswith("TRIALWATCH_CHANGES__SEVERITY: no setting is set by this variable")
