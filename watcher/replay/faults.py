"""Misbehaviour on request: what a registry, or the network before it, does on a bad day.

Decides which request is hit, and makes those wrong answers that are answers.  Does not break connections: the kinds in
``BREAKS_TRANSPORT`` are played by whoever sends the answer (``server``, ``adapter``).
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from threading import Event, Lock
from urllib.parse import unquote

from pydantic import ConfigDict, with_config

from watcher.replay.answers import Answer, answer, html_answer, text_answer
from watcher.replay.days import Day

_PIECE = b" " * (1 << 20)


class FaultKind(StrEnum):
    FORBIDDEN = "forbidden"  # 403
    RATE_LIMITED = "rate_limited"  # 429, with Retry-After or without
    SERVER_ERROR = "server_error"  # 5xx
    HTML = "html"  # a page, with status 200
    MISSING = "missing"  # one record is left out of lists; asked for alone, it is there
    WRONG_RECORD = "wrong_record"  # a single request is answered with another record
    HUGE = "huge"  # few bytes that inflate to ``size``
    SLOW = "slow"  # the body drips
    CUT = "cut"  # the connection closes in the middle of the body
    CUT_HEADERS = "cut_headers"  # it closes in the middle of the headers: Python's clients see 200 and an empty body
    HANG = "hang"  # accepts, and does not answer until the faults are cleared or the server closes


BREAKS_TRANSPORT = frozenset({FaultKind.SLOW, FaultKind.CUT, FaultKind.CUT_HEADERS, FaultKind.HANG})


@with_config(ConfigDict(extra="forbid", ser_json_timedelta="float"))  # only for commands that come as JSON
@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of misbehaviour: how often, and to which requests."""

    kind: FaultKind
    times: int | None = 1  # requests that are hit; None = until cleared
    path: str = "/"  # paths below /api/v2 that begin so
    nct_id: str | None = None  # only requests that name this ID; MISSING needs it: the record to leave out
    status: int = 503  # SERVER_ERROR: 500 to 599
    retry_after: timedelta | None = None  # RATE_LIMITED, SERVER_ERROR: the header, in whole seconds
    size: int = 1 << 28  # HUGE: bytes after inflation
    after: int | None = None  # CUT: bytes of the body, as sent, before the end; None = half of them
    length_told: bool = True  # CUT: with Content-Length; without, the body looks whole to HTTP
    pause: timedelta = timedelta(milliseconds=50)  # SLOW: between two drops
    drop: int = 1  # SLOW: bytes in a drop

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}; it has to be 1 or more, or absent for a fault that stays")
        if not self.path.startswith("/"):
            raise ValueError(f'path is {self.path!r}; it has to begin with "/", as in "/studies"')
        if not 500 <= self.status <= 599:
            raise ValueError(f"status is {self.status}; it has to be 500 to 599")
        if self.kind is FaultKind.MISSING and self.nct_id is None:
            raise ValueError("the fault 'missing' needs nct_id: the record to leave out")
        if self.drop < 1 or self.size < 1 or (self.after is not None and self.after < 0):
            raise ValueError("drop and size have to be 1 or more, after 0 or more")

    def hits(self, target: str) -> bool:
        """Tell whether a request, path and query below /api/v2, is one of those meant."""
        path, _, query = target.partition("?")
        is_list = path == "/studies"
        if not path.startswith(self.path) or (self.kind is FaultKind.MISSING and not is_list):
            return False
        if self.kind is FaultKind.WRONG_RECORD and not path.startswith("/studies/"):
            return False
        if self.nct_id is None or self.nct_id.upper() in unquote(target).upper():
            return True
        return self.kind is FaultKind.MISSING and "filter.ids=" not in query  # a list of everything has it too


class FaultPlan:
    """The faults still to come, first come first served.  Used by several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._released = Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def take(self, target: str) -> Fault | None:
        """Return the fault that hits this request, counting it; None = behave."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.hits(target):
                    if fault.times == 1:
                        del self._faults[place]
                    elif fault.times is not None:
                        self._faults[place] = replace(fault, times=fault.times - 1)
                    return fault
            return None

    def clear(self) -> None:
        """Forget all faults, and let go of requests that hang or drip."""
        with self._lock:
            self._faults.clear()
            self._released.set()
            self._released = Event()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults with the number of times that are left of each."""
        with self._lock:
            return tuple(self._faults)

    @property
    def released(self) -> Event:
        """Set at the next ``clear``; whoever hangs or drips for a fault waits on it."""
        with self._lock:
            return self._released


def faulty_answer(fault: Fault, day: Day, target: str, *, headers: Mapping[str, str], method: str, call: int) -> Answer:
    """Return the wrong answer of that fault; the right one where the fault breaks the transport instead."""
    match fault.kind:
        case FaultKind.FORBIDDEN:
            return html_answer(403, "403 Forbidden")
        case FaultKind.RATE_LIMITED:
            return _refusal(429, "Too Many Requests", fault.retry_after)
        case FaultKind.SERVER_ERROR:
            return _refusal(fault.status, "Service Unavailable", fault.retry_after)
        case FaultKind.HTML:
            return html_answer(200, "ClinicalTrials.gov")
        case FaultKind.HUGE:
            return _huge_answer(fault.size)
        case FaultKind.MISSING if fault.nct_id is not None:
            day = day.without(fault.nct_id)
        case FaultKind.WRONG_RECORD:
            target = f"/studies/{_another(day, target)}"
    return answer(day, target, headers, method=method, call=call)


def _refusal(status: int, text: str, retry_after: timedelta | None) -> Answer:
    plain = text_answer(status, text)
    waiting = {} if retry_after is None else {"Retry-After": str(int(retry_after.total_seconds()))}
    return replace(plain, headers={**plain.headers, "Content-Length": str(len(plain.body)), **waiting})


def _another(day: Day, target: str) -> str:
    """Return the ID of the next record after the one asked for; in a registry of one record there is no other."""
    asked = target.partition("?")[0].removeprefix("/studies/").upper()
    ids = sorted(day)
    return next((nct_id for nct_id in ids if nct_id > asked), ids[0] if ids else asked)


def _huge_answer(size: int) -> Answer:
    packed = b"".join(_pack(_huge_body(size)))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    return Answer(status=200, headers=headers, body=packed)


def _huge_body(size: int) -> Iterator[bytes]:
    """Yield valid JSON of ``size`` bytes or a little more: an empty list of studies with very much white space."""
    yield b'{"studies":['
    for start in range(0, size, len(_PIECE)):
        yield _PIECE[: size - start]
    yield b"]}"


def _pack(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=9, wbits=31)  # 31: with gzip's header
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
