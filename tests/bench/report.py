"""The benchmark's figures as Markdown, each with its goal beside it.  Does not measure."""

import os
import platform
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tests.bench.comparing import Comparison
from tests.bench.daemon import Life, Step

_LIBRARIES = ("deepdiff", "orjson", "requests", "sqlalchemy", "urllib3", "zstandard")
_THOUSAND, _TEN_THOUSAND = 2_000, 20_000  # watches up to which the goals for 1,000 and for 10,000 are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Both lives of one size."""

    watches: int
    cold: Life
    warm: Life


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One figure of every size."""

    name: str
    figure: Callable[[Measured], str]
    goals: tuple[str, str] = ("", "")  # for 1,000 and for 10,000 watches


def report(source: str, sizes: Sequence[Measured], comparison: Comparison, *, repetitions: int, ticks: int) -> str:
    """Return the whole report.

    Args:
        source: where the records come from, in words.
        sizes: what was measured, smallest first.
        comparison: what comparing costs.
        repetitions: of each release.
        ticks: of "no new release".
    """
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
        f"Records: {source}.",
        f"First check: once.  No new release: mean of {ticks}.  New releases: medians of {repetitions}.",
        "",
        *_service_table(sizes),
        "",
        *_growth(sizes),
        *_comparison_lines(comparison, repetitions),
    ]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Return what the figures were measured on: processor, system, versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_cpu_model()}, {cores} cores, {platform.system()}; {python}, SQLite {sqlite3.sqlite_version}, {libraries}"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _service_table(sizes: Sequence[Measured]) -> Iterator[str]:
    yield "| | " + " | ".join(f"{size.watches:,} watches | goal" for size in sizes) + " |"
    yield "|---|" + "---:|---|" * len(sizes)
    for row in _ROWS:
        cells = (f"{row.figure(size)} | {_goal(row, size.watches)}" for size in sizes)
        yield f"| {row.name} | " + " | ".join(cells) + " |"


def _goal(row: _Row, watches: int) -> str:
    if watches <= _THOUSAND:
        return row.goals[0]
    return row.goals[1] if watches <= _TEN_THOUSAND else ""


def _growth(sizes: Sequence[Measured]) -> Iterator[str]:
    """Say what ten times the watches cost: the ratio of the costs of one watch, times ten."""
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        for name, cpu in _GROWING:
            times = 10 * (cpu(large) / large.watches) / (cpu(small) / small.watches)
            yield f"Ten times the watches cost {times:.1f} times the CPU, {name} (goal: at most 11)."
        yield ""


def _comparison_lines(found: Comparison, repetitions: int) -> Iterator[str]:
    yield f"| comparing {found.pairs} successive versions | total, CPU s | longest, CPU ms |"
    yield "|---|---:|---:|"
    yield f"| trialwatch (median of {repetitions}) | {found.total:.3f} | {found.longest * 1000:.1f} |"
    whole = f"{found.whole_total:.2f} | {found.whole_longest * 1000:.0f}"
    yield f"| DeepDiff(ignore_order=True) on the whole records (once) | {whole} |"
    yield f"| ratio | {found.whole_total / found.total:.0f} | {found.whole_longest / found.longest:.0f} |"


def _stamped_cpu(size: Measured) -> float:
    return _cpu(size.warm.stamped)


def _changed_cpu(size: Measured) -> float:
    return _cpu(size.warm.changed)


def _cpu(steps: Sequence[Step]) -> float:
    return median(step.check.cpu for step in steps)


def _whole_cpu(size: Measured) -> float:
    return median(step.check.cpu + step.mail.cpu for step in size.warm.changed if step.mail)


def _tick_with_mail(size: Measured) -> float:
    tick = size.warm.tick
    return tick.check.cpu + (tick.mail.cpu if tick.mail else 0.0)


def _middle(steps: Sequence[Step], figure: Callable[[Step], float]) -> float:
    return median(figure(step) for step in steps)


_GROWING: tuple[tuple[str, Callable[[Measured], float]], ...] = (
    ("first check", lambda size: size.cold.first.check.cpu),
    ("new release, stamp only", _stamped_cpu),
    ("new release, 1 % changed", _changed_cpu),
)

_ROWS = (
    _Row(
        name="first check: requests",
        figure=lambda size: str(size.cold.first.requests),
    ),
    _Row(name="first check: CPU s", figure=lambda size: f"{size.cold.first.check.cpu:.2f}"),
    _Row(name="first check: peak MB", figure=lambda size: f"{size.cold.checked_peak:.0f}"),
    _Row(
        name="first check: stored MB for each 1,000",
        figure=lambda size: f"{size.cold.first.stored / 1000 / size.watches:.2f}",
        goals=("5", "5"),
    ),
    _Row(name="no new release: requests", figure=lambda size: str(size.warm.tick.requests), goals=("1", "1")),
    _Row(
        name="no new release: CPU ms",
        figure=lambda size: f"{size.warm.tick.check.cpu * 1000:.2f}",
        goals=("2", "2"),
    ),
    _Row(name="… and looking for mail: CPU ms", figure=lambda size: f"{_tick_with_mail(size) * 1000:.2f}"),
    _Row(
        name="new release, stamp only: requests",
        figure=lambda size: f"{_middle(size.warm.stamped, lambda step: step.requests):.0f}",
        goals=("4", "27"),
    ),
    _Row(name="new release, stamp only: CPU s", figure=lambda size: f"{_stamped_cpu(size):.3f}"),
    _Row(
        name="new release, stamp only: bodies stored",
        figure=lambda size: str(sum(step.bodies for step in size.warm.stamped)),
        goals=("0", "0"),
    ),
    _Row(
        name="new release, stamp only: database grows, kB",
        figure=lambda size: f"{_middle(size.warm.stamped, lambda step: step.stored) / 1000:.0f}",
    ),
    _Row(
        name="new release, 1 % changed: requests",
        figure=lambda size: f"{_middle(size.warm.changed, lambda step: step.requests):.0f}",
        goals=("4", "27"),
    ),
    _Row(
        name="new release, 1 % changed: records changed",
        figure=lambda size: f"{_middle(size.warm.changed, lambda step: step.changed):.0f}",
    ),
    _Row(
        name="new release, 1 % changed: CPU s",
        figure=lambda size: f"{_changed_cpu(size):.3f}",
        goals=("0.2", "2.5"),
    ),
    _Row(
        name="… with digest and delivery to files: CPU s",
        figure=lambda size: f"{_whole_cpu(size):.3f}",
    ),
    _Row(
        name="new release, 1 % changed: database grows, kB",
        figure=lambda size: f"{_middle(size.warm.changed, lambda step: step.stored) / 1000:.0f}",
    ),
    _Row(
        name="running daemon, new releases with mail: peak MB",
        figure=lambda size: f"{size.warm.peak:.0f}",
        goals=("", "120"),
    ),
)
