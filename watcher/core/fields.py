"""Look up what the field table says of a path.  Pure: the table is passed in.

The most specific row wins: the exact path, then the longest row that ends in ``.**``, then a row with ``**`` on both
sides, then ``**``, which stands for every field this program does not know.
"""

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
        if value is None:
            return "none"
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, str):
            return self.rules.enum_labels.get((self.rule(path).enum or "", value), value)
        return f"{value:,}" if isinstance(value, int) else str(value)

    def _search(self, path: str) -> FieldRule:
        for prefix, rule in self._below:
            if path.startswith(prefix):
                return rule
        for part, rule in self._within:
            if part in path.replace("[]", "").split("."):
                return rule
        if path.endswith("[]") and path.removesuffix("[]") in self.rules.fields:
            return self.rules.fields[path.removesuffix("[]")]
        return self.rules.fields[UNKNOWN_FIELD]


def _is_below(path: str) -> bool:
    return path.endswith(".**") and not path.startswith("**")


def _is_within(path: str) -> bool:
    return path.startswith("**") and path != UNKNOWN_FIELD
