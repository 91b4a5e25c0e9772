"""What is wrong with the settings, in sentences: key, what was found, what would be right.

Turns the findings of pydantic into the same form as those of our own checks.  Knows models only as what is passed in,
and finds nothing wrong by itself.  Never repeats a value that may be a secret: of a value it says only its type,
unless the check of that value repeated it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from watcher.config.values import did_you_mean, nearest, quoted

Location = tuple[int | str, ...]  # a key as pydantic has it: names, and indices counted from 0

# What a value of another type should have been, by pydantic's name for the finding.
_EXPECTED = {
    "string_type": "text in quotation marks",
    "int_type": "a whole number without quotation marks",
    "time_delta_type": 'text with a unit, as in "30m"',
    "path_type": "a path in quotation marks",
    "is_instance_of": "text in quotation marks",
    "tuple_type": 'a list in square brackets, as in ["…", "…"]',
    "date_type": "a date without quotation marks, as in 2026-12-25",
    "bool_type": "true or false, without quotation marks",
    "enum": "text in quotation marks",
    "literal_error": "text in quotation marks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong."""

    key: str  # dotted, indices from 0; or the variable or file, where no key is to blame
    says: str  # what was found and what would be right


def sentences(problems: list[Problem], origins: Mapping[str, str]) -> list[str]:
    """Return the problems as sentences, each once.

    Args:
        problems: in the order in which they are to be read.
        origins: for keys that did not come from the settings file, where from, as in "set by TRIALWATCH_OPERATOR".
    """
    texts: dict[str, None] = {}  # a set that keeps its order
    for problem in problems:
        origin = f" ({origins[problem.key]})" if problem.key in origins else ""
        texts[f"{problem.key}{origin}: {problem.says}"] = None
    return list(texts)


def dotted(location: Location) -> str:
    """Return a key as an operator reads it: ``watchlist[2].recipients[1].time_zone``."""
    texts = [part if isinstance(part, int) or part.isprintable() else quoted(part) for part in location]
    return "".join(f"[{text}]" if isinstance(text, int) else f".{text}" for text in texts).removeprefix(".")


def known_keys(model: type[BaseModel], above: Location = ()) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every single value that can be set, by its dotted key.

    Tables that repeat are left out, and tables whose keys are free.
    """
    for name, field in model.model_fields.items():
        inner = _model_of(field)
        if inner is None and not _is_free(field):
            yield dotted((*above, name)), field
        elif inner is not None and not _repeats(field):
            yield from known_keys(inner, (*above, name))


def value_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return what pydantic found, in our words.

    Args:
        error: of validating the whole tree.
        model: of the whole tree; asked for names, bounds and examples.
    """
    return [
        Problem(key=dotted(_key(found)), says=_says(found, model))
        for found in error.errors(include_url=False)
        # A list of which every entry was refused is not empty, though pydantic says so.
        if not (found["type"] == "too_short" and found["input"])
    ]


def _key(found: ErrorDetails) -> Location:
    """Return a key without the mark that pydantic puts behind one which is itself wrong."""
    location = found["loc"]
    return location[:-1] if found["type"] == "value_error" and location[-1:] == ("[key]",) else location


def _says(found: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location = found["type"], found["loc"]
    if kind == "extra_forbidden":
        return _unknown(location, model)
    field = _field_at(location, model)
    section = _model_of(field) if field is not None and not _repeats(field) else None
    if kind == "missing" and section is not None:
        needed = [name for name, one in section.model_fields.items() if one.is_required()]
        return f"is missing; write [{dotted(location)}] on a line of its own, and below it {' and '.join(needed)}"
    if kind == "missing":
        return f"is missing; write it as in {_example(field)}"
    if kind == "value_error":
        return str(found["ctx"]["error"])
    if kind in {"literal_error", "enum"} and isinstance(found["input"], str):
        return _not_a_choice(found["input"], found["ctx"]["expected"])
    if kind in {"greater_than_equal", "less_than_equal"}:
        return f"{found['input']} is out of range; write {_bound(field, 'ge')} to {_bound(field, 'le')}"
    if kind == "too_short":
        return f"is empty; write it as in {_example(field)}"
    if kind == "dict_type" or (kind in {"model_type", "tuple_type"} and field is not None and _model_of(field)):
        header = ".".join(part for part in location if isinstance(part, str))
        header = f"[[{header}]]" if field is not None and _repeats(field) else f"[{header}]"
        return f"must begin with {header} on a line of its own, followed by its keys; this is {_kind(found['input'])}"
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {_kind(found['input'])}"
    return f"cannot be used ({found['msg'][:1].lower()}{found['msg'][1:]})"


def _unknown(location: Location, model: type[BaseModel]) -> str:
    wrong, table = str(location[-1]), dotted(location[:-1])
    siblings = list(_model_at(location[:-1], model).model_fields)
    near = nearest(wrong, siblings)
    if near:
        return f"is not a setting{did_you_mean(dotted((*location[:-1], near)))}"
    elsewhere = [key for key, _ in known_keys(model) if key.rpartition(".")[2] == wrong]
    if elsewhere:
        return f"is not a setting{did_you_mean(elsewhere[0])}"
    return f"is not a setting; {table or 'the top level'} takes {', '.join(siblings)}"


def _not_a_choice(found: str, expected: str) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    hint = did_you_mean(nearest(found, choices))
    return f"{quoted(found)} is not one of {', '.join(quoted(choice) for choice in choices)}{hint}"


def _example(field: FieldInfo | None) -> str:
    examples = field.examples if field else None
    return str(examples[0]) if examples else "the documentation of the settings shows"


def _bound(field: FieldInfo | None, name: str) -> str:
    found = (getattr(metadata, name, None) for metadata in (field.metadata if field else []))
    return str(next((bound for bound in found if bound is not None), "…"))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}
    kinds |= {date: "a date", time: "a time of day"}
    return next((name for of, name in kinds.items() if isinstance(value, of)), "that")


# --- the models, by key -----------------------------------------------------------------------------------------------


def _field_at(location: Location, model: type[BaseModel]) -> FieldInfo | None:
    """Return the field at a key, or the one that lists it; ``None`` for the whole."""
    names = [part for part in location if isinstance(part, str)]
    parent = _model_at(tuple(names[:-1]), model)
    return parent.model_fields.get(names[-1]) if names else None


def _model_at(location: Location, model: type[BaseModel]) -> type[BaseModel]:
    for part in location:
        if isinstance(part, str):
            inner = _model_of(model.model_fields[part])
            if inner is None:
                return model
            model = inner
    return model


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model that the field is, may be, or lists."""
    candidates: list[Any] = [field.annotation, *get_args(field.annotation)]
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


def _is_free(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is dict


def _repeats(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is tuple
