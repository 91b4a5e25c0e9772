"""The names of the record's fields, and records cut down to some of them (the parameter ``fields``).

``fields.tsv`` lists the paths that the official OpenAPI document 2.0.3 declares, and the piece name of each field of
the protocol section and a few others; "-" where this replay does not know the piece name.

Does not know search areas (``ConditionSearch``) nor ``@query``: these are not fields.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Json = Any

# Which fields to keep: key → what to keep below it; an empty tree keeps everything.
FieldTree = dict[str, "FieldTree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    path: str  # dotted, without a mark for lists
    kind: str  # "branch", "date", "integer", "number", "boolean", "enum", "text", "nct"
    piece: str | None  # None = unknown to this replay


@cache
def known_fields() -> Mapping[str, Field]:
    """Return every known field by its path and by its piece name; the file is read once in a process."""
    with (files(__package__) / "fields.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    fields = [Field(path=r["path"], kind=r["kind"], piece=None if r["piece"] == "-" else r["piece"]) for r in rows]
    return {field.path: field for field in fields} | {field.piece: field for field in fields if field.piece is not None}


def tree_of(fields: Iterable[Field]) -> FieldTree:
    """Return the tree of the named fields; a branch takes in all below it, whatever else is named there."""
    tree: FieldTree = {}
    paths = {tuple(field.path.split(".")) for field in fields}
    for path in sorted(paths, key=len):
        if not any(path[:length] in paths for length in range(1, len(path))):
            node = tree
            for key in path:
                node = node.setdefault(key, {})
    return tree


def cut_down(record: Json, tree: FieldTree) -> Json:
    """Return what the tree keeps of a record.  A branch that is there stays, if only as an empty object.

    Seen on the live service in August 2026: unmatched leaves yield empty parents, not errors.
    """
    if not tree:
        return record
    if isinstance(record, list):
        return [cut_down(item, tree) for item in record]
    if not isinstance(record, dict):
        return record
    return {key: cut_down(value, tree[key]) for key, value in record.items() if key in tree}
