"""Which differences does one sentence tell?  Pure.

A story is a group of differences of one step that a reader takes as one event: a status with its reason and with what
went with it, a date with its type, results with their documents and the edits that rode on them, a number of sites
added at once.  What is not told stands in stories of its own, so that no sentence counts it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.core.differences import ITEM_SEPARATOR
from watcher.core.paths import CITY, COUNTRY, LOCATIONS
from watcher.core.privacy import is_contact_path
from watcher.core.weights.circumstances import (
    SITE_STATUS,
    comes_with_results,
    comes_with_withholding,
    is_cascade,
)
from watcher.core.weights.step import ENROLLMENT, HAS_RESULTS, LAST_KNOWN_STATUS, STATUS, WHY_STOPPED, Step
from watcher.core.weights.values import STUDY_DATES
from watcher.core.weights.weight import Weight
from watcher.model import Difference, How, Place

CONTACTS = "contacts"
RESULTS = "results"
SUBMISSION = "submission"
CERTIFICATION = "certification"
VIOLATION = "violation"
RESPONSIBLE = "protocolSection.sponsorCollaboratorsModule.responsibleParty"
ACCESS = "protocolSection.statusModule.expandedAccessInfo"
SHARING = "protocolSection.ipdSharingStatementModule"
MOVED_SITES = "moved sites"
NEWLY_REPORTED = "newly reported "  # before the title of an outcome

SUBMISSION_EVENTS = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents[]"
VIOLATION_EVENTS = "annotationSection.annotationModule.violationAnnotation.violationEvents[]"
VIOLATION_FLAG = "protocolSection.oversightModule.fdaaa801Violation"
DOCUMENTS = "documentSection.largeDocumentModule.largeDocs[]"

_UNPOSTED = "annotationSection.annotationModule.unposted"
_TRACKING = "derivedSection.miscInfoModule.submissionTracking"
# A flag and what stands beside it, a log of events and the dates that repeat it: each is one event.
_TOLD_TOGETHER = (
    (_UNPOSTED, SUBMISSION),
    (_TRACKING, SUBMISSION),
    ("protocolSection.statusModule.dispFirst", CERTIFICATION),
    ("annotationSection.annotationModule.violationAnnotation.", VIOLATION),
    (VIOLATION_FLAG, VIOLATION),
    (f"{RESPONSIBLE}.", RESPONSIBLE),
    (f"{ACCESS}.", ACCESS),
    (f"{SHARING}.", SHARING),
)
_RESULTS_PREFIXES = ("resultsSection.", "documentSection.", "protocolSection.statusModule.resultsFirst")
REPORTED_OUTCOMES = "resultsSection.outcomeMeasuresModule.outcomeMeasures[]"
_STRUCT = re.compile(r"^(.*(?:DateStruct|enrollmentInfo|maskingInfo))\.")
_RESULTS_MODULE = re.compile(r"^((?:resultsSection|derivedSection)\.\w+)[.\[]")
# Lists in which one item often takes the place of another.
_EXCHANGED = frozenset(
    {
        "protocolSection.contactsLocationsModule.overallOfficials[]",
        "protocolSection.sponsorCollaboratorsModule.collaborators[]",
    }
)
# Lists whose items are told one by one, each with all that changed in it.
_BY_ITEM = re.compile(
    r"^(.*\.(?:(?:primary|secondary|other)Outcomes|armGroups|interventions|overallOfficials|largeDocs)\[\])\."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A difference, and what the rules say of it."""

    difference: Difference
    weight: Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Differences that one sentence tells."""

    key: str
    parts: Sequence[Judged]
    step: Step

    @property
    def differences(self) -> list[Difference]:
        return [part.difference for part in self.parts]


def group_into_stories(judged: Iterable[Judged], step: Step) -> list[Story]:
    """Return the stories in the order of their first difference."""
    groups: dict[tuple[str, bool], list[Judged]] = {}
    for one in judged:
        key = _key(one, step)
        groups.setdefault((key, one.weight.silent), []).append(one)
    return [Story(key=key, parts=parts, step=step) for (key, _), parts in groups.items()]


def _key(judged: Judged, step: Step) -> str:
    difference = judged.difference
    path = difference.path
    if _belongs_to_status(difference, step):
        return STATUS
    if is_contact_path(path):
        return CONTACTS
    if _belongs_to_results(difference, step):
        return RESULTS
    if told_together := next((key for prefix, key in _TOLD_TOGETHER if path.startswith(prefix)), None):
        return told_together
    if title := _newly_reported(difference, step):
        return NEWLY_REPORTED + title
    if match := _STRUCT.match(path):
        return match[1]
    if match := _RESULTS_MODULE.match(path):
        # What deserves a line of its own is not counted among the values of its module.
        return f"{match[1]} {path}" if judged.weight.place is Place.LINE else match[1]
    return _list_key(difference)


def _belongs_to_status(difference: Difference, step: Step) -> bool:
    path = difference.path
    if path in {STATUS, WHY_STOPPED, LAST_KNOWN_STATUS} or is_cascade(difference, step):
        return True
    if comes_with_withholding(difference, step):
        return True
    # A study that is withdrawn has nobody enrolled, and its dates are the day on which that was decided.
    withdrawn = step.status_moved and step.status[1] == "WITHDRAWN"
    return withdrawn and path.startswith((*STUDY_DATES, ENROLLMENT))


def _belongs_to_results(difference: Difference, step: Step) -> bool:
    path = difference.path
    if path == HAS_RESULTS or comes_with_results(difference, step):
        return True
    if step.results_posted or step.results_removed:
        return path.startswith((*_RESULTS_PREFIXES, _UNPOSTED, _TRACKING)) or "reviewUnit" in path
    if step.quality_control_passed:
        # What was corrected on the way is told beside it.
        return path.startswith((_RESULTS_PREFIXES[-1], _UNPOSTED, _TRACKING)) or "reviewUnit" in path
    return False


def _newly_reported(difference: Difference, step: Step) -> str | None:
    """Return the title of the outcome that a difference belongs to, if its results are posted now and were not."""
    if not difference.path.startswith(f"{REPORTED_OUTCOMES}.") or not difference.item:
        return None
    title = difference.item.partition(ITEM_SEPARATOR)[0]
    return title if title in step.newly_reported else None


def _list_key(difference: Difference) -> str:
    """Items that came or went together are one story; so are equal changes at many sites; other items stand alone."""
    path, how = difference.path, difference.how
    if path in _EXCHANGED:
        return path
    if path.endswith("[]"):
        return f"{path} {how}" if isinstance(difference.new if how is How.ADDED else difference.old, dict) else path
    if path == SITE_STATUS:
        return f"{path} {difference.old} {difference.new}"
    if path in {CITY, COUNTRY} and difference.moved:
        return MOVED_SITES
    if path.startswith(LOCATIONS + "."):
        return f"{path} {how}"
    if match := _BY_ITEM.match(path):
        return f"{match[1]} {difference.item}"
    return f"{path} {difference.item}" if "[]." in path else path
