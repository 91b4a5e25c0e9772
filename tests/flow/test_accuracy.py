"""The comparison keeps its promises on real records: what must be told is told, and nothing else.

Reads the corpus that ``TRIALWATCH_CORPUS`` names; none of its values stands here.  The figures, and how they are
counted, are those of ``python -m tests.accuracy``.
"""

from collections.abc import Sequence
from functools import cache

import pytest

from tests.accuracy.corpus import Corpus, default_folder
from tests.accuracy.days import measure_days, measure_sites
from tests.accuracy.history import (
    CASES,
    Case,
    Told,
    outcomes_beside,
    paths_of,
    share_of_own_lines,
    stories_of_results,
    tell,
    told_of_case,
)
from tests.accuracy.patches import Patch
from tests.accuracy.report import SHARE_GOAL
from watcher.core.fields import FieldTable
from watcher.tables import load_rules

CORPUS = Corpus(default_folder())

pytestmark = pytest.mark.corpus
needs_days = pytest.mark.skipif(
    CORPUS.days is None,
    reason=f"no recorded dataset days in {CORPUS.folder}; name a folder that has them in TRIALWATCH_CORPUS",
)
needs_history = pytest.mark.skipif(
    CORPUS.patches is None,
    reason=f"no record history in {CORPUS.folder}; name a folder that has it in TRIALWATCH_CORPUS",
)


@cache
def table() -> FieldTable:
    return FieldTable(load_rules())


def patches() -> Sequence[Patch]:
    assert CORPUS.patches is not None
    return CORPUS.patches


@cache
def told() -> tuple[Told, ...]:
    return tuple(tell(patch, table()) for patch in patches())


@needs_days
def test_everything_substantive_is_told_and_nothing_else() -> None:
    assert CORPUS.days is not None
    score = measure_days(CORPUS.days).score

    assert [one for one in score.disagreements if one.fault != "severity"] == []
    assert (score.units.precision, score.units.recall) == (1.0, 1.0)
    assert (score.lines.precision, score.lines.recall) == (1.0, 1.0)
    assert (score.outside, score.not_played) == (0, 0)


@needs_days
def test_most_of_what_is_told_has_the_severity_that_was_judged_right() -> None:
    assert CORPUS.days is not None
    score = measure_days(CORPUS.days).score

    assert score.same_severity / score.lines.right > 0.95


@needs_days
def test_locations_make_about_as_many_lines_as_names_and_places_say() -> None:
    sites = measure_sites(CORPUS.steps(), table())

    assert sites.ours < 1.05 * sites.by_key
    assert sites.ours < sites.by_position / 3


@needs_history
def test_every_path_of_the_record_history_is_classified() -> None:
    found = paths_of(patches(), table())

    assert found.operations > 30_000
    assert found.unclassified == {}


@needs_history
def test_every_posting_of_results_is_one_sentence() -> None:
    posted = [step for step in told() if step.patch.posts_results]

    assert len(posted) == 39
    assert {(step.patch.nct_id, stories_of_results(step), outcomes_beside(step)) for step in posted} == {
        (step.patch.nct_id, 1, 0) for step in posted
    }


@needs_history
def test_few_changes_get_a_line_of_their_own() -> None:
    known = [step for step in told() if step.patch.both_values]

    assert share_of_own_lines(known) < SHARE_GOAL
    assert paths_of(patches(), table()).share_of_lines < SHARE_GOAL


@needs_history
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_case_of_the_domain_rules_reads_as_they_say(case: Case) -> None:
    steps = told_of_case(case, told())

    assert len(steps) == len(case.steps)
    assert [step.patch.version for step in steps if not case.holds(step)] == []
