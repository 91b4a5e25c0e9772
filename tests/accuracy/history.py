"""What the registry's own record history says of the comparison: every path known, results posted once, few own lines.

See ``patches.py`` for what is rebuilt of two versions, and what is not.  Measures; does not print.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.accuracy.patches import Patch, rebuilt
from tests.unit.full_records import kinds
from watcher.core.digest import Version, arrange_version
from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.model import Change, How, Place, Severity

_OF_RESULTS = (
    "hasResults",
    "resultsSection.",
    "documentSection.",
    "annotationSection.annotationModule.unposted",
    "reviewUnit",
    "protocolSection.statusModule.resultsFirst",
)
_PRIMARY = "protocolSection.outcomesModule.primaryOutcomes[]"
_SITES = "protocolSection.contactsLocationsModule.locations[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a step reads like."""

    patch: Patch
    changes: tuple[Change, ...]
    version: Version

    @property
    def lines(self) -> int:
        """How many lines of its own a digest gives to the step."""
        return len(self.version.sentences)

    @property
    def worst(self) -> Severity | None:
        told = [change.severity for change in self.changes if change.told]
        return min(told, key=lambda severity: severity.rank, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """How the field table sees the paths of all operations."""

    operations: int
    values: int  # leaves that the operations add, remove or replace
    places: Mapping[Place, int]  # of these values
    unclassified: Mapping[str, int]  # paths that neither the table nor the schema knows

    @property
    def share_of_lines(self) -> float:
        """The share of the values that the table gives a line of its own, whatever else happens in the step."""
        return self.places.get(Place.LINE, 0) / self.values


def paths_of(patches: Iterable[Patch], table: FieldTable) -> Paths:
    """Look up every path of every operation."""
    operations, places, unclassified = 0, Counter[Place](), Counter[str]()
    for patch in patches:
        for operation in patch.operations:
            operations += 1
            for path in operation.field_paths:
                rule = table.rule(path)
                places[rule.place] += 1
                # A section whose values the file does not say: its fields are classified one by one.
                if rule.category == "unclassified" and kinds().get(path) != "branch":
                    unclassified[path] += 1
    return Paths(operations=operations, values=places.total(), places=places, unclassified=unclassified)


def tell(patch: Patch, table: FieldTable) -> Told:
    """Compare the two versions that a patch lies between, as far as it says what they hold."""
    changes = compare(*rebuilt(patch), table)
    return Told(patch=patch, changes=changes, version=arrange_version(changes, "2026-03-02"))


def share_of_own_lines(told: Iterable[Told]) -> float:
    """Return how many lines a digest gives to how many changes: lines, divided by change lines."""
    steps = list(told)
    return sum(step.lines for step in steps) / sum(len(step.changes) for step in steps)


def stories_of_results(told: Told) -> int:
    """Return in how many sentences and clauses a digest speaks of results."""
    stories = {change.story for change in told.changes if change.told and change.path.startswith(_OF_RESULTS)}
    return len(stories)


def outcomes_beside(told: Told) -> int:
    """Return how many told changes of outcomes stand outside the sentence on results, and should be folded into it.

    A primary outcome that is added, dropped, promoted or demoted speaks for itself.
    """
    posted = {change.story for change in told.changes if change.path == "hasResults"}
    beside = [change for change in told.changes if change.told and change.story not in posted]
    edits = [change for change in beside if "outcomesModule." in change.path]
    return sum(change.path != _PRIMARY and change.how is not How.DEMOTED for change in edits)


# --- the cases of the domain rules ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A step that the domain rules, section 3.3, speak of, and what they ask for."""

    name: str
    steps: tuple[tuple[str, int], ...]  # NCT ID, and the version that it starts from
    asks: str
    holds: Callable[[Told], bool]


def _at(told: Told, leaf: str) -> list[Change]:
    return [change for change in told.changes if change.path.endswith(leaf)]


def _cascade_is_one(told: Told) -> bool:
    """Site statuses that came or went, and central contacts, are told with the overall status, and nowhere else."""
    (status,) = {change.story for change in _at(told, "Module.overallStatus")}
    came = [change for change in told.changes if change.path == f"{_SITES}.status" and change.how is not How.CHANGED]
    return {change.story for change in came if change.told} <= {status}


def _reason_is_told(told: Told) -> bool:
    """The reason stands in the sentence on the status, which is critical."""
    (status,) = _at(told, "Module.overallStatus")
    (reason,) = _at(told, "Module.whyStopped")
    said = " ".join(str(reason.new or reason.old).split())
    return status.severity is Severity.CRITICAL and status.story == reason.story and said[:60] in status.sentence


def _withdrawn(told: Told) -> bool:
    (status,) = _at(told, "Module.overallStatus")
    beside = [*_at(told, "enrollmentInfo.count"), *_at(told, "CompletionDateStruct.date")]
    return _reason_is_told(told) and all(change.story == status.story for change in beside)


def _unknown(told: Told) -> bool:
    (status,) = _at(told, "Module.overallStatus")
    return status.severity is Severity.MAJOR and status.sentence.startswith("The registry now shows")


def _one_posting(told: Told) -> bool:
    return stories_of_results(told) == 1 and outcomes_beside(told) == 0


def _says(words: str) -> Callable[[Told], bool]:
    return lambda told: any(words in one.text for one in told.version.sentences)


CASES = (
    Case(
        name="closing recruitment",
        steps=(("NCT03820063", 6), ("NCT03197935", 26), ("NCT03197935", 30)),
        asks="site statuses and contacts in the line on the status",
        holds=_cascade_is_one,
    ),
    Case(
        name="recruitment flips",
        steps=(("NCT03197935", 16), ("NCT03197935", 19), ("NCT03197935", 27), ("NCT01441947", 7), ("NCT01441947", 9)),
        asks="each flip told, and what went with it in its line",
        holds=_cascade_is_one,
    ),
    Case(name="withdrawn", steps=(("NCT04756765", 9),), asks="one critical line with all of it", holds=_withdrawn),
    Case(name="suspended", steps=(("NCT06214793", 3),), asks="status and reason critical", holds=_reason_is_told),
    Case(
        name="start moved while suspended",
        steps=(("NCT06214793", 4), ("NCT06214793", 5)),
        asks="the slip in months",
        holds=_says("Start date slipped 12 months"),
    ),
    Case(name="reopened", steps=(("NCT00165256", 7),), asks="reopened, reason removed", holds=_reason_is_told),
    Case(name="unknown", steps=(("NCT04722718", 3),), asks="worded as the registry's doing", holds=_unknown),
    Case(
        name="reasons for stopping",
        steps=(
            ("NCT02340221", 62),
            ("NCT02137252", 6),
            ("NCT03130439", 9),
            ("NCT05315687", 3),
            ("NCT05967286", 1),
        ),
        asks="critical line with status and reason",
        holds=_reason_is_told,
    ),
    Case(
        name="quality control cycle", steps=(("NCT01441947", 16),), asks="four events", holds=_says("submitted again")
    ),
    Case(name="posting after it", steps=(("NCT01441947", 17),), asks="one sentence", holds=_one_posting),
    Case(
        name="posted with comments",
        steps=(("NCT04754399", 5), ("NCT03197935", 36)),
        asks="one sentence, which says so",
        holds=lambda told: _one_posting(told) and _says("with quality control comments")(told),
    ),
    Case(
        name="quality control passed",
        steps=(("NCT03197935", 37),),
        asks="said in so many words",
        holds=_says("Results have passed quality control"),
    ),
    Case(
        name="extension rewrite",
        steps=(("NCT01357772", 5),),
        asks="grouped: fewer lines than half of its changes",
        holds=lambda told: told.lines * 2 < len(told.changes),
    ),
)


def told_of_case(case: Case, steps: Sequence[Told]) -> list[Told]:
    """Return the steps of a case that are at hand; of two patches of one step, the one with both values."""
    found: dict[tuple[str, int], list[Told]] = defaultdict(list)
    for told in steps:
        found[told.patch.nct_id, told.patch.version].append(told)
    return [max(found[step], key=lambda told: told.patch.both_values) for step in case.steps if step in found]
