"""Which differences does one sentence tell?  Pure.

A story is a group of differences of one record that a reader takes as one event: a status with its reason, a date with
its type, results with their documents, a number of sites added at once.
"""

import re
from collections.abc import Iterable, Sequence

from watcher.core.privacy import is_contact_path
from watcher.model import Difference, How

STATUS = "protocolSection.statusModule.overallStatus"
WHY_STOPPED = "protocolSection.statusModule.whyStopped"
LAST_KNOWN_STATUS = "protocolSection.statusModule.lastKnownStatus"
HAS_RESULTS = "hasResults"
SUBMISSION_EVENTS = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents[]"
LOCATIONS = "protocolSection.contactsLocationsModule.locations[]"
DOCUMENTS = "documentSection.largeDocumentModule.largeDocs[]"
ENROLLMENT = "protocolSection.designModule.enrollmentInfo"
CONTACTS = "contacts"
RESULTS = "results"
SUBMISSION = "submission"

_SUBMISSION_PREFIXES = (
    "annotationSection.annotationModule.unposted",
    "derivedSection.miscInfoModule.submissionTracking",
)
_RESULTS_PREFIXES = ("resultsSection.", "documentSection.", "protocolSection.statusModule.resultsFirst")
_STRUCT = re.compile(r"^(.*(?:DateStruct|enrollmentInfo|maskingInfo))\.")
_MODULE_OF_MANY = re.compile(r"^((?:resultsSection|derivedSection)\.\w+)[.\[]")


def group_into_stories(found: Sequence[Difference]) -> list[tuple[str, list[Difference]]]:
    """Return the stories in the order of their first difference, each with its key."""
    results_flip = any(difference.path == HAS_RESULTS for difference in found)
    stories: dict[str, list[Difference]] = {}
    for difference in found:
        stories.setdefault(_key(difference, results_flip=results_flip), []).append(difference)
    return list(stories.items())


def _key(difference: Difference, *, results_flip: bool) -> str:
    path = difference.path
    if is_contact_path(path):
        return CONTACTS
    if path in {STATUS, WHY_STOPPED, LAST_KNOWN_STATUS}:
        return STATUS
    if path == HAS_RESULTS or (results_flip and _starts(path, (*_RESULTS_PREFIXES, *_SUBMISSION_PREFIXES))):
        return RESULTS
    if _starts(path, _SUBMISSION_PREFIXES):
        return SUBMISSION
    for pattern in (_STRUCT, _MODULE_OF_MANY):
        if match := pattern.match(path):
            return match[1]
    return _list_key(difference)


def _list_key(difference: Difference) -> str:
    """Items that came or went together are one story; so are equal changes at many sites; other items stand alone."""
    path, how = difference.path, difference.how
    if path.endswith("[]") and isinstance(difference.new if how is How.ADDED else difference.old, dict):
        return f"{path} {how}"
    if path == LOCATIONS + ".status":
        return f"{path} {difference.old} {difference.new}"
    if "[]." in path:
        return f"{path} {difference.item}"
    return path


def _starts(path: str, prefixes: Iterable[str]) -> bool:
    return path.startswith(tuple(prefixes))
