"""What somebody's settings say of severity and place, put over the field table.  Pure: tables come in and go out.

A setting's name is a category of the table, or the path of one of its rows; a path is stronger than its category.  Does
not touch rows below that path: a list and the fields of its items are rows of their own.
"""

from collections.abc import Mapping
from dataclasses import replace

from watcher.model import FieldRule, Place, Rules, Severity


def with_overrides(rules: Rules, *, severity: Mapping[str, Severity], place: Mapping[str, Place]) -> Rules:
    """Return the rules with the field table that is in force.

    Args:
        rules: as built in.
        severity: by category or path.
        place: the same.  It moves a field without a word on its severity, so that it marks no row as overridden.
    """
    if not severity and not place:
        return rules
    rows = {path: _overridden(row, severity, place) for path, row in rules.fields.items()}
    return replace(rules, fields=rows)


def name_in_force(row: FieldRule, names: Mapping[str, object]) -> str | None:
    """Return which of some settings decides on a row, by its name; None = none of them."""
    return next((name for name in (row.path, row.category) if name in names), None)


def categories(rules: Rules) -> tuple[str, ...]:
    """Return the categories in the order in which the table first has them."""
    return tuple(dict.fromkeys(row.category for row in rules.fields.values()))


def _overridden(row: FieldRule, severity: Mapping[str, Severity], place: Mapping[str, Place]) -> FieldRule:
    said, put = name_in_force(row, severity), name_in_force(row, place)
    return replace(
        row,
        severity=row.severity if said is None else severity[said],
        overridden=said is not None,
        place=row.place if put is None else place[put],
        placed=put is not None,
    )
