"""Proof: no answer of the registry, however malformed, cut or hostile, is a crash or a change that is none.

    python -m tests.reliability.hostile_answers --count 1000000

Each answer goes through the program's own client in this process (parsing and checks; what is packed or has another
status also through its session, inflation and limits: only the socket is missing), and what the client gives as new
goes through the guard against shrunken records and the comparison, on a real database.

Right are the registry's true records, the one that is stored and a newer one.  Nothing else may ever come out as a
record, but from ways that may leave a whole, right record with another content: there, what a strict reader of our own
finds in the very bytes is the registry's word (``odd_answers.py``).

Deterministic by seed, a part of the answers for each seed; the parts are spread over the processors.
"""

import argparse
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing import get_context
from random import Random

import orjson

from tests.edges.registry_clients import NOW
from tests.reliability.answer_bench import Bench, opened_bench, stored_sizes, true_hashes, versions
from tests.reliability.broken_answers import BROKEN, bomb
from tests.reliability.hostile_transport import RELEASE, HostileTransport
from tests.reliability.odd_answers import RELEASE_WAYS, WORD, WRONG, may
from tests.reliability.questions import May, Way
from tests.reliability.strict_reader import without_stamp
from watcher.core.guards import shrinks
from watcher.errors import RegistryError
from watcher.model import Reason, Record
from watcher.registry.client import Fetched
from watcher.stages.evidence import without_shrunk
from watcher.store.watches import current_snapshots

PART = 20_000  # answers of one seed
COSTLY_EVERY = 10_000  # answers for one that is a bomb
_SHARE_OF_RELEASES = 0.05  # of the questions
_SHARE_OF_WORDS = 0.08  # whose answers may leave a whole record, which is then compared: fifty times the work
BOUND = 400 * 1024  # KiB of growth that a process may show: one list at its cap of 64 MB, and its decoded values
_MOST_ASKED = 4  # records in one list


@dataclass(slots=True)
class Tally:
    """What came of some answers."""

    answers: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # records, by reason
    true: int = 0  # records that were taken, and are the registry's
    words: int = 0  # records with a content of their own, that stands in the answer beyond doubt
    changes: int = 0  # that the comparison made of those
    unjust: list[str] = field(default_factory=list)
    bombs: int = 0
    process: int = 0
    base: int = 0  # KiB: the process's peak before
    peak: int = 0  # KiB: and after

    def add(self, other: "Tally") -> None:
        self.answers += other.answers
        self.ways += other.ways
        self.refused += other.refused
        self.true += other.true
        self.words += other.words
        self.changes += other.changes
        self.unjust += other.unjust
        self.bombs += other.bombs


# --- one question -----------------------------------------------------------------------------------------------------


def ask(bench: Bench, way: Way, chance: Random, tally: Tally) -> None:
    """Ask for some records, and let every answer to that be wrong in one way."""
    ids = chance.sample(list(versions()), chance.randrange(1, _MOST_ASKED + 1))
    bench.transport.answer(way, chance, alone=chance.random() < 0.5)
    # What ``RegistryClient.fetch`` does for each batch, without a thread for it.
    fetched = [bench.client._fetch_batch(ids, {nct_id: bench.known[nct_id] for nct_id in ids}).judged()]
    tally.answers += bench.transport.answered
    tally.ways[way.__name__] += bench.transport.answered
    tally.bombs += bench.transport.answered if way is bomb else 0
    for part in fetched:
        _judge(bench, way, part, tally)
    spoken = [one for part in fetched for one in _spoken_of(part)]
    if sorted(spoken) != sorted(ids):
        tally.unjust.append(f"{way.__name__}: asked for {ids}, spoken of {spoken}")


def ask_release(bench: Bench, way: Way, chance: Random, tally: Tally) -> None:
    """Ask which release it is, and let the answer be wrong."""
    bench.transport.answer(way, chance, alone=False)
    tally.ways[f"release: {way.__name__}"] += 1
    tally.answers += 1
    try:
        release = bench.client.release()
    except RegistryError as error:
        tally.refused[error.reason] += 1
        return
    told = (release.api_version, release.data_timestamp)
    if told == tuple(RELEASE.values()):
        tally.true += 1
        return
    if told != bench.transport.release_told() or not "".join(told).isprintable():
        tally.unjust.append(f"release, {way.__name__}: {release}")
    tally.words += 1


def _spoken_of(part: Fetched) -> Iterator[str]:
    yield from part.unchanged
    yield from (record.nct_id for record in part.records)
    yield from (refusal.nct_id for refusal in part.refusals)


def _judge(bench: Bench, way: Way, fetched: Fetched, tally: Tally) -> None:
    tally.true += len(fetched.unchanged)  # by the hash of what is stored
    for refusal in fetched.refusals:
        tally.refused[refusal.reason] += 1
        if refusal.reason.about_the_record and not bench.transport.says_gone(refusal.nct_id):
            tally.unjust.append(f"{way.__name__}: {refusal.nct_id} is {refusal.reason}: {refusal.detail}")
    odd = [record for record in fetched.records if record.content_hash not in true_hashes()[record.nct_id]]
    tally.true += len(fetched.records) - len(odd)
    if not odd:
        return
    with bench.database.reading() as db:
        believed, doubted = without_shrunk(db, replace(fetched, records=tuple(odd)))
        current = current_snapshots(db, [record.nct_id for record in believed.records])
    tally.refused[Reason.SHRUNK] += len(doubted)
    for record in believed.records:
        compared = bench.comparison.of(record, current[record.nct_id] or 0, now=NOW)
        if may(way) is May.WORD and _is_the_registrys_word(bench.transport, record):
            tally.words += 1
            tally.changes += len(compared.changes)
        else:
            start = record.body[:200]
            tally.unjust.append(f"{way.__name__}: {record.nct_id} believed, {len(compared.changes)} changes: {start!r}")


def _is_the_registrys_word(transport: HostileTransport, record: Record) -> bool:
    """Whether the record stands in an answer beyond doubt, and is not implausibly small."""
    stored, _ = versions()[record.nct_id]
    read = orjson.loads(record.body)
    excused = read["protocolSection"]["statusModule"]["overallStatus"] == "WITHHELD" or (
        stored.get("hasResults") is True and read.get("hasResults") is False
    )
    if shrinks(len(record.body), last_size=stored_sizes()[record.nct_id]) and not excused:
        return False
    content = without_stamp(read)
    return any(found == content for found in transport.said_of(record.nct_id))


# --- all of them ------------------------------------------------------------------------------------------------------


def run_part(seed: int, count: int = PART) -> Tally:
    """Give the client the answers of one seed."""
    chance = Random(seed)
    with opened_bench() as bench:
        tally = Tally(process=os.getpid(), base=_peak())
        for _ in range(max(1, count // COSTLY_EVERY)):
            ask(bench, bomb, chance, tally)
        while tally.answers < count:
            release = chance.random() < _SHARE_OF_RELEASES
            wordy = chance.random() < _SHARE_OF_WORDS
            way = chance.choice(RELEASE_WAYS if release else WORD if wordy else BROKEN + WRONG)
            try:
                (ask_release if release else ask)(bench, way, chance, tally)
            except Exception as error:
                error.add_note(f"seed {seed}, after {tally.answers} answers, {way.__name__}")
                raise
    tally.peak = _peak()
    return tally


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(count: int, *, processes: int = 1) -> list[Tally]:
    """Give the client at least so many answers."""
    parts = max(1, -(-count // PART))
    each = -(-count // parts)
    if processes == 1:
        return [run_part(seed, each) for seed in range(parts)]
    tallies = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        for tally in executor.map(run_part, range(parts), [each] * parts):
            tallies.append(tally)
            unjust = [wrong for one in tallies for wrong in one.unjust]
            sys.stderr.write(f"{sum(one.answers for one in tallies):,} answers, {len(unjust)} unjust {unjust[-3:]}\n")
            sys.stderr.flush()
    return tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a process takes, in KiB."""

    base: int  # before the first answer
    growth: int  # of the peak above that, bombs included
    drift: int  # of the peak, after the first part that a process did


def memory_of(tallies: Sequence[Tally]) -> Memory:
    """Return the worst of all processes."""
    by_process: dict[int, list[Tally]] = {}
    for tally in tallies:
        by_process.setdefault(tally.process, []).append(tally)
    each = [sorted(own, key=lambda one: one.peak) for own in by_process.values()]
    return Memory(
        base=max(own[0].base for own in each),
        growth=max(own[-1].peak - own[0].base for own in each),
        drift=max(own[-1].peak - own[0].peak for own in each),
    )


def rows(tallies: Sequence[Tally], *, took: timedelta) -> Iterator[str]:
    """Yield the rows of the table in the documentation."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    memory = memory_of(tallies)
    refused = ", ".join(f"{count:,} {reason}" for reason, count in sorted(total.refused.items()))
    yield (
        f"| malformed, cut and hostile answers in process, {len(total.ways)} ways | {total.answers:,} answers in"
        f" {took.total_seconds():,.0f} s ({total.answers / took.total_seconds():,.0f}/s) | 0 crashes,"
        f" {len(total.unjust)} unjust changes; {sum(total.refused.values()):,} records and releases refused"
        f" ({refused}); {total.true:,} records true; {total.words:,} whole and right with odd content: the registry's"
        f" word, {total.changes:,} changes in them |"
    )
    yield (
        f"| memory in that | {total.bombs} bombs of 15 to 200 MB among them | {memory.base // 1024} MB before, at most"
        f" {memory.growth // 1024} MB more; {memory.drift // 1024} MB more after the first {PART:,} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.hostile_answers")
    parser.add_argument("--count", type=int, default=1_000_000, help="answers")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--ways", action="store_true", help="print how often each way came")
    given = parser.parse_args()
    began = time.monotonic()
    tallies = run(given.count, processes=given.processes)
    took = timedelta(seconds=time.monotonic() - began)
    for row in rows(tallies, took=took):
        sys.stdout.write(f"{row}\n")
    total = Tally()
    for tally in tallies:
        total.add(tally)
    if given.ways:
        for way, count in sorted(total.ways.items()):
            sys.stdout.write(f"{way}: {count:,}\n")
    for wrong in total.unjust[:20]:
        sys.stdout.write(f"UNJUST: {wrong}\n")
    return 1 if total.unjust or memory_of(tallies).growth > BOUND else 0


if __name__ == "__main__":
    sys.exit(main())
