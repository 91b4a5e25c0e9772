"""A rule of weighing, and the paths that it can speak of.  Pure.

Most rules speak of few fields.  Which ones speak of a path is told once for each path, not once for each difference:
hundreds of items come with posted results.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from watcher.core.fields import FieldTable
from watcher.core.weights.step import Step
from watcher.core.weights.weight import Weight
from watcher.model import Difference

Weigh = Callable[[Difference, Step, Weight, FieldTable], Weight]
Concerns = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        weigh: takes a difference, the step that it belongs to, the weight so far and the field table, and returns the
            weight: the same one where the rule does not apply.
        concerns: whether it may apply to differences at a path; asked once, so the path alone decides.
    """

    weigh: Weigh
    concerns: Concerns


def rule(*concerns: Concerns) -> Callable[[Weigh], Rule]:
    """Make a function the rule for the paths that any of these knows."""
    return lambda weigh: Rule(weigh, lambda path: any(knows(path) for knows in concerns))


def at(*paths: str) -> Concerns:
    return frozenset(paths).__contains__


def below(*prefixes: str) -> Concerns:
    return lambda path: path.startswith(prefixes)


def like(pattern: re.Pattern[str]) -> Concerns:
    """Know the paths in which a pattern is found."""
    return lambda path: pattern.search(path) is not None


def everywhere(_path: str) -> bool:
    return True
