"""Measure how far the comparison is right, and how fast, and print it as Markdown.

python -m tests.accuracy [DIR]     a minute or two; docs/accuracy.md is what it printed

DIR holds the corpus (see README.md); by default the folder that TRIALWATCH_CORPUS names.  What is missing is said.
Prints paths, NCT IDs and counts, never a value of a record.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.accuracy.corpus import Corpus, default_folder
from tests.accuracy.days import measure_days, measure_sites
from tests.accuracy.history import paths_of, tell
from tests.accuracy.report import days_section, history_section, outcomes_section, speed_section
from tests.accuracy.speed import Longest, longest_postings, longest_steps, longest_unchanged, races
from tests.bench.report import machine
from watcher.core.fields import FieldTable
from watcher.logs import configure_logs
from watcher.replay.days import DatasetError
from watcher.tables import load_rules

_DAYS, _HISTORY, _SPEED = "recorded days", "record history", "speed"


def main() -> int:
    """Print the report; return 0, or 2 where the folder cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description="Measure the comparison.")
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="the corpus; default: TRIALWATCH_CORPUS")
    asked = parser.parse_args()
    configure_logs("warning", "text")
    try:
        for line in report(Corpus(asked.folder or default_folder()), datetime.now(UTC)):
            sys.stdout.write(f"{line}\n")
    except DatasetError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def report(corpus: Corpus, now: datetime) -> Iterator[str]:
    """Measure part by part, and yield the lines of the report."""
    table = FieldTable(load_rules())
    speed = list(_speed(corpus, table))  # first, in a memory that nothing else has filled
    yield "# How right, and how fast, the comparison is"
    yield ""
    yield f"Printed by `python -m tests.accuracy` on {now:%Y-%m-%d}: {machine()}."
    yield (
        "The records are public ones of ClinicalTrials.gov; they are not part of the project, and none of their"
        " values is here."
    )
    yield ""
    yield from _days(corpus, table)
    yield from _history(corpus, table)
    yield from outcomes_section()
    yield from speed


def _days(corpus: Corpus, table: FieldTable) -> Iterator[str]:
    if corpus.days is None:
        yield from _skipped(_DAYS, "no folder `days` in the corpus")
        return
    _say("replaying the recorded days")
    yield from days_section(measure_days(corpus.days), measure_sites(corpus.steps(), table))


def _history(corpus: Corpus, table: FieldTable) -> Iterator[str]:
    if corpus.patches is None:
        yield from _skipped(_HISTORY, "no file `history-patches.jsonl.gz` in the corpus")
        return
    _say("comparing what the patches say")
    told = [tell(patch, table) for patch in corpus.patches]
    yield from history_section(paths_of(corpus.patches, table), told)


def _speed(corpus: Corpus, table: FieldTable) -> Iterator[str]:
    _say("timing")
    source = "The large record is the real one nearest to 800 kB; the sites that it lacks are made up."
    if not corpus.has_records:
        source = "No corpus here: the large record is made up, the others are the demo's."
    longest: list[Longest] = [
        longest_steps(corpus.steps(), table),
        longest_unchanged(corpus.records, table),
        longest_postings(corpus.records, table),
    ]
    yield from speed_section(races(corpus.records, table), longest, source)


def _skipped(name: str, why: str) -> Iterator[str]:
    yield f"*Skipped: {name}, because there is {why}.*"
    yield ""


def _say(what: str) -> None:
    sys.stderr.write(f"{what} …\n")


if __name__ == "__main__":
    sys.exit(main())
