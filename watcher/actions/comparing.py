"""Compare records that stand in files, without a database."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson

from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.errors import SettingsError
from watcher.model import Change, Json
from watcher.tables import load_rules


def compare_files(before: Path, after: Path) -> tuple[Change, ...]:
    """Return what changed from one file's record to the other's.

    Raises:
        SettingsError: a file cannot be read, or holds no JSON object.
    """
    return compare(_record(before), _record(after), FieldTable(load_rules()))


def compare_pairs(file: Path) -> Iterator[tuple[int, tuple[Change, ...]]]:
    """Yield the changes of each line's pair, with the line's number from 0; blank lines count and are passed over.

    Raises:
        SettingsError: the file cannot be read, or a line is not a pair; the lines before it were compared.
    """
    table = FieldTable(load_rules())
    for number, line in enumerate(_lines(file)):
        if not line.strip():
            continue
        where = f"{file}, line {number + 1}"
        pair = _object(line, where)
        for side in ("before", "after"):
            if not isinstance(pair.get(side), dict):
                raise SettingsError(
                    [f'{where}: "{side}" is missing or not an object; write {{"before": …, "after": …}}']
                )
        yield number, compare(pair["before"], pair["after"], table)


def _record(file: Path) -> dict[str, Json]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SettingsError([f"{file} cannot be read: {error.strerror}"]) from error
    return _object(content, str(file))


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise SettingsError([f"{file} cannot be read: {error}"]) from error


def _object(content: bytes, where: str) -> dict[str, Json]:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise SettingsError([f"{where}: not JSON: {error}"]) from error
    if not isinstance(value, dict):
        raise SettingsError([f"{where}: not a JSON object"])
    return value
