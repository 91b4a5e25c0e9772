"""How much does a difference weigh, and where in a digest does it stand?  Pure.

The field table speaks first.  Then come the rules that look at the values and at the rest of the step; each one that
has something to say leaves its code.  A severity that the settings give to a field stands, but for the rules that find
no meaning in a difference at all; a place that they give stands always.

Severity is triage, not a finding: nothing here says that somebody did wrong.

Source: domain rules T1 and M1 to M10, as ``docs/changes.md`` states them.
"""

from functools import lru_cache

from watcher.core.fields import UNKNOWN_FIELD, FieldTable
from watcher.core.items.outcomes import better_section
from watcher.core.paths import PATHS_REMEMBERED
from watcher.core.weights.circumstances import CIRCUMSTANCES
from watcher.core.weights.meaningless import MEANINGLESS
from watcher.core.weights.rule import Rule
from watcher.core.weights.step import Step
from watcher.core.weights.values import VALUES
from watcher.core.weights.weight import Weight
from watcher.model import Difference, FieldRule


class Judge:
    """Judges the differences of one step; what their paths alone decide, once for each path."""

    def __init__(self, step: Step, table: FieldTable) -> None:
        self._step = step
        self._table = table
        self._openings: dict[tuple[str, str], tuple[FieldRule, Weight, tuple[Rule, ...]]] = {}

    def __call__(self, difference: Difference) -> Weight:
        """Return the severity and the place of one difference, with the codes of the rules that made them."""
        at = difference.path, better_section(difference, self._step.before)
        opening = self._openings.get(at)
        if opening is None:
            opening = self._openings[at] = self._opening(*at)
        row, weight, rules = opening
        for rule in rules:
            weight = rule.weigh(difference, self._step, weight, self._table)
        return weight.put(row.place) if row.placed else weight

    def _opening(self, path: str, section: str) -> tuple[FieldRule, Weight, tuple[Rule, ...]]:
        """Return the row of the field table, what it says, and the rules that may speak after it."""
        row = self._table.rule(section)
        weight = Weight(severity=row.severity, place=row.place, rules=("field",))
        if row.path == UNKNOWN_FIELD:
            weight = weight.says("unclassified", row.severity)
        elif section != path:
            weight = weight.says("outcome", row.severity)
        if row.overridden:
            weight = weight.says("override", row.severity)
        return row, weight, _rules_for(path, overridden=row.overridden)


@lru_cache(maxsize=PATHS_REMEMBERED)
def _rules_for(path: str, *, overridden: bool) -> tuple[Rule, ...]:
    rules = MEANINGLESS if overridden else (*VALUES, *CIRCUMSTANCES, *MEANINGLESS)
    return tuple(rule for rule in rules if rule.concerns(path))
