"""Hold the change lines of a replay against written verdicts on the same differences.  Pure.

A verdict says of the differences at one path of one step whether a reader must be told of them.  A change line belongs
to the verdict that fits it most closely.  Does not compare records, and does not judge sentences: a line counts as told
when the program says so.

Source of the verdicts: every difference in a folder of recorded days, read one by one; see README.md.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from csv import QUOTE_NONE, DictReader
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from watcher.model import Json

ANYTHING_BELOW = "**"  # at the end of a path: everything that begins so
_HASH_LENGTH = 12  # hexadecimal digits

Line = Mapping[str, Json]  # one change, as ``trialwatch replay --json`` prints it
Unit = tuple[str, str, str, str]  # day, NCT ID, path, how


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided by hand about the differences at one path of one step."""

    day: str
    nct_id: str
    path: str
    how: str  # empty = whatever happened
    item_hash: str  # empty = every item that has no verdict of its own
    lines: int  # how many differences it stands for
    told: bool
    firm: bool  # False = the other answer would do as well; not scored
    severity: str
    kind: str
    reason: str

    @property
    def unit(self) -> Unit:
        return self.day, self.nct_id, self.path, self.how


class Fault(StrEnum):
    MISSED = "missed"  # must be told, is not
    INVENTED = "invented"  # is told, must not be, or is told more often than it happened
    OTHER_SEVERITY = "severity"  # is told, with another severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    fault: Fault
    unit: Unit
    lines: int
    kind: str
    reason: str  # the verdict's


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often what is told is right, and how often what is right is told."""

    right: int
    missed: int
    invented: int

    @property
    def precision(self) -> float:
        """Return the share of what is told that must be told; 1.0 where nothing is told."""
        return _share(self.right, self.invented)

    @property
    def recall(self) -> float:
        """Return the share of what must be told that is told; 1.0 where nothing must be."""
        return _share(self.right, self.missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    lines: Tally
    units: Tally  # a unit is one path of one step, whatever the number of its lines
    same_severity: int  # of the lines that are told rightly
    disagreements: tuple[Disagreement, ...]
    undecided: int  # lines whose verdict is not firm
    outside: int  # lines of steps without a verdict, left out
    not_played: int  # verdicts of days that were not played, left out


def read_verdicts(text: Iterable[str]) -> tuple[Verdict, ...]:
    """Return the verdicts of a table, given its lines, the first of which names the columns.

    Raises:
        ValueError: a word where "yes" or "no" should stand, or a count that is none.
    """
    return tuple(
        Verdict(
            day=row["day"],
            nct_id=row["nct_id"],
            path=row["path"],
            how=row["how"],
            item_hash=row["item_hash"],
            lines=int(row["lines"]),
            told=_yes(row["told"]),
            firm=_yes(row["firm"]),
            severity=row["severity"],
            kind=row["kind"],
            reason=row["reason"],
        )
        for row in DictReader(text, delimiter="\t", quoting=QUOTE_NONE)
    )


def score(verdicts: Sequence[Verdict], lines: Iterable[Line], *, days: Collection[str]) -> Score:
    """Return how well the lines agree with the verdicts.

    Args:
        verdicts: of any days.
        lines: every change line of a replay.
        days: the days that were played.  The replay must begin where the verdicts' records were first seen.
    """
    played = [verdict for verdict in verdicts if verdict.day in days]
    by_step: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in played:
        by_step.setdefault((verdict.day, verdict.nct_id), []).append(verdict)
    told: dict[Verdict, Counter[str]] = {verdict: Counter() for verdict in played}  # severities of its told lines
    undecided = outside = 0
    for line in lines:
        step = (str(line["day"]), str(line["nct_id"]))
        if step not in by_step:
            outside += 1
            continue
        verdict = closest(by_step[step], line) or _not_foreseen(line)
        undecided += not verdict.firm
        if line["told"]:
            told.setdefault(verdict, Counter())[str(line["severity"])] += 1
    firm = {verdict: severities for verdict, severities in told.items() if verdict.firm}
    return Score(
        lines=_tally_lines(firm),
        units=_tally_units(firm),
        same_severity=sum(min(found[one.severity], one.lines) for one, found in firm.items() if one.told),
        disagreements=tuple(sorted(_disagreements(firm), key=lambda one: (one.fault, one.unit))),
        undecided=undecided,
        outside=outside,
        not_played=len(verdicts) - len(played),
    )


def closest(verdicts: Iterable[Verdict], line: Line) -> Verdict | None:
    """Return the verdict on a line: the longest path first, then one for its item, then one for what happened."""
    fitting = [verdict for verdict in verdicts if _fits(verdict, line)]
    return max(
        fitting,
        key=lambda one: (one.path == line["path"], len(one.path), bool(one.item_hash), bool(one.how)),
        default=None,
    )


def item_hash(item: str | None) -> str:
    """Return what stands for an item's words in the table, so that no value of a record does."""
    return sha256(item.encode()).hexdigest()[:_HASH_LENGTH] if item else ""


def _fits(verdict: Verdict, line: Line) -> bool:
    path = str(line["path"])
    within = verdict.path.endswith(ANYTHING_BELOW) and path.startswith(verdict.path.removesuffix(ANYTHING_BELOW))
    return (
        (within or path == verdict.path)
        and verdict.how in {"", line["how"]}
        and verdict.item_hash in {"", item_hash(line["item"])}
    )


def _not_foreseen(line: Line) -> Verdict:
    """Nobody saw this difference in the records, so a reader need not hear of it."""
    return Verdict(
        day=str(line["day"]),
        nct_id=str(line["nct_id"]),
        path=str(line["path"]),
        how=str(line["how"]),
        item_hash="",
        lines=0,
        told=False,
        firm=True,
        severity="noise",
        kind="not foreseen",
        reason="no verdict on this path of this step: no such difference was seen",
    )


def _tally_lines(told: Mapping[Verdict, Counter[str]]) -> Tally:
    faults = Counter[Fault]()
    for one in _disagreements(told):
        faults[one.fault] += one.lines
    return Tally(
        right=sum(min(severities.total(), one.lines) for one, severities in told.items() if one.told),
        missed=faults[Fault.MISSED],
        invented=faults[Fault.INVENTED],
    )


def _tally_units(told: Mapping[Verdict, Counter[str]]) -> Tally:
    judged = {one.unit for one in told}
    wanted = {one.unit for one in told if one.told}
    given = {one.unit for one, severities in told.items() if severities}
    return Tally(
        right=len(wanted & given),
        missed=len(wanted - given),
        invented=len((judged - wanted) & given),
    )


def _disagreements(told: Mapping[Verdict, Counter[str]]) -> Iterator[Disagreement]:
    for one, severities in told.items():
        wanted, given = one.lines if one.told else 0, severities.total()
        other = given - severities[one.severity] if one.told else 0
        for fault, lines in (
            (Fault.MISSED, wanted - given),
            (Fault.INVENTED, given - wanted),
            (Fault.OTHER_SEVERITY, other),
        ):
            if lines > 0:
                yield Disagreement(
                    fault=fault, unit=one.unit, lines=lines, kind=one.kind, reason=_why(one, fault, severities)
                )


def _why(verdict: Verdict, fault: Fault, severities: Counter[str]) -> str:
    if fault is Fault.OTHER_SEVERITY:
        given = ", ".join(sorted(set(severities) - {verdict.severity}))
        return f"{given} instead of {verdict.severity}: {verdict.reason}"
    if fault is Fault.INVENTED and verdict.told:
        return f"told more often than it happened: {verdict.reason}"
    return verdict.reason


def _yes(word: str) -> bool:
    if word not in {"yes", "no"}:
        raise ValueError(f"{word!r} where yes or no should stand")
    return word == "yes"


def _share(right: int, wrong: int) -> float:
    return right / (right + wrong) if right + wrong else 1.0
