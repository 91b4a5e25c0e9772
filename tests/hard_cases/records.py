"""The invented trial that the hard cases begin with, and how a case edits it.

Does not hold values of any real record.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.factories import study
from watcher.core.meaning import NOTHING
from watcher.core.words.past import Past

Json = Any

NCT = "NCT00000001"
STATUS = "protocolSection.statusModule."
DESIGN = "protocolSection.designModule."
ARMS = "protocolSection.armsInterventionsModule."
OUTCOMES = "protocolSection.outcomesModule."
ELIGIBILITY = "protocolSection.eligibilityModule."
PLACES = "protocolSection.contactsLocationsModule."
REFERENCES = "protocolSection.referencesModule.references"
MISC = "derivedSection.miscInfoModule."
EVENTS = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents"
VIOLATIONS = "annotationSection.annotationModule.violationAnnotation.violationEvents"
DOCUMENTS = "documentSection.largeDocumentModule.largeDocs"

CRITERIA = """Inclusion Criteria:

* Example disease for at least 6 months
* Body weight above 45 kg
* Able to give written consent

Exclusion Criteria:

* Pregnancy or breast feeding
* Treatment with examplomycin within 4 weeks before the first dose
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HardCase:
    """Two versions of a record, and exactly what is told of the step between them."""

    name: str  # a phrase
    before: Json
    after: Json
    told: tuple[str, ...]  # "severity: sentence" as in a digest, in its order; "also: …" for a clause
    lines: tuple[int, int]  # change lines that are told, and that are not
    stories: int  # told or not
    past: Past = NOTHING
    golden: bool = False  # whether its whole digest is kept as a file


def trial(edits: Mapping[str, Json] | None = None, **details: Any) -> Json:
    """Return the trial before its change: a recruiting one, unless ``details`` and ``edits`` say otherwise."""
    return edit(study(NCT, **details), edits or {}, by_registry=True)


def edit(record: Json, edits: Mapping[str, Json], *, by_registry: bool = False, day: str = "2026-03-20") -> Json:
    """Return a copy with other values at dotted paths (None takes a value out), and with the dates of an update.

    Args:
        record: stays as it is.
        edits: by path through objects.
        by_registry: whether no sponsor sent anything, so that the dates of the last update stay.
        day: on which an update was submitted and posted.
    """
    edited = copy.deepcopy(record)
    if not by_registry:
        _put(edited, STATUS + "statusVerifiedDate", day[:7])
        _put(edited, STATUS + "lastUpdateSubmitDate", day)
        _put(edited, STATUS + "lastUpdatePostDateStruct.date", day)
    for path, value in edits.items():
        _put(edited, path, copy.deepcopy(value))
    return edited


def site(number: int, *, status: str | None = None, country: str = "Norway", **more: Json) -> Json:
    """Return a location with a name of its own, and a contact where it has a status."""
    name = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine")[number % 10]
    place: Json = {"facility": f"{name} Hospital {number}", "city": f"{name} Town {number}", "country": country}
    if status:
        contact = {"name": f"Contact {number}", "phone": f"555-01{number:02}", "email": f"c{number}@example.org"}
        place |= {"status": status, "contacts": [contact]}
    return place | more


def outcome(measure: str, *, frame: str = "Week 24", description: str | None = None) -> Json:
    return {"measure": measure, **({"description": description} if description else {}), "timeFrame": frame}


def _put(record: Json, path: str, value: Json) -> None:
    *way, last = path.split(".")
    for key in way:
        record = record.setdefault(key, {})
    if value is None:
        record.pop(last, None)
    else:
        record[last] = value
