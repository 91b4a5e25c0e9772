"""Watch lists as CSV files, for spreadsheets: read into what ``watching`` takes, and written in the same form.

Does not judge IDs and names, and records nothing.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from watcher.actions.watching import Given
from watcher.app import Application
from watcher.errors import SettingsError
from watcher.store.lists import listings

_COLUMNS = ("nct_id", "watchlist")
# What a spreadsheet takes for a formula, and the same behind quotes: one more is put before it, and taken off again.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def read_csv(file: Path, *, default_list: str) -> list[Given]:
    """Read a CSV file into IDs, each with its list and its line.

    Raises:
        SettingsError: it cannot be read, is not CSV, or has no column nct_id.
    """
    line = 1  # where the row begins that is being read
    given = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            columns = _columns_of(next(rows, []), file)
            line = rows.line_num + 1
            for row in rows:
                cells = dict(zip(columns, row, strict=False))
                name = _unprotected(cells.get("watchlist", "").strip()) or default_list
                if row:
                    given.append(Given(text=cells.get("nct_id", ""), watchlist=name, place=f"{file}, line {line}"))
                line = rows.line_num + 1
    except csv.Error as error:
        problem = (
            f"{file}, line {line}: this is not CSV ({error}); is a quotation mark missing in the row that begins here?"
        )
        raise SettingsError([problem]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file}: cannot be read as CSV in UTF-8: {error}"]) from error
    return given


def _columns_of(heading: Sequence[str], file: Path) -> list[str]:
    columns = [name.strip().lower() for name in heading]
    if "nct_id" in columns:
        return columns
    there = ", ".join(columns) or "nothing"
    problem = f'{file}, line 1: there is no column "nct_id" in the heading; it has: {there}'
    if any(";" in name or "\t" in name for name in heading):
        problem += "; columns are separated by commas here, not by semicolons or tabs: save the file with commas"
    raise SettingsError([problem])


def write_csv(app: Application, output: TextIO) -> None:
    """Write all watched trials as CSV, in the form that ``read_csv`` reads; a trial once for each list."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(_COLUMNS)
    with app.database.reading() as db:
        for watchlist, nct_id in dict.fromkeys((one.watchlist, one.nct_id) for one in listings(db)):
            writer.writerow([nct_id, _protected(watchlist)])


def _protected(name: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{name}" if _FORMULA.match(name) else name


def _unprotected(name: str) -> str:
    return name[1:] if name.startswith("'") and _FORMULA.match(name) else name
