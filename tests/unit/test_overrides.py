"""What settings of severity and place do to the field table."""

import pytest

from watcher.core.fields import FieldTable
from watcher.model import FieldRule, Place, Rules, Severity
from watcher.tables import load_rules
from watcher.tables.overrides import categories, name_in_force, with_overrides

SITES = "protocolSection.contactsLocationsModule.locations[]"
UNKNOWN = "protocolSection.newModule.newField"


def row(
    path: str = SITES, *, severity: dict[str, Severity] | None = None, place: dict[str, Place] | None = None
) -> FieldRule:
    rules = with_overrides(load_rules(), severity=severity or {}, place=place or {})
    return FieldTable(rules).rule(path)


def test_without_settings_the_rules_stay_as_they_are() -> None:
    assert with_overrides(load_rules(), severity={}, place={}) is load_rules()


@pytest.mark.parametrize(
    ("severity", "found"),
    [
        pytest.param({"sites": Severity.CRITICAL}, Severity.CRITICAL, id="its category"),
        pytest.param({SITES: Severity.NOISE}, Severity.NOISE, id="its path"),
        pytest.param(
            {"sites": Severity.CRITICAL, SITES: Severity.NOISE},
            Severity.NOISE,
            id="its path, though its category says otherwise",
        ),
        pytest.param(
            {SITES: Severity.NOISE, "sites": Severity.CRITICAL}, Severity.NOISE, id="its path, in whatever order"
        ),
        pytest.param(
            {"**": Severity.NOISE, "sites": Severity.CRITICAL}, Severity.CRITICAL, id="not the row for everything else"
        ),
    ],
)
def test_a_row_has_the_severity_of(severity: dict[str, Severity], found: Severity) -> None:
    assert (row(severity=severity).severity, row(severity=severity).overridden) == (found, True)


@pytest.mark.parametrize("severity", [{"dates": Severity.NOISE}, {SITES + ".status": Severity.NOISE}])
def test_settings_of_other_rows_leave_a_row_as_it_is(severity: dict[str, Severity]) -> None:
    assert row(severity=severity) == load_rules().fields[SITES]


def test_a_severity_that_says_what_the_table_says_is_an_override_all_the_same() -> None:
    """What other rules make of it is what somebody does not want."""
    built_in = load_rules().fields[SITES].severity
    assert row(severity={"sites": built_in}).overridden


def test_a_place_is_moved_and_the_severity_stays_open_to_other_rules() -> None:
    moved = row(place={"sites": Place.HIDDEN})
    assert (moved.place, moved.severity, moved.overridden) == (Place.HIDDEN, load_rules().fields[SITES].severity, False)
    assert row(place={"sites": Place.HIDDEN, SITES: Place.FOOTER}).place is Place.FOOTER


def test_what_is_below_a_row_for_everything_below_has_its_settings() -> None:
    assert row(UNKNOWN, severity={"**": Severity.NOISE}).severity is Severity.NOISE
    assert row(UNKNOWN, severity={"unclassified": Severity.NOISE}).severity is Severity.NOISE


def test_nothing_but_severity_and_place_is_changed() -> None:
    """Another label or identity would be another comparison."""
    rules = with_overrides(
        load_rules(), severity=dict.fromkeys(categories(load_rules()), Severity.MINOR), place={"sites": Place.HIDDEN}
    )
    assert isinstance(rules, Rules)
    assert (rules.statuses, rules.enum_labels, rules.explanations) == (
        load_rules().statuses,
        load_rules().enum_labels,
        load_rules().explanations,
    )
    for path, built_in in load_rules().fields.items():
        found = rules.fields[path]
        assert found.severity is Severity.MINOR
        kept = ("path", "label", "plural", "category", "enum", "identity", "naming")
        assert [getattr(found, name) for name in kept] == [getattr(built_in, name) for name in kept]


def test_a_setting_is_found_by_the_name_that_decides() -> None:
    row_of_sites = load_rules().fields[SITES]
    assert name_in_force(row_of_sites, {"sites": 1, SITES: 2}) == SITES
    assert name_in_force(row_of_sites, {"sites": 1}) == "sites"
    assert name_in_force(row_of_sites, {"dates": 1}) is None


def test_no_category_has_the_name_of_a_path() -> None:
    rules = load_rules()
    assert set(categories(rules)) & set(rules.fields) == set()
    assert len(categories(rules)) > 15
