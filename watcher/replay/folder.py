"""Reading a dataset from a folder: which files are its days, and what is wrong with a folder that is none.

Does not look into the lines: see ``days``.
"""

import gzip
import re
import zlib
from collections.abc import Generator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path

from watcher.replay.days import Dataset, DatasetError, read_days

_FILE_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.jsonl(\.gz)?")


def load_dataset(folder: Path) -> Dataset:
    """Read all days of a folder; other files in it are left alone.

    Raises:
        DatasetError: no such folder, no day in it, or a file or line that cannot be read (named in the text).
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; name one with files like 2026-03-02.jsonl.gz")
    files = _files_by_day(folder)
    if not files:
        raise DatasetError(f"{folder} holds no dataset day; there should be files like 2026-03-02.jsonl.gz")
    with ExitStack() as opened:
        lines = {day: opened.enter_context(closing(_lines(path))) for day, path in files.items()}
        return Dataset(read_days(lines, names={day: str(path) for day, path in files.items()}))


def _files_by_day(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        found = _FILE_NAME.fullmatch(path.name)
        if found is None:
            continue
        day = found[1]
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise DatasetError(f"{path}: {day} is no date; name the file yyyy-MM-dd.jsonl.gz") from error
        if day in files:
            raise DatasetError(f"{path}: {day} is there twice, packed and unpacked; keep one of the two")
        files[day] = path
    return files


def _lines(path: Path) -> Generator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
