"""Proof: whatever a network does to the registry's answers, nothing is taken for a record that is none.

    python -m tests.reliability.fault_proxy --count 20000

The program's real client asks a real HTTP server over real sockets, through a TCP proxy that plays one fault for each
answer (``tcp_proxy.py``).  The answers of a record alone, of a list, of the release, "not found" and the redirect of an
obsolete number are cut at every byte, the head included, with FIN and with RST, packed and plain, with and without a
length; and there are latency, slow lines, black holes and refused connections.  The client knows an older version of
the record, so that anything but the true one would become a false change.  What may come out is the true record, once
its last byte has come, or a refusal with the right reason.
"""

import argparse
import logging
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from tests.edges.registry_clients import Wired, wired
from tests.factories import study
from tests.reliability.tcp_proxy import End, Fault, FaultProxy, closed_port
from watcher.core.stamp import content_hash, cut_stamp
from watcher.errors import RegistryError
from watcher.model import Reason
from watcher.registry.client import Fetched, _Batch
from watcher.registry.connection import Limits
from watcher.replay.days import Dataset
from watcher.replay.server import RegistryServer

TRIAL, ALIAS, UNKNOWN = "NCT00000001", "NCT00000099", "NCT77777777"
BOUND = 64 * 1024  # KiB of growth
DAY = "2026-03-02"
_TRIES = 5
_PACKED_END = 10  # bytes
_ALL = 20_000  # there are somewhat more cuts than that
_SHORT = Limits(
    connect_timeout=timedelta(seconds=5), read_timeout=timedelta(milliseconds=80), deadline=timedelta(milliseconds=240)
)


class Asked(StrEnum):
    """What the answer with the fault is."""

    ALONE = "a record alone"
    LISTED = "a list"
    RELEASE = "the release"
    UNKNOWN = "not found"
    REDIRECT = "a redirect"


_TARGETS = {
    Asked.ALONE: f"/studies/{TRIAL}",
    Asked.LISTED: "/studies?",
    Asked.RELEASE: "/version",
    Asked.UNKNOWN: f"/studies/{UNKNOWN}",
    Asked.REDIRECT: f"/studies/{ALIAS}",
}
_IDS = {Asked.ALONE: TRIAL, Asked.LISTED: TRIAL, Asked.UNKNOWN: UNKNOWN, Asked.REDIRECT: ALIAS}
# What a cut may be called.  A record that its list lacked is missing, not gone, when nothing came of its own request.
_NO_ANSWER = frozenset({Reason.UNREACHABLE, Reason.MISSING})
_CUT = _NO_ANSWER | {Reason.NOT_JSON}
_MAY = {
    Asked.ALONE: _CUT,
    Asked.LISTED: _CUT,
    Asked.RELEASE: _CUT,
    Asked.UNKNOWN: _CUT | {Reason.MISSING},
    Asked.REDIRECT: _CUT | {Reason.SERVER_ERROR, Reason.MISSING},
}
_WHOLE = {Asked.UNKNOWN: Reason.NOT_FOUND, Asked.REDIRECT: Reason.ALIASED}


@dataclass(slots=True)
class Tally:
    """What came of the answers."""

    answers: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    true: int = 0
    wrong: list[str] = field(default_factory=list)
    base: int = 0  # KiB of memory
    peak: int = 0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A client, the proxy that it asks, and the server behind that."""

    server: RegistryServer
    proxy: FaultProxy
    client: Wired
    hasty: Wired  # waits for nothing long


@contextmanager
def opened_line() -> Iterator[Line]:
    record = study(TRIAL, aliases=[ALIAS], status="SUSPENDED", stamp=DAY)
    with RegistryServer(Dataset.of({DAY: [record]})) as server, FaultProxy(_port(server)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/api/v2"
        client, hasty = wired(url=url, attempts=1), wired(url=url, attempts=1)
        hasty.connection._limits = _SHORT
        yield Line(server=server, proxy=proxy, client=client, hasty=hasty)


def _port(server: RegistryServer) -> int:
    return int(server.site.rpartition(":")[2])


def faults(line: Line, *, stride: int) -> Iterator[tuple[Asked, Fault]]:
    """Yield every cut: each ``stride``-th byte of each answer in each form."""
    for asked in Asked:
        for packed in (True, False):
            for length_told in (True, False):
                whole = Fault(part=_TARGETS[asked], packed=packed, length_told=length_told)
                yield asked, whole
                for end in (End.CLOSED, End.RESET):
                    for after in range(0, line.proxy.last_size, stride):
                        yield asked, replace(whole, end=end, after=after)


def _is_hopeless(fault: Fault) -> bool:
    """Whether a hasty client must give up."""
    return fault.end is End.BLACK_HOLE or fault.latency > _SHORT.read_timeout or fault.piece == 1


def slow_faults(count: int) -> Iterator[tuple[Asked, Fault]]:
    """Yield what takes time; each costs up to a quarter of a second."""
    kinds = [
        Fault(part="", latency=timedelta(milliseconds=20)),
        Fault(part="", latency=timedelta(milliseconds=200)),
        Fault(part="", piece=200, pause=timedelta(milliseconds=1)),
        Fault(part="", piece=1, pause=timedelta(milliseconds=5)),
        Fault(part="", end=End.BLACK_HOLE),
        Fault(part="", end=End.BLACK_HOLE, after=300),
    ]
    for number in range(count):
        asked = (Asked.ALONE, Asked.LISTED)[number // len(kinds) % 2]
        yield asked, replace(kinds[number % len(kinds)], part=_TARGETS[asked])


def play(line: Line, asked: Asked, fault: Fault, tally: Tally) -> None:
    """Ask once with a fault, and judge what came of it; a hasty client may give up before, on a busy machine."""
    for _ in range(_TRIES):
        if _play_once(line, asked, fault, tally):
            return
    tally.wrong.append(f"{asked}: {fault} was not played")


def _play_once(line: Line, asked: Asked, fault: Fault, tally: Tally) -> bool:
    client = line.hasty if _is_hopeless(fault) else line.client
    line.proxy.fault = fault
    before = line.proxy.played
    if asked is Asked.RELEASE:
        _judge_release(client, fault, line, tally)
    else:
        taken = tally.true
        fetched = _fetched(line, client, asked)
        _judge(fetched, asked, fault, line, tally)
        if _is_hopeless(fault) and tally.true > taken:
            tally.wrong.append(f"{asked}: {fault} did not make the client give up")
    tally.answers += line.proxy.played - before
    tally.faults[_name(fault)] += line.proxy.played - before
    return line.proxy.played > before


def _fetched(line: Line, client: Wired, asked: Asked) -> Fetched:
    if asked is Asked.REDIRECT:  # the server's list would know the obsolete number
        batch = _Batch(asked={ALIAS: None}, known={}, listed=True)
        client.client._fetch_one(batch, ALIAS)
        return batch.judged()
    if asked is Asked.ALONE:  # its list leaves it out, so that it is asked for alone
        line.server.fault("missing", nct_id=TRIAL)
    (fetched,) = client.fetch([_IDS[asked]], {TRIAL: b"of an older version"})
    line.server.clear_faults()
    return fetched


def _name(fault: Fault) -> str:
    if fault.end in {End.CLOSED, End.RESET}:
        return fault.end
    if fault.latency:
        return "latency"
    return "rate" if fault.piece else fault.end


def _is_whole(fault: Fault, line: Line) -> bool:
    """Whether all that matters may have come: what is packed ends in the mark of its end and a check sum."""
    rest = _PACKED_END if fault.packed else 0
    return fault.end is End.WHOLE or fault.after >= line.proxy.last_size - rest


def _judge(fetched: Fetched, asked: Asked, fault: Fault, line: Line, tally: Tally) -> None:
    truth = content_hash(cut_stamp(_true_body())[0])
    spoken = len(fetched.records) + len(fetched.unchanged) + len(fetched.refusals)
    if spoken != 1:
        tally.wrong.append(f"{asked}, {fault}: {spoken} outcomes")
    for record in fetched.records:
        tally.true += 1
        if (record.nct_id, record.content_hash) != (TRIAL, truth) or not _is_whole(fault, line):
            tally.wrong.append(f"{asked}, {fault}: believed {record.body[:80]!r}")
    for refusal in fetched.refusals:
        tally.reasons[refusal.reason] += 1
        if refusal.reason is _WHOLE.get(asked):
            # Of a redirect only the line with the address matters, of "not found" every word.
            if refusal.canonical_id not in {None, TRIAL} or (asked is Asked.UNKNOWN and not _is_whole(fault, line)):
                tally.wrong.append(f"{asked}, {fault}: {refusal}")
        elif refusal.reason not in _MAY[asked] or (fault.end is End.WHOLE and not _is_hopeless(fault)):
            tally.wrong.append(f"{asked}, {fault}: {refusal}")


def _judge_release(client: Wired, fault: Fault, line: Line, tally: Tally) -> None:
    try:
        release = client.client.release()
    except RegistryError as error:
        tally.reasons[error.reason] += 1
        if error.reason not in _MAY[Asked.RELEASE] or fault.end is End.WHOLE:
            tally.wrong.append(f"release, {fault}: {error}")
        return
    tally.true += 1
    if not release.data_timestamp.startswith(DAY) or not _is_whole(fault, line):
        tally.wrong.append(f"release, {fault}: {release}")


def _true_body() -> bytes:
    return Dataset.of({DAY: [study(TRIAL, aliases=[ALIAS], status="SUSPENDED", stamp=DAY)]}).on(DAY)[TRIAL]


def refused(count: int, tally: Tally) -> None:
    """Ask where nobody listens."""
    client = wired(url=f"http://127.0.0.1:{closed_port()}/api/v2", attempts=1)
    for _ in range(count):
        (fetched,) = client.fetch([TRIAL])
        tally.answers += 1
        tally.faults["refused connection"] += 1
        reasons = [refusal.reason for refusal in fetched.refusals]
        tally.reasons.update(reasons)
        if fetched.records or reasons != [Reason.UNREACHABLE]:
            tally.wrong.append(f"refused: {fetched}")


def run(count: int) -> Tally:
    """Play every cut if there are answers enough, or each n-th, and slow faults beside them."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    tally = Tally()
    with opened_line() as line:
        for asked, fault in slow_faults(max(12, count // 100)):
            play(line, asked, fault, tally)
        tally.base = tally.peak = _peak()
        refused(max(3, count // 200), tally)
        for asked, fault in faults(line, stride=max(1, _ALL // count)):
            play(line, asked, fault, tally)
            if tally.answers % 1_000 == 0:
                sys.stderr.write(f"{tally.answers:,} answers, {len(tally.wrong)} wrong\n")
        line.client.connection.close()
        line.hasty.connection.close()
    tally.peak = _peak()
    return tally


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def row(tally: Tally, *, took: timedelta) -> str:
    """Return the row of the table in the documentation."""
    played = ", ".join(f"{count:,} {name}" for name, count in sorted(tally.faults.items()))
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(tally.reasons.items()))
    return (
        f"| answers through a TCP proxy with faults: every cut of a record, a list, the release, 404 and 301 | "
        f"{tally.answers:,} answers in {took.total_seconds():,.0f} s ({played}) | 0 crashes, {len(tally.wrong)} false"
        f" changes or wrong reasons; {tally.true:,} true, refused: {reasons}; memory {tally.base // 1024} MB before, at"
        f" most {(tally.peak - tally.base) // 1024} MB more |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fault_proxy")
    parser.add_argument("--count", type=int, default=20_000, help="answers, at least; from 20,000 on every cut")
    began = time.monotonic()
    tally = run(parser.parse_args().count)
    sys.stdout.write(row(tally, took=timedelta(seconds=time.monotonic() - began)) + "\n")
    for wrong in tally.wrong[:20]:
        sys.stdout.write(f"WRONG: {wrong}\n")
    return 1 if tally.wrong or tally.peak - tally.base > BOUND else 0


if __name__ == "__main__":
    sys.exit(main())
