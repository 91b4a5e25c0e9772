"""Show the tables that say what a change weighs, with what the settings put over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from watcher.config import Settings
from watcher.core.fields import FieldTable
from watcher.core.weights.step import STATUS
from watcher.errors import SettingsError
from watcher.model import FieldRule, Json, Severity
from watcher.tables import load_rules
from watcher.tables.overrides import categories, name_in_force

MARK = "*"  # behind what the settings say


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the field table."""

    rule: FieldRule
    severity_set_by: str | None  # the key of the settings that says it; None = the table
    place_set_by: str | None

    @property
    def overridden(self) -> bool:
        return bool(self.severity_set_by or self.place_set_by)

    def as_json(self) -> dict[str, Json]:
        rule = self.rule
        said = {"severity": rule.severity, "place": rule.place}
        set_by = {"severity_set_by": self.severity_set_by, "place_set_by": self.place_set_by}
        return {
            "kind": "field",
            "label": rule.label,
            "path": rule.path,
            "category": rule.category,
            **said,
            "overridden": self.overridden,
            **set_by,
        }

    def line(self) -> str:
        rule = self.rule
        severity = rule.severity + (MARK if self.severity_set_by else "")
        place = rule.place + (MARK if self.place_set_by else "")
        return f"{severity:<9}  {place:<7}  {rule.category:<14}  {rule.label}  {rule.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of the overall recruitment status."""

    old: str
    new: str
    words: str
    severity: Severity
    set_by: str | None

    @property
    def overridden(self) -> bool:
        return self.set_by is not None

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": "status_transition",
            "from": self.old,
            "to": self.new,
            "severity": self.severity,
            "overridden": self.overridden,
            "severity_set_by": self.set_by,
        }

    def line(self) -> str:
        return f"{self.severity + (MARK if self.set_by else ''):<9}  {self.words}"


def field_rows(settings: Settings, *, word: str | None = None, category: str | None = None) -> list[Row]:
    """Return the rows of the field table in force, in its order.

    Args:
        settings: valid.
        word: only rows with it in label or path, in whatever case.
        category: only rows of this one.

    Raises:
        SettingsError: there is no such category.
    """
    rules = settings.changes.over(load_rules())
    if category is not None and category not in categories(rules):
        near = get_close_matches(category.casefold(), categories(rules), n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(categories(rules))}"
        raise SettingsError([f"{category!r} is not a category; {hint}"])
    return [
        row_in_force(settings, rule)
        for rule in rules.fields.values()
        if (category is None or rule.category == category) and _has(word, rule.label, rule.path)
    ]


def status_transitions(settings: Settings, *, word: str | None = None) -> list[Transition]:
    """Return the transitions of the overall recruitment status; with a word, only those from or to such a status."""
    rules = settings.changes.over(load_rules())
    table = FieldTable(rules)
    row = row_in_force(settings, table.rule(STATUS))
    found = []
    for (old, new), rated in rules.statuses.items():
        words = f"{table.words(STATUS, old)} → {table.words(STATUS, new)}"
        severity = row.rule.severity if row.severity_set_by else rated.severity
        if _has(word, words, old, new):
            found.append(Transition(old=old, new=new, words=words, severity=severity, set_by=row.severity_set_by))
    return found


def table_lines(rows: list[Row] | list[Transition]) -> Iterator[str]:
    """Yield rows for people, and what the mark means if there is one."""
    for row in rows:
        yield row.line()
    if any(row.overridden for row in rows):
        yield f"{MARK} set by [changes.severity] or [changes.place] of your settings"


def row_in_force(settings: Settings, rule: FieldRule) -> Row:
    """Return a row of the field table in force, with the settings that made it so."""
    severity = name_in_force(rule, settings.changes.severity)
    place = name_in_force(rule, settings.changes.place)
    return Row(
        rule=rule,
        severity_set_by=f"changes.severity.{severity}" if severity else None,
        place_set_by=f"changes.place.{place}" if place else None,
    )


def _has(word: str | None, *texts: str) -> bool:
    return word is None or any(word.casefold() in text.casefold() for text in texts)
