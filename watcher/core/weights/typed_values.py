"""A value that the registry gives a type, actual or estimated, in words: what dates and enrollments share.  Pure.

Does not say what a change of one means: see ``date_words.py`` and ``enrollment.py``.
"""

from watcher.core.text import one_line
from watcher.core.weights.verdict import Verdict
from watcher.model import Json, Severity

ACTUAL, ESTIMATED = "ACTUAL", "ESTIMATED"
LONGEST_VALUE = 60  # characters of what should be a date or a number
_TYPES = {ACTUAL: "actual", ESTIMATED: "estimated"}


def value_in_words(value: Json) -> str:
    """Return a value as it stands in the record, cut where it is no value of its kind."""
    if isinstance(value, dict | list):
        return "several values"
    return one_line(str(value), LONGEST_VALUE) or "empty"


def type_in_words(kind: Json) -> str:
    """Return a type in words, "" where none is given."""
    return _TYPES.get(kind, value_in_words(kind)) if isinstance(kind, str) else ""


def with_type(value: str, kind: Json) -> str:
    """Return a value, already in words, with its type behind it: ``2026-03 (estimated)``."""
    words = type_in_words(kind)
    return f"{value} ({words})" if words else value


def without_rule(sentence: str, severity: Severity) -> Verdict:
    """Return the verdict on what came, went or cannot be read: no rule about sizes speaks."""
    return Verdict(headline=sentence, sentence=sentence, severity=severity, rules=())
