"""What a rule says of one change: its words, its weight and the rule's name.  Pure; decides nothing."""

from dataclasses import dataclass

from watcher.model import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    headline: str  # for subjects
    sentence: str
    severity: Severity
    rules: tuple[str, ...]  # names as in the domain rules, "M3"; empty = only the field table spoke
