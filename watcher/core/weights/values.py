"""Rules that weigh a difference by its values: statuses, dates, enrollment, flags, references, figures in texts.  Pure.

What a rule takes and returns, ``rule.py`` says.
"""

import re

from watcher.core.fields import FieldTable, value_at
from watcher.core.items.names import folded
from watcher.core.items.naming import company_key, person_key
from watcher.core.paths import COLLABORATORS, INTERVENTION_TYPE, INVESTIGATOR, LEAD_SPONSOR, REFERENCES
from watcher.core.texts.quantities import numbers_changed
from watcher.core.texts.title_words import design_words
from watcher.core.weights.date_words import Milestone
from watcher.core.weights.rule import Rule, at, below, everywhere, like, rule
from watcher.core.weights.step import ENROLLMENT, LAST_KNOWN_STATUS, STATUS, WHY_STOPPED, Step, is_industry
from watcher.core.weights.weight import Weight
from watcher.model import Difference, How, Place, Severity

STUDY_DATES = tuple(Milestone)
_DMC = "protocolSection.oversightModule.oversightHasDmc"
_SHARING = "protocolSection.ipdSharingStatementModule.ipdSharing"
_REGULATED = tuple(f"protocolSection.oversightModule.isFdaRegulated{product}" for product in ("Drug", "Device"))
_OFFICIAL_TITLE = "protocolSection.identificationModule.officialTitle"
_NAME_KEYS = {LEAD_SPONSOR: company_key, INVESTIGATOR: person_key}  # what is the same for spellings of one name
# A text in which figures are what counts: doses, ages, limits, times.
_PRIMARY_MEASURE = "protocolSection.outcomesModule.primaryOutcomes[].measure"
_FIGURES = re.compile(
    r"(armGroups|interventions)\[\]\.description$|armGroups\[\]\.label$|Outcomes\[\]\.(measure|timeFrame|description)$"
    r"|eligibilityCriteria$|officialTitle$"
)


@rule(at(STATUS))
def status(difference: Difference, step: Step, weight: Weight, table: FieldTable) -> Weight:
    """T1: the table of transitions; from Unknown back to what was last known is minor, to anything else major."""
    transition = table.rules.statuses.get((str(difference.old), str(difference.new)))
    if transition is None:
        return weight
    severity = transition.severity
    known = value_at(step.before, LAST_KNOWN_STATUS)
    if difference.old == "UNKNOWN" and severity is Severity.MINOR and known not in {None, difference.new}:
        severity = Severity.MAJOR
    return weight.says("T1", severity)


@rule(at(WHY_STOPPED, LAST_KNOWN_STATUS))
def reason(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """T2: a reason for stopping belongs to its status; alone it is major."""
    if step.status_moved:
        return weight.says("T2", weight.severity, Place.CLAUSE)
    return weight.says("T2", Severity.MAJOR) if difference.path == WHY_STOPPED else weight


@rule(at(*(f"{date}.{leaf}" for date in STUDY_DATES for leaf in ("date", "type"))))
def dates(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M3 to M5: a date and its type are weighed together."""
    verdict = step.milestone(Milestone(difference.path.rpartition(".")[0]))
    return weight.as_judged(verdict) if verdict else weight


@rule(below(ENROLLMENT + "."))
def enrollment(_difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M6: count and type are weighed together."""
    return weight.as_judged(step.enrollment) if step.enrollment else weight


@rule(everywhere)
def flags(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """Taking back a promise or a safeguard is major; that a "No" is not said any more is one level lower."""
    if difference.how is How.REMOVED and difference.old is False:
        return weight.lowered("absent")
    if difference.path == _DMC and (difference.old, difference.new) == (True, False):
        return weight.raised_to_line("taken-back", Severity.MAJOR)
    if difference.path == _SHARING and (difference.old, difference.new) == ("YES", "NO"):
        return weight.raised_to_line("taken-back", Severity.MAJOR)
    return weight


@rule(at(REFERENCES))
def references(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """A publication's weight is its kind's: the registry links DERIVED ones by itself."""
    item = difference.new if difference.how is How.ADDED else difference.old
    found = item if isinstance(item, dict) else {}
    if difference.how is How.ADDED and found.get("retractions"):
        return weight.raised_to_line("reference", Severity.CRITICAL)
    kind = found.get("type")
    if kind == "DERIVED":
        return weight.says("reference", Severity.NOISE)
    return weight.raised_to_line("reference", Severity.MAJOR if kind == "RESULT" else Severity.MINOR)


@rule(everywhere)
def renamed(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """What has another name is the same thing; so is a sponsor in another spelling, a person with another degree.

    Where the table finds nothing to tell in a name, as in a link's label, another one is nothing to tell either.
    """
    if difference.how is How.RENAMED:
        return weight if weight.silent else weight.says("renamed", Severity.MINOR)
    key = _NAME_KEYS.get(difference.path)
    old, new = difference.old, difference.new
    if key and isinstance(old, str) and isinstance(new, str) and key(old) == key(new):
        return weight.says("renamed", Severity.MINOR)
    return weight


@rule(at(INTERVENTION_TYPE))
def recoded(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """An intervention that keeps its name and is of another type now: a drug that is called a biological."""
    if difference.how is not How.CHANGED:
        return weight
    kept = difference.item is not None and folded(difference.item) in step.kept_interventions
    return weight.says("recoded", Severity.MINOR) if kept else weight


@rule(at(*_REGULATED))
def regulated(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """A study that is not of a regulated product any more, when it may owe its results as one."""
    lost = (difference.old, difference.new) == (True, False)
    return weight.raised_to_line("regulated", Severity.CRITICAL) if lost and step.primary_completion_reached else weight


@rule(at(COLLABORATORS))
def industry(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """The first collaborator of the industry."""
    if difference.how is not How.ADDED or step.has_industry_collaborator:
        return weight
    return weight.raised_to_line("industry", Severity.MAJOR) if is_industry(difference.new) else weight


@rule(at(_OFFICIAL_TITLE))
def title(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """An official title that says another phase, another blinding or another comparator."""
    old, new = difference.old, difference.new
    if weight.silent or not isinstance(old, str) or not isinstance(new, str):
        return weight
    return weight.raised_to_line("title", Severity.MAJOR) if design_words(old) != design_words(new) else weight


@rule(like(_FIGURES))
def figures(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M10: figures that change in a text raise it to major."""
    old, new = difference.old, difference.new
    if weight.silent or not isinstance(old, str) or not isinstance(new, str):
        return weight
    return weight.raised_to_line("M10", Severity.MAJOR) if any(numbers_changed(old, new)) else weight


@rule(everywhere)
def doubt(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """Whether it is the same outcome at all is not sure: readers are asked to check, and a primary one is critical."""
    if not difference.doubtful:
        return weight
    severity = Severity.CRITICAL if difference.path == _PRIMARY_MEASURE else weight.severity
    return weight.says("doubtful", severity)


VALUES: tuple[Rule, ...] = (
    status,
    reason,
    dates,
    enrollment,
    flags,
    regulated,
    references,
    industry,
    renamed,
    recoded,
    title,
    figures,
    doubt,
)
