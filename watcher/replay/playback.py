"""One registry that is being played: which day it stands on, what it was asked, and how it misbehaves.

Shared by the HTTP server and the in-process adapter, so that both answer alike.  Does not open sockets and does not
move by itself.  Used by several threads.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from threading import Event, Lock
from typing import NamedTuple

from watcher.replay.answers import PREFIX, Answer, answer, html_answer
from watcher.replay.days import Dataset, DatasetError
from watcher.replay.faults import BREAKS_TRANSPORT, Fault, FaultKind, FaultPlan, faulty_answer

_REQUESTS_KEPT = 10_000


class Asked(NamedTuple):
    """One request that was answered; a plain tuple to whoever compares it with one."""

    method: str
    target: str  # path and query, as in the request line
    status: int  # 0 = it was left hanging


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    answer: Answer
    fault: Fault | None  # what the transport has to do to the answer; None = send it
    released: Event  # set when the faults are cleared: whoever hangs or drips for one waits on it


class Playback:
    """Where a replay stands; every request goes through ``ask``."""

    def __init__(self, dataset: Dataset, *, start_day: str | None = None) -> None:
        """Stand on ``start_day``, or on the first day."""
        self._dataset = dataset
        self._standing = dataset.on(start_day or dataset.days[0])
        self._plan = FaultPlan()
        self._requests: deque[Asked] = deque(maxlen=_REQUESTS_KEPT)
        self._calls = count()
        self._lock = Lock()

    @property
    def day(self) -> str:
        return self._standing.date

    @property
    def days(self) -> tuple[str, ...]:
        return self._dataset.days

    def go_to(self, day: str) -> None:
        """Stand on another day, earlier or later; raises DatasetError where there is no dataset of that day."""
        with self._lock:
            self._standing = self._dataset.on(day)

    def advance(self) -> str:
        """Go to the next day and return it.

        Raises:
            DatasetError: this is the last day.
        """
        with self._lock:
            place = self.days.index(self.day) + 1
            if place == len(self.days):
                raise DatasetError(f"{self.day} is the last day of this dataset")
            self._standing = self._dataset.on(self.days[place])
            return self.day

    @property
    def requests(self) -> tuple[Asked, ...]:
        """The last requests, oldest first; at most 10,000."""
        with self._lock:
            return tuple(self._requests)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._plan.pending

    def add_fault(self, fault: Fault) -> None:
        self._plan.add(fault)

    def clear_faults(self) -> None:
        """Behave from now on, and let go of requests that hang or drip."""
        self._plan.clear()

    def ask(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """Answer a request to the whole site; only what stands below ``/api/v2`` is the registry."""
        released = self._plan.released  # before a fault is taken, so that no clearing of it is missed
        fault = None
        if target.startswith(f"{PREFIX}/"):
            below = target.removeprefix(PREFIX)
            fault = self._plan.take(below)
            made = self._made(fault, method, below, headers=headers)
        else:
            made = html_answer(404, "Not Found")
        hangs = fault is not None and fault.kind is FaultKind.HANG
        with self._lock:
            self._requests.append(Asked(method, target, 0 if hangs else made.status))
        breaks = fault is not None and fault.kind in BREAKS_TRANSPORT
        return Reply(answer=made, fault=fault if breaks else None, released=released)

    def _made(self, fault: Fault | None, method: str, target: str, *, headers: Mapping[str, str]) -> Answer:
        with self._lock:
            day, call = self._standing, next(self._calls)
        if fault is None:
            return answer(day, target, headers, method=method, call=call)
        return faulty_answer(fault, day, target, headers=headers, method=method, call=call)
