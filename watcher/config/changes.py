"""What stands in [changes.severity] and [changes.place]: names of the field table, each with a word for it.

A name is a category or the path of a row.  As in ``values``, each check raises ``ValueError`` with what is wrong and
what would be right.  Does not change the table: see ``watcher/tables/overrides.py``.
"""

from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from watcher.config.values import did_you_mean, nearest, quoted
from watcher.model import Place, Severity
from watcher.tables import load_rules
from watcher.tables.overrides import categories

_MOST_SUGGESTED = 3


def check_name(name: str) -> str:
    """Return the name of a setting, if the field table knows it.

    Raises:
        ValueError: it does not; near names are suggested.
    """
    rules = load_rules()
    if name in rules.fields or name in categories(rules):
        return name
    near = _near(name, [*categories(rules), *rules.fields])
    hint = f"did you mean {' or '.join(near)}?" if near else f"the categories are {', '.join(categories(rules))}"
    raise ValueError(f"is neither a category nor the path of a field; {hint}")


def check_category(name: str) -> str:
    """Return the name of a category, if the field table knows it.

    Raises:
        ValueError: it does not; a near one is suggested.
    """
    known = categories(load_rules())
    if name in known:
        return name
    hint = did_you_mean(nearest(name, known)) or f"; the categories are {', '.join(known)}"
    raise ValueError(f"{quoted(name)} is no category of changes{hint}")


def _near(wrong: str, known: list[str]) -> list[str]:
    """Return the names that were probably meant, in quotation marks: spelled alike, else ending alike."""
    plain = {name: _plain(name) for name in known}
    sought = _plain(wrong)
    same = [name for name, words in plain.items() if words == sought]
    ending = [name for name, words in plain.items() if words.endswith("." + sought)]
    alike = get_close_matches(sought, plain.values(), n=_MOST_SUGGESTED)
    spelled_alike = [name for word in alike for name, words in plain.items() if words == word]
    found = same or ending or spelled_alike
    return [f'"{name}"' for name in dict.fromkeys(found)][:_MOST_SUGGESTED]  # paths may be longer than ``quoted`` shows


def _plain(name: str) -> str:
    return name.replace("[]", "").casefold()


def _flat(value: object) -> object:
    """Return a table whose keys are whole paths: without quotation marks, TOML takes a path for tables in tables."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, object] = {}
    for name, below in _leaves(value):
        if name in flat:
            raise ValueError(f"{quoted(name)} is given twice, with and without quotation marks; keep one of them")
        flat[name] = below
    return flat


def _leaves(table: dict[str, object], above: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, below in table.items():
        path = f"{above}.{name}" if above else name
        found += _leaves(below, path) if isinstance(below, dict) and below else [(path, below)]
    return found


Name = Annotated[str, AfterValidator(check_name)]
Category = Annotated[str, AfterValidator(check_category)]
Severities = Annotated[dict[Name, Annotated[Severity, Field(strict=False)]], BeforeValidator(_flat)]
Places = Annotated[dict[Name, Annotated[Place, Field(strict=False)]], BeforeValidator(_flat)]
