"""What the rules say of one difference so far: how much it weighs, where it stands.  Pure."""

from dataclasses import dataclass, replace
from typing import Self

from watcher.core.weights.verdict import Verdict
from watcher.model import Place, Severity

_LEVELS = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    severity: Severity
    place: Place
    rules: tuple[str, ...]  # codes, in the order in which they spoke

    def says(self, code: str, severity: Severity, place: Place | None = None) -> Self:
        """Return the weight that a rule decides on."""
        return replace(self, severity=severity, place=place or self.place, rules=(*self.rules, code))

    def lowered(self, code: str, place: Place | None = None) -> Self:
        """Return the weight one level lower, but not as noise: a rule about circumstances takes nothing away."""
        lower = _LEVELS[min(self.severity.rank + 1, Severity.MINOR.rank)]
        return self.says(code, max(self.severity, lower, key=lambda severity: severity.rank), place)

    def raised_to_line(self, code: str, severity: Severity) -> Self:
        """Return the weight with at least this severity, and a line of its own."""
        return self.says(code, min(self.severity, severity, key=lambda one: one.rank), Place.LINE)

    def put(self, place: Place) -> Self:
        """Return the weight at a place that the settings say."""
        return self if place is self.place else replace(self, place=place, rules=(*self.rules, "override"))

    def as_judged(self, verdict: Verdict) -> Self:
        """Return what a rule says that weighs and words at once; it has a line of its own."""
        rules = verdict.rules or ("value",)
        return replace(self, severity=verdict.severity, place=Place.LINE, rules=(*self.rules, *rules))

    @property
    def silent(self) -> bool:
        return self.severity is Severity.NOISE or self.place in (Place.FOOTER, Place.HIDDEN)
