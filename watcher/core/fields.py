"""Look up what the field table says of a path.  Pure: the table is passed in.

The most specific row wins: the exact path, then the same with or without the brackets of a list, then the longest row
that ends in ``.**``, then a row with ``**`` on both sides, then ``**``, which stands for every field this program does
not know.
"""

from collections.abc import Mapping

from watcher.model import FieldRule, Json, Rules

UNKNOWN_FIELD = "**"


class FieldTable:
    """The field table with a memory: the same few hundred paths are asked for again and again."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._found: dict[str, FieldRule] = dict(rules.fields)
        self._below = sorted(
            ((path.removesuffix("**"), rule) for path, rule in rules.fields.items() if _is_below(path)),
            key=lambda pair: -len(pair[0]),
        )
        self._within = [(path.strip("*."), rule) for path, rule in rules.fields.items() if _is_within(path)]

    def rule(self, path: str) -> FieldRule:
        """Return the row for ``path``; never fails, because the table ends with a row for everything."""
        rule = self._found.get(path)
        if rule is None:
            rule = self._found[path] = self._search(path)
        return rule

    def words(self, path: str, value: Json) -> str:
        """Return a value as a reader should see it: labels for enums, Yes and No, otherwise verbatim."""
        if isinstance(value, str):
            enum = self.rule(path).enum
            return self.rules.enum_labels.get((enum, value), value) if enum else value
        if value is None:
            return "none"
        if isinstance(value, dict | list):
            return "several values" if value else "empty"
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return f"{value:,}" if isinstance(value, int) else str(value)

    def _search(self, path: str) -> FieldRule:
        # A list where a value should stand, or an empty list, whose path has no brackets.
        other_form = path.removesuffix("[]") if path.endswith("[]") else path + "[]"
        if other_form in self.rules.fields:
            return self.rules.fields[other_form]
        for prefix, rule in self._below:
            if path.startswith(prefix) or path + "." == prefix:
                return rule
        for part, rule in self._within:
            if part in path.replace("[]", "").split("."):
                return rule
        return self.rules.fields[UNKNOWN_FIELD]


def value_at(record: Json, path: str) -> Json:
    """Return what stands at a path through objects; None where nothing does."""
    for key in path.split("."):
        record = record.get(key) if isinstance(record, dict) else None
    return record


def text_of(fields: Mapping[str, Json], key: str | None) -> str:
    """Return the text that an object has under a key; "" where there is none, or no key."""
    value = fields.get(key) if key else None
    return value if isinstance(value, str) else ""


def _is_below(path: str) -> bool:
    return path.endswith(".**") and not path.startswith("**")


def _is_within(path: str) -> bool:
    return path.startswith("**") and path != UNKNOWN_FIELD
