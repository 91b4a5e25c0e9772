"""What the benchmark feeds the service: records, and dataset days made of them.

The records are those of the corpus (see ``tests/corpus`` in the developers' guide); without one they are made from the
demo's trials, and the output says so.  More records than there are come from the same ones under other NCT IDs.

Does not measure.
"""

import gzip
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import orjson

from watcher.model import Json
from watcher.replay.demo import build_demo_days

ROOT = Path(__file__).parents[2]
FIRST_DAY = date(2026, 3, 2)
BASE_RECORDS = 1_043  # as many as the corpus has
CHANGED_SHARE = 100  # one record in so many really changes

_NCT_ID = re.compile(rb"NCT[0-9]{8}")
_FIRST_INVENTED = 80_000_000  # copies are numbered from here: far above the registry's own numbers
_STATUS_MODULE = "statusModule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Records to begin with, and where they come from."""

    records: tuple[bytes, ...]  # compact JSON, one study each
    pairs: tuple[tuple[bytes, bytes], ...]  # successive versions of a record
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A folder of dataset days, and what happens on each."""

    folder: Path
    nct_ids: tuple[str, ...]
    first: str
    stamped: tuple[str, ...]  # only the stamp moves
    changed: tuple[str, ...]  # the stamp moves, and one record in a hundred really changes


def read_source() -> Source:
    """Return the corpus's records, or records made from the demo's trials where there is no corpus."""
    corpus = ROOT / os.environ.get("TRIALWATCH_CORPUS", "../shared/corpus")
    file = corpus / "records.jsonl.gz"
    if file.is_file():
        records = tuple(gzip.decompress(file.read_bytes()).splitlines())
        days = (gzip.decompress(day.read_bytes()).splitlines() for day in sorted((corpus / "days").glob("*.jsonl.gz")))
        words = f"{len(records):,} real records of the corpus"
        return Source(records=records, pairs=tuple(_successive(days)), words=words)
    lines = [[orjson.dumps(line.record) for line in day.lines if line.record is not None] for day in build_demo_days()]
    latest = {_own_id(line): line for day in lines for line in day}
    words = f"records made from the {len(latest)} trials of the demo (no corpus here): smaller and more alike than real"
    return Source(records=tuple(latest.values()), pairs=tuple(_successive(lines)), words=words)


def more_of(records: Sequence[bytes], number: int) -> tuple[bytes, ...]:
    """Return that many records: the given ones, then the same ones again and again under other NCT IDs."""
    made = list(records[:number])
    invented = count(_FIRST_INVENTED)
    while len(made) < number:
        ids: dict[bytes, bytes] = {}

        def other_id(found: re.Match[bytes], ids: dict[bytes, bytes] = ids) -> bytes:
            return ids.get(found[0]) or ids.setdefault(found[0], b"NCT%08d" % next(invented))

        made += (_NCT_ID.sub(other_id, record) for record in records[: number - len(made)])
    return tuple(made)


def write_days(folder: Path, records: Sequence[bytes], *, repetitions: int) -> Days:
    """Write a first day with all records, then in turn a day on which only the stamp moves and one with changes."""
    folder.mkdir(parents=True)
    current = list(records)
    names = [str(FIRST_DAY + timedelta(days=number)) for number in range(2 * repetitions + 1)]
    _write_day(folder, names[0], current)
    for number, (stamped, changed) in enumerate(zip(names[1::2], names[2::2], strict=True), start=1):
        _write_day(folder, stamped, [])
        places = range(number % CHANGED_SHARE, len(current), CHANGED_SHARE)
        for turn, place in enumerate(places):
            current[place] = changed_record(current[place], turn, day=changed)
        _write_day(folder, changed, [current[place] for place in places])
    ids = tuple(sorted(_own_id(record) for record in records))
    return Days(folder=folder, nct_ids=ids, first=names[0], stamped=tuple(names[1::2]), changed=tuple(names[2::2]))


def changed_record(record: bytes, turn: int, *, day: str) -> bytes:
    """Return a record with a sponsor's update: a status, a date, a site's status or a text, in turn."""
    study = orjson.loads(record)
    protocol = study["protocolSection"]
    status = protocol[_STATUS_MODULE]
    sites = protocol.get("contactsLocationsModule", {}).get("locations")
    kind = turn % 4
    if kind == 0:
        status["overallStatus"] = "TERMINATED" if status["overallStatus"] != "TERMINATED" else "COMPLETED"
    elif kind == 1:
        status["primaryCompletionDateStruct"] = {"date": f"{2027 + turn % 3}-06-30", "type": "ESTIMATED"}
    elif kind == 2 and sites:
        sites[0]["status"] = "WITHDRAWN" if sites[0].get("status") != "WITHDRAWN" else "COMPLETED"
    else:
        description = protocol.setdefault("descriptionModule", {})
        description["briefSummary"] = f"{description.get('briefSummary', '')} Amended on {day}."
    status["lastUpdateSubmitDate"] = day
    status["lastUpdatePostDateStruct"] = {"date": day, "type": "ACTUAL"}
    return orjson.dumps(study)


def _write_day(folder: Path, day: str, records: Iterable[bytes]) -> None:
    lines = b"".join(record + b"\n" for record in records)
    (folder / f"{day}.jsonl.gz").write_bytes(gzip.compress(lines, compresslevel=1, mtime=0))


def _successive(days: Iterable[Iterable[bytes]]) -> Iterator[tuple[bytes, bytes]]:
    known: dict[str, bytes] = {}
    for day in days:
        for line in day:
            nct_id = _own_id(line)
            if nct_id in known:
                yield known[nct_id], line
            known[nct_id] = line


def _own_id(record: bytes) -> str:
    study: Json = orjson.loads(record)
    return str(study["protocolSection"]["identificationModule"]["nctId"])
