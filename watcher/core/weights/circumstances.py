"""Rules that weigh a difference by what else its step holds: results posted, recruitment closed.  Pure.

What a rule takes and returns, ``rule.py`` says.
"""

import re

from watcher.core.fields import FieldTable
from watcher.core.items.outcomes import SECTIONS
from watcher.core.items.places import country_key
from watcher.core.paths import CITY, COUNTRY, LOCATIONS
from watcher.core.weights.rule import Rule, at, below, everywhere, like, rule
from watcher.core.weights.step import ENROLLMENT, RESULTS_POSTED_ON, STATUS, Step
from watcher.core.weights.weight import Weight
from watcher.model import Difference, How, Place, Severity

WITHHELD_RULE = "withheld"
CENTRAL_CONTACTS = "protocolSection.contactsLocationsModule.centralContacts[]"
SITE_STATUS = LOCATIONS + ".status"
_DESIGN = re.compile(
    r"designInfo\.(allocation|interventionModel|maskingInfo\.masking|maskingInfo\.whoMasked\[\])$|\.(armGroups|interventions)\[\]"
)
_OUTCOMES = re.compile(r"Outcomes\[\]")
_ELIGIBILITY = "protocolSection.eligibilityModule."
_RESULTS = ("hasResults", "resultsSection.", "documentSection.", "protocolSection.statusModule.resultsFirst")
# What is reshaped for the results form, and comes with it.
_RESHAPED = re.compile(
    r"Title$|descriptionModule\.|Outcomes\[\]|armGroups\[\]|interventions\[\]|eligibilityModule\.|Description$|ipdSharing"
)


def comes_with_results(difference: Difference, step: Step) -> bool:
    """Return whether a difference is an edit that rides on a posting of results.

    A primary outcome that is added, dropped or moved is not: it speaks for itself.
    """
    path = difference.path
    if not step.results_posted or not path.startswith("protocolSection."):
        return False
    if not (_RESHAPED.search(path) or path.startswith(ENROLLMENT)):
        return False
    return not (_changes_the_outcomes(difference) and SECTIONS[0] in {path, _section_before(difference, path)})


def _changes_the_outcomes(difference: Difference) -> bool:
    return difference.path in SECTIONS


def _section_before(difference: Difference, path: str) -> str:
    # A move out of the primary outcomes has the path of the section where the outcome is now.
    return SECTIONS[0] if difference.how is How.DEMOTED and path == SECTIONS[1] else path


def is_cascade(difference: Difference, step: Step) -> bool:
    """Return whether a site's status or a central contact went or came with the overall status, or follows it.

    That single sites begin to recruit when the study does, is news of its own.
    """
    if difference.path not in (SITE_STATUS, CENTRAL_CONTACTS):
        return False
    if not (step.recruitment_closed or step.recruitment_opened):
        follows = step.status_moved and difference.new == step.status[1] and difference.new != "RECRUITING"
        return difference.path == SITE_STATUS and follows
    how = How.REMOVED if step.recruitment_closed else How.ADDED
    if difference.path == SITE_STATUS:
        return difference.how is how or difference.new == step.status[1]
    return difference.how is how


def comes_with_withholding(difference: Difference, step: Step) -> bool:
    """Return whether a value went or came because a placeholder stands for the record, or stood for it.

    That results are removed is said beside it.
    """
    return step.withheld and not (step.results_removed and difference.path.startswith(_RESULTS))


@rule(below("protocolSection."))
def posting(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M1: an edit that rides on the posting of results is one level lower, and a clause of it."""
    if weight.silent or not comes_with_results(difference, step):
        return weight
    return weight.lowered("M1", Place.CLAUSE)


@rule(like(_DESIGN), below(_ELIGIBILITY), like(_OUTCOMES))
def stage(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M2: what changes before the study begins is one level lower; eligibility after recruitment is minor.

    Nobody is treated or blinded otherwise once the primary outcome has been measured: the record is corrected.
    """
    path = difference.path
    if weight.silent:
        return weight
    if step.before_start:
        return weight.lowered("M2")
    if step.primary_completion_reached and _DESIGN.search(path):
        return weight.lowered("M2")
    if step.after_recruitment and path.startswith(_ELIGIBILITY):
        return weight.says("M2", Severity.MINOR)
    return weight


@rule(at(SITE_STATUS, CENTRAL_CONTACTS))
def cascade(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M7: what goes or comes with the overall status is a clause of it."""
    return weight.says("M7", Severity.MINOR, Place.CLAUSE) if is_cascade(difference, step) else weight


@rule(everywhere)
def withholding(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """What a placeholder lacks or says otherwise is a clause of the status that says so."""
    if weight.silent or difference.path == STATUS or not comes_with_withholding(difference, step):
        return weight
    return weight.says(WITHHELD_RULE, Severity.MINOR, Place.CLAUSE)


@rule(at(RESULTS_POSTED_ON))
def passing(_difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """Results that have passed quality control after they were posted deserve a line."""
    if step.quality_control_passed:
        return weight.raised_to_line("passed", Severity.MAJOR)
    return weight


@rule(at(LOCATIONS))
def country(difference: Difference, step: Step, weight: Weight, table: FieldTable) -> Weight:
    """The first location in a country, or the last one, weighs as the country itself."""
    if difference.how not in {How.ADDED, How.REMOVED}:
        return weight
    item, others = (
        (difference.new, step.countries[0]) if difference.how is How.ADDED else (difference.old, step.countries[1])
    )
    name = item.get("country") if isinstance(item, dict) else None
    if not isinstance(name, str) or country_key(name) in others:
        return weight
    return weight.raised_to_line("country", table.rule(COUNTRY).severity)


@rule(at(CITY))
def moved(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """A location that is in another city now; what the registry respells by itself, ``meaningless.py`` knows."""
    return weight.raised_to_line("moved", Severity.MINOR) if difference.moved else weight


CIRCUMSTANCES: tuple[Rule, ...] = (posting, passing, stage, cascade, country, moved, withholding)
