"""What the measurements read: recorded days, whole records and patches, from a folder that anyone can have or not.

Without the folder, or without a part of it, there is what the program ships: the demo's invented days.  Real records
are not part of the project.
"""

import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import orjson

from tests.accuracy.patches import Patch, read_patches
from watcher.model import Json
from watcher.replay.demo import build_demo_days

ROOT = Path(__file__).parents[2]
_RECORDS, _PATCHES = "records.jsonl.gz", "history-patches.jsonl.gz"


@dataclass(frozen=True)
class Corpus:
    """A folder with ``days/``, ``records.jsonl.gz`` and ``history-patches.jsonl.gz``; each part may be missing."""

    folder: Path

    @property
    def days(self) -> Path | None:
        """The folder of recorded days."""
        found = self.folder / "days"
        return found if found.is_dir() else None

    @property
    def has_records(self) -> bool:
        return self.days is not None or (self.folder / _RECORDS).is_file()

    @cached_property
    def patches(self) -> Sequence[Patch] | None:
        file = self.folder / _PATCHES
        return read_patches(gzip.decompress(file.read_bytes()).splitlines()) if file.is_file() else None

    @cached_property
    def records(self) -> tuple[bytes, ...]:
        """All whole records, every version; those of the demo where there are none."""
        file = self.folder / _RECORDS
        found = gzip.decompress(file.read_bytes()).splitlines() if file.is_file() else []
        return (*found, *(line for day in self._lines_of_days() for line in day))

    def steps(self) -> Iterator[tuple[Json, Json]]:
        """Yield the records before and after each step of the recorded days, decoded anew."""
        last: dict[str, bytes] = {}
        for day in self._lines_of_days():
            for line in day:
                record = orjson.loads(line)
                nct_id = record["protocolSection"]["identificationModule"]["nctId"]
                if nct_id in last:
                    yield orjson.loads(last[nct_id]), record
                last[nct_id] = line

    def _lines_of_days(self) -> Iterator[list[bytes]]:
        if self.days is not None:
            for file in sorted(self.days.glob("*.jsonl.gz")):
                yield gzip.decompress(file.read_bytes()).splitlines()
        elif not self.has_records:
            for day in build_demo_days():
                yield [orjson.dumps(line.record) for line in day.lines if line.record is not None]


def default_folder() -> Path:
    """Return the folder that ``TRIALWATCH_CORPUS`` names."""
    return ROOT / (os.environ.get("TRIALWATCH_CORPUS") or "../shared/corpus")
