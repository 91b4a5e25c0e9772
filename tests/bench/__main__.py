"""Measure what the service costs, and print it as a Markdown table with the goals beside it.

python -m tests.bench                  1,043 and 10,000 watches; several minutes
python -m tests.bench --sizes 1043     only the small one; about a minute
"""

import argparse
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from tests.bench.comparing import measure_comparisons
from tests.bench.daemon import Life, Plan
from tests.bench.inputs import BASE_RECORDS, ROOT, Days, Source, more_of, read_source, write_days
from tests.bench.registry import served
from tests.bench.report import Measured, report

_TICKS = 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the service costs.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[BASE_RECORDS, 10_000], metavar="N", help="watches")
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="of each release; at least 3 (default 5)"
    )
    asked = parser.parse_args()
    if asked.repetitions < 3 or min(asked.sizes) < 100:
        parser.error("a median takes 3 repetitions at least, and one per cent 100 watches at least")
    source = read_source()
    with TemporaryDirectory(prefix="trialwatch-bench-") as folder:
        sizes = [
            _measure(source, size, Path(folder) / str(size), repetitions=asked.repetitions) for size in asked.sizes
        ]
    _say("comparing")
    comparison = measure_comparisons(source.pairs, repetitions=asked.repetitions)
    sys.stdout.write(report(source.words, sizes, comparison, repetitions=asked.repetitions, ticks=_TICKS))


def _measure(source: Source, size: int, folder: Path, *, repetitions: int) -> Measured:
    _say(f"{size} watches: writing dataset days")
    days = write_days(folder / "days", more_of(source.records, size), repetitions=repetitions)
    with served(days.folder) as registry:
        _say(f"{size} watches: the first check of all")
        cold = _live(registry.site, folder / "state", days, ticks=1, warm=False)
        _say(f"{size} watches: {2 * repetitions} further releases")
        warm = _live(registry.site, folder / "state", days, ticks=_TICKS, warm=True)
    return Measured(watches=size, cold=cold, warm=warm)


def _live(site: str, folder: Path, days: Days, *, ticks: int, warm: bool) -> Life:
    """Run one life of a daemon in a process of its own."""
    plan = Plan(
        site=site,
        folder=str(folder),
        nct_ids=list(days.nct_ids),
        day=days.first,
        ticks=ticks,
        stamped=list(days.stamped) if warm else [],
        changed=list(days.changed) if warm else [],
    )
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.bench.daemon"]
    ended = subprocess.run(command, input=orjson.dumps(asdict(plan)), stdout=subprocess.PIPE, cwd=ROOT, check=True)
    return Life.of(orjson.loads(ended.stdout))


def _say(what: str) -> None:
    sys.stderr.write(f"{what} …\n")


if __name__ == "__main__":
    main()
