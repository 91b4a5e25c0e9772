"""The measurements as Markdown, each with its goal beside it.  Does not measure.

Prints paths, NCT IDs and counts, never a value of a record.
"""

from collections.abc import Iterator, Sequence

from tests.accuracy.days import Days, Sites
from tests.accuracy.history import (
    CASES,
    Paths,
    Told,
    outcomes_beside,
    share_of_own_lines,
    stories_of_results,
    told_of_case,
)
from tests.accuracy.scoring import Disagreement, Fault, Tally
from tests.accuracy.speed import Longest, Race
from tests.unit.outcome_cases import GROUPS, cases, score, score_of_major_changes
from watcher.model import Place

SHARE_GOAL = 0.2
LONGEST_GOAL = 0.05  # CPU seconds

_PAPERS = (
    ("character similarity from 0.5 on, in published research", 0.55, 0.79),
    ("character similarity from 0.3 on", 0.67, 0.71),
)


def days_section(found: Days, sites: Sites) -> Iterator[str]:
    """Write what the recorded days say."""
    score = found.score
    yield "## Told, and what should have been"
    yield ""
    yield (
        f"{found.steps} steps of {found.days} recorded days, replayed through the whole pipeline. Every"
        " difference was judged"
        " by hand (`tests/accuracy/verdicts.tsv`, and `tests/accuracy/README.md` for how it is counted), by"
        " one reader who"
        " saw the program's answers: a check against slips, not a blind trial."
    )
    yield ""
    yield "| | precision | recall | right | invented | missed | goal |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    yield _tally("a path of a step", score.units)
    yield _tally("a line", score.lines)
    yield ""
    yield (
        f"Severity as judged: {score.same_severity} of {score.lines.right} lines. Not scored:"
        f" {score.undecided} lines whose"
        f" verdict is not firm. Without a verdict: {score.outside} lines. Verdicts of other days: {score.not_played}."
    )
    yield f"{found.changes:,} changes, {found.told:,} told, in {found.lines:,} lines of digests."
    yield ""
    for fault in Fault:
        yield from _listed(fault, [one for one in score.disagreements if one.fault is fault])
    yield "## Locations"
    yield ""
    yield "| lines about locations in these steps | |"
    yield "|---|---:|"
    yield f"| ours, of which told | {sites.ours:,}, {sites.told:,} |"
    yield f"| compared by name and place | {sites.by_key:,} |"
    yield f"| compared by position | {sites.by_position:,} |"
    yield ""


def history_section(paths: Paths, told: Sequence[Told]) -> Iterator[str]:
    """Write what the registry's record history says."""
    known = [step for step in told if step.patch.both_values]
    changes = sum(len(step.changes) for step in known)
    lines = sum(step.lines for step in known)
    strict = sum(change.told and change.place is Place.LINE for step in known for change in step.changes)
    yield "## The registry's own record history"
    yield ""
    yield (
        f"{len(told)} patches between adjacent versions, {paths.operations:,} operations on {paths.values:,} values."
        " A patch says only what differs, by position in lists; `tests/accuracy/patches.py` says what is"
        " rebuilt of both"
        f" versions. {len(known)} patches have old and new values."
    )
    yield ""
    unknown = ", ".join(f"`{path}` ({count})" for path, count in sorted(paths.unclassified.items()))
    yield f"- Paths that neither the field table nor the schema knows: {unknown or 'none'} (goal: none)."
    yield (
        f"- Lines of their own: {lines:,} for {changes:,} changes, {_percent(share_of_own_lines(known))}"
        " (goal: under 20 %)."
        " Counted: the sentences that a digest gives a line to, divided by the changes, one for each leaf or"
        " item, of the"
        f' {len(known)} patches with both values; clauses of the "Also:" line and what is not told have none.'
    )
    yield (
        f"- By the field table alone, {_percent(paths.share_of_lines)} of the values in all operations stand"
        " in fields that"
        " have a line of their own."
    )
    yield (
        f"- {_percent(strict / changes)} of the same changes are in one of these sentences, most of them"
        " counted: patches by"
        " position make whole lists of sites differ."
    )
    yield from _postings([step for step in told if step.patch.posts_results])
    yield ""
    yield from _cases(told)


def _postings(posted: Sequence[Told]) -> Iterator[str]:
    single = sum(stories_of_results(step) == 1 for step in posted)
    beside = sum(map(outcomes_beside, posted))
    yield (
        f"- Postings of results: {len(posted)}, told in one sentence: {single} (goal: all). Edits of outcomes"
        " told beside it"
        f" that should be part of it: {beside}."
    )


def _cases(told: Sequence[Told]) -> Iterator[str]:
    yield "The cases of the domain rules that are in the file; of two patches of one step the one with both values:"
    yield ""
    yield "| case | step | operations | changes | lines | clauses | not told | worst | what the rules ask | so |"
    yield "|---|---|---:|---:|---:|---:|---:|---|---|---|"
    for case in CASES:
        for step in told_of_case(case, told):
            version, patch = step.version, step.patch
            yield (
                f"| {case.name} | {patch.nct_id} {patch.version}→{patch.version + 1} | {len(patch.operations):,}"
                f" | {len(step.changes):,} | {step.lines} | {len(version.clauses)} | {version.not_told} | {step.worst}"
                f" | {case.asks} | {'yes' if case.holds(step) else '**no**'} |"
            )
    yield ""


def outcomes_section() -> Iterator[str]:
    """Write how the outcome measures of invented trials are matched."""
    yield "## Outcome measures"
    yield ""
    yield (
        f"{len(cases())} invented cases with what an expert calls them (`tests/unit/outcome_cases.toml`,"
        " which says when each"
        " group was written). A major change is a primary outcome added, removed, promoted or demoted. Properties (no"
        " difference from itself, order does not matter, what is applied gives the later version, a swap is"
        " found) are tests:"
        " `tests/unit/test_outcome_matching.py`."
    )
    yield ""
    yield "| | outcomes: precision | recall | major changes: precision | recall |"
    yield "|---|---:|---:|---:|---:|"
    for group in GROUPS:
        some = [case for case in cases() if case.group == group]
        every, major = score(some), score_of_major_changes(some)
        figures = (every.precision, every.recall, major.precision, major.recall)
        yield f"| {group} group, {len(some)} cases | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |"
    for name, precision, recall in _PAPERS:
        yield f"| *for comparison, other data:* {name} | | | {precision:.2f} | {recall:.2f} |"
    yield ""


def speed_section(races: Sequence[Race], longest: Sequence[Longest], source: str) -> Iterator[str]:
    """Write what comparing costs."""
    yield "## Speed"
    yield ""
    yield (
        f"CPU time of a comparison with its sentences, and of DeepDiff(ignore_order=True) on the same whole"
        f" records. {source}"
    )
    yield ""
    yield (
        "| comparison | record, kB | changes | ours, ms | DeepDiff, ms | times faster | goal | differences"
        " alone, ms | times |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for race in races:
        yield (
            f"| {race.name} | {race.size / 1000:.0f} | {race.changes:,} | {race.ours * 1000:.1f} |"
            f" {race.whole * 1000:.0f}"
            f" | {race.times:.0f} | {race.goal} | {race.bare * 1000:.1f} | {race.whole / race.bare:.0f} |"
        )
    yield ""
    yield '"Differences alone" is what DeepDiff does too: without weights, names of changes and sentences.'
    yield ""
    for race in races:
        if race.times < race.goal:
            yield (
                f"**The goal is missed** for {race.name}: {race.times:.0f} times of {race.goal}. Each of its"
                f" {race.changes:,} changes is weighed, named and worded, which DeepDiff does not do."
            )
            yield ""
    yield "| the slowest of | comparisons | CPU ms | goal |"
    yield "|---|---:|---:|---:|"
    for one in longest:
        missed = " (missed)" if one.seconds > LONGEST_GOAL else ""
        yield f"| {one.name} | {one.comparisons:,} | {one.seconds * 1000:.1f}{missed} | {LONGEST_GOAL * 1000:.0f} |"
    yield ""


def _tally(name: str, tally: Tally) -> str:
    figures = f"{tally.precision:.3f} | {tally.recall:.3f} | {tally.right} | {tally.invented} | {tally.missed}"
    return f"| {name} | {figures} | 1, 1 |"


def _listed(fault: Fault, found: Sequence[Disagreement]) -> Iterator[str]:
    if not found:
        return
    names = {Fault.MISSED: "Missed", Fault.INVENTED: "Invented", Fault.OTHER_SEVERITY: "Another severity"}
    yield f"{names[fault]}:"
    yield ""
    for one in found:
        day, nct_id, path, how = one.unit
        yield f"- {day} {nct_id} `{path}` {how or 'any'} ×{one.lines} [{one.kind}]: {one.reason}"
    yield ""


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
