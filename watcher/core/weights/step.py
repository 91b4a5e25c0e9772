"""One step of a record, from one version to the next: what a single difference does not say by itself.  Pure.

Who made it, whether recruitment closed with it, whether results came with it, where the study stood.  A partial record
answers as far as it goes; what it does not say counts as not so.

Sources: the registry's data element definitions; domain rules M1, M2, M7 and M8 as ``docs/changes.md`` states them.
"""

from dataclasses import dataclass
from functools import cached_property

from watcher.core.fields import value_at
from watcher.core.items.names import folded
from watcher.core.items.places import country_key
from watcher.core.paths import COLLABORATORS
from watcher.core.text import one_line
from watcher.core.weights.date_words import Milestone, TypedDate, tell_date
from watcher.core.weights.enrollment import Enrollment, tell_enrollment
from watcher.core.weights.typed_values import ACTUAL
from watcher.core.weights.verdict import Verdict
from watcher.model import Json

STATUS_MODULE = "protocolSection.statusModule."
STATUS = STATUS_MODULE + "overallStatus"
WHY_STOPPED = STATUS_MODULE + "whyStopped"
LAST_KNOWN_STATUS = STATUS_MODULE + "lastKnownStatus"
RESULTS_POSTED_ON = STATUS_MODULE + "resultsFirstPostDateStruct.date"
ENROLLMENT = "protocolSection.designModule.enrollmentInfo"
HAS_RESULTS = "hasResults"

OPEN = frozenset({"RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION"})
STOPS = frozenset({"SUSPENDED", "TERMINATED", "WITHDRAWN"})
WITHHELD = "WITHHELD"
_UPDATE_DATES = (STATUS_MODULE + "lastUpdateSubmitDate", STATUS_MODULE + "lastUpdatePostDateStruct.date")


@dataclass(frozen=True)
class Step:
    """Two successive versions of a record, decoded, whole or partial."""

    before: Json
    after: Json

    def moved(self, path: str) -> bool:
        """Whether what stands at a path through objects differs."""
        return bool(value_at(self.before, path) != value_at(self.after, path))

    @cached_property
    def by_registry(self) -> bool:
        """Whether the registry made it: there are update dates, and none has moved."""
        dated = any(value_at(self.after, path) is not None for path in _UPDATE_DATES)
        return dated and not any(self.moved(path) for path in _UPDATE_DATES)

    @cached_property
    def status(self) -> tuple[str, str]:
        """The overall status before and after; "" where there is none."""
        old, new = value_at(self.before, STATUS), value_at(self.after, STATUS)
        return old if isinstance(old, str) else "", new if isinstance(new, str) else ""

    @cached_property
    def status_moved(self) -> bool:
        return self.moved(STATUS)

    @cached_property
    def recruitment_closed(self) -> bool:
        """Whether the study recruited, or was last known to do so, and does not any more."""
        old, new = self.status
        known = value_at(self.before, LAST_KNOWN_STATUS) if old == "UNKNOWN" else old
        return bool(new) and known in OPEN and new not in OPEN

    @cached_property
    def recruitment_opened(self) -> bool:
        old, new = self.status
        return bool(old) and old not in OPEN and new in OPEN

    @cached_property
    def withheld(self) -> bool:
        """Whether the registry put a placeholder in the record's place with it, or the record in a placeholder's."""
        return all(self.status) and self.status[0] != self.status[1] and WITHHELD in self.status

    @cached_property
    def results_posted(self) -> bool:
        """Whether results became public with it, with or without passed quality control.

        A record that does not say whether it has some has none.
        """
        return value_at(self.after, HAS_RESULTS) is True and value_at(self.before, HAS_RESULTS) in (False, None)

    @cached_property
    def results_removed(self) -> bool:
        return value_at(self.before, HAS_RESULTS) is True and value_at(self.after, HAS_RESULTS) in (False, None)

    @cached_property
    def quality_control_passed(self) -> bool:
        """Whether results that had been posted with comments have passed quality control with it."""
        stood = value_at(self.before, HAS_RESULTS) is True and value_at(self.after, HAS_RESULTS) is True
        first = value_at(self.before, RESULTS_POSTED_ON) is None and value_at(self.after, RESULTS_POSTED_ON) is not None
        return stood and first

    @cached_property
    def newly_reported(self) -> frozenset[str]:
        """The titles of outcomes that stood among the results without values, and have some now."""
        old, new = _reporting(self.before), _reporting(self.after)
        return frozenset(
            one_line(title)
            for title, status in new.items()
            if status == "POSTED" and old.get(title, status) == "NOT_POSTED"
        )

    @cached_property
    def renamed_interventions(self) -> frozenset[str]:
        """The old and the new names, folded, of interventions that go by one of their other names now.

        Either the old one stands among the other names now, or the new one did.
        """
        old, new = _interventions(self.before), _interventions(self.after)
        gone, come = old.keys() - new.keys(), new.keys() - old.keys()
        pairs = [(was, now) for was in gone for now in come if was in new[now] or now in old[was]]
        return frozenset(name for pair in pairs for name in pair)

    @cached_property
    def kept_interventions(self) -> frozenset[str]:
        """The folded names of interventions that stand in it before and after."""
        return frozenset(_interventions(self.before).keys() & _interventions(self.after).keys())

    @cached_property
    def has_industry_collaborator(self) -> bool:
        """Whether somebody of the industry collaborated before it."""
        listed = value_at(self.before, COLLABORATORS.removesuffix("[]"))
        return isinstance(listed, list) and any(map(is_industry, listed))

    @cached_property
    def enrollment(self) -> Verdict | None:
        """What a change of the enrollment means; None where there is none."""
        old, new = (value_at(record, ENROLLMENT) for record in (self.before, self.after))
        return tell_enrollment(
            Enrollment(count=value_at(old, "count"), type=value_at(old, "type")),
            Enrollment(count=value_at(new, "count"), type=value_at(new, "type")),
        )

    def milestone(self, milestone: Milestone) -> Verdict | None:
        """What a change of one of the study's dates means; None where there is none."""
        old, new = (value_at(record, milestone) for record in (self.before, self.after))
        return tell_date(
            milestone,
            TypedDate(date=value_at(old, "date"), type=value_at(old, "type")),
            TypedDate(date=value_at(new, "date"), type=value_at(new, "type")),
        )

    @cached_property
    def countries(self) -> tuple[frozenset[str], frozenset[str]]:
        """The countries of the locations before and after, by their keys: see ``places.py``."""
        return _countries(self.before), _countries(self.after)

    @cached_property
    def before_start(self) -> bool:
        """Whether the study had not begun, before and after, as far as status and start date say."""
        started = any(value_at(record, f"{Milestone.START}.type") == "ACTUAL" for record in (self.before, self.after))
        return self.status == ("NOT_YET_RECRUITING", "NOT_YET_RECRUITING") and not started

    @cached_property
    def after_recruitment(self) -> bool:
        """Whether recruitment was over, before and after."""
        return all(status in {"ACTIVE_NOT_RECRUITING", "COMPLETED", "TERMINATED"} for status in self.status)

    @cached_property
    def primary_completion_reached(self) -> bool:
        """Whether the primary completion was reported as actual before it."""
        return bool(value_at(self.before, f"{Milestone.PRIMARY_COMPLETION}.type") == ACTUAL)

    @cached_property
    def after_primary_completion(self) -> bool:
        """Whether the primary completion date had been reached when the sponsor submitted this version."""
        date = value_at(self.before, f"{Milestone.PRIMARY_COMPLETION}.date")
        submitted = value_at(self.after, _UPDATE_DATES[0])
        if self.primary_completion_reached:
            return True
        # As text: a month counts as past when it is over.
        return isinstance(date, str) and isinstance(submitted, str) and date < submitted[: len(date)]


def is_industry(organization: Json) -> bool:
    """Return whether a sponsor or a collaborator is a company."""
    return bool(value_at(organization, "class") == "INDUSTRY")


def _reporting(record: Json) -> dict[str, Json]:
    outcomes = value_at(record, "resultsSection.outcomeMeasuresModule.outcomeMeasures")
    found = [one for one in outcomes if isinstance(one, dict)] if isinstance(outcomes, list) else []
    return {one["title"]: one.get("reportingStatus") for one in found if isinstance(one.get("title"), str)}


def _interventions(record: Json) -> dict[str, set[str]]:
    """Return the other names of each intervention by its name, all folded."""
    listed = value_at(record, "protocolSection.armsInterventionsModule.interventions")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    names: dict[str, set[str]] = {}
    for one in found:
        others = one.get("otherNames")
        if isinstance(one.get("name"), str):
            names[folded(one["name"])] = (
                {folded(name) for name in others if isinstance(name, str)} if isinstance(others, list) else set()
            )
    return names


def _countries(record: Json) -> frozenset[str]:
    locations = value_at(record, "protocolSection.contactsLocationsModule.locations")
    listed = locations if isinstance(locations, list) else []
    found = (location.get("country") for location in listed if isinstance(location, dict))
    return frozenset(country_key(name) for name in found if isinstance(name, str))
