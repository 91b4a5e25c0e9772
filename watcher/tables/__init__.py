"""The tables of rules, as data files, and their loading.  The composition root loads them and passes them on.

Does not decide anything.  Sources: labels from the registry's data element definitions and metadata; severities from
the domain rules that ``docs/changes.md`` names; written 2026-11-22 against API 2.0.5.
"""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from watcher.model import FieldRule, Place, Rules, Severity, StatusRule


@cache
def load_rules() -> Rules:
    """Return the built-in rules; the files are read once in a process."""
    return Rules(
        fields={row["path"]: _field(row) for row in _rows("fields.tsv")},
        statuses={
            (row["from"], row["to"]): StatusRule(severity=Severity(row["severity"]), wording=row["wording"])
            for row in _rows("statuses.tsv")
        },
        enum_labels={(row["enum"], row["value"]): row["label"] for row in _rows("enum_labels.tsv")},
        explanations={row["code"]: row["explanation"] for row in _rows("rules.tsv")},
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (files(__package__) / name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _field(row: dict[str, str]) -> FieldRule:
    return FieldRule(
        path=row["path"],
        label=row["label"],
        plural=row["plural"] or None,
        category=row["category"],
        severity=Severity(row["severity"]),
        place=Place(row["place"]),
        enum=row["enum"] or None,
        identity=_alternatives(row["identity"]),
        naming=_alternatives(row["naming"]),
    )


def _alternatives(text: str) -> tuple[tuple[str, ...], ...]:
    """Read ``a+b|c`` as: by a and b together, else by c."""
    return tuple(tuple(part.split("+")) for part in text.split("|")) if text else ()
