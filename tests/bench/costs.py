"""What a piece of work costs this process.  Linux only: reads ``/proc``."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    cpu: float  # seconds, user and system, of all threads
    wall: float  # seconds


def cost_of(work: Callable[[], _Result]) -> tuple[_Result, Cost]:
    """Do the work, and return its result and what it cost."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = work()
    return result, Cost(cpu=cpu_seconds() - cpu, wall=time.perf_counter() - wall)


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_megabytes() -> float:
    """Return the most memory that this process ever held at once: VmHWM, in MB of 1,000,000 bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1_000_000
    raise OSError("/proc/self/status has no line VmHWM; the benchmark needs Linux")
