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
from watcher.core.weights.circumstances import CIRCUMSTANCES
from watcher.core.weights.meaningless import MEANINGLESS
from watcher.core.weights.rule import Rule
from watcher.core.weights.step import Step
from watcher.core.weights.values import VALUES
from watcher.core.weights.weight import Weight
from watcher.model import Difference

_PATHS_REMEMBERED = 2_048  # a registry gone mad sends any number of them; the schema has 345


def judge(difference: Difference, step: Step, table: FieldTable) -> Weight:
    """Return the severity and the place of one difference, with the codes of the rules that made them."""
    section = better_section(difference, step.before)
    row = table.rule(section)
    weight = Weight(severity=row.severity, place=row.place, rules=("field",))
    if row.path == UNKNOWN_FIELD:
        weight = weight.says("unclassified", row.severity)
    elif section != difference.path:
        weight = weight.says("outcome", row.severity)
    if row.overridden:
        weight = weight.says("override", row.severity)
    for rule in _rules_for(difference.path, overridden=row.overridden):
        weight = rule.weigh(difference, step, weight, table)
    return weight.put(row.place) if row.placed else weight


@lru_cache(maxsize=_PATHS_REMEMBERED)
def _rules_for(path: str, *, overridden: bool) -> tuple[Rule, ...]:
    rules = MEANINGLESS if overridden else (*VALUES, *CIRCUMSTANCES, *MEANINGLESS)
    return tuple(rule for rule in rules if rule.concerns(path))
