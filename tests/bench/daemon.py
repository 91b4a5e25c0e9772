"""The measured process: an application as a daemon has it open, taken through the benchmark's phases.

``python -m tests.bench.daemon`` reads a plan (JSON) from standard input and writes what each phase cost (JSON) to
standard output.  A process of its own for each plan, because a peak of memory is the peak of a whole life.

Does not serve the registry and does not judge the figures.
"""

import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import orjson
from sqlalchemy import func, select

from tests.bench.costs import Cost, cost_of, peak_megabytes
from tests.bench.registry import ServedRegistry
from watcher.app import Application, open_application
from watcher.config.settings import Settings
from watcher.core.meaning import compare
from watcher.logs import configure_logs
from watcher.model import Cadence, Json, Recipient, Schedule, Watchlist
from watcher.store.lists import declare_lists
from watcher.store.tables import snapshot

_READER = Recipient(address="reader@example.org", schedule=Schedule(cadence=Cadence.DAILY, time_zone="UTC"))
_CHECKED_AT = timedelta(hours=14)  # of a dataset day, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure.  ``days`` are dataset days, gone through in order."""

    site: str  # of the registry
    folder: str  # of the database and the mails
    nct_ids: list[str]
    day: str  # to be checked first: cold in an empty folder, "no new release" in any other
    ticks: int  # repetitions of "no new release"
    stamped: list[str]
    changed: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one release, or one tick, cost."""

    check: Cost
    mail: Cost | None  # of composing and handing over what the check left; None = not measured
    requests: int
    stored: int  # bytes by which the database grew
    bodies: int  # snapshots that were added
    changed: int  # records with changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What one process did."""

    first: Step
    tick: Step  # no new release: each figure is that of many repetitions, divided by their number
    stamped: list[Step]
    changed: list[Step]
    checked_peak: float  # MB, before anything was mailed
    peak: float  # MB

    @classmethod
    def of(cls, tree: Json) -> Self:
        """Read what ``main`` wrote."""
        steps = {name: [_step(each) for each in tree[name]] for name in ("stamped", "changed")}
        single = {name: _step(tree[name]) for name in ("first", "tick")}
        return cls(**{**tree, **steps, **single})


def _step(tree: Json) -> Step:
    mail = None if tree["mail"] is None else Cost(**tree["mail"])
    return Step(**{**tree, "check": Cost(**tree["check"]), "mail": mail})


def main() -> None:
    plan = Plan(**orjson.loads(sys.stdin.buffer.read()))
    configure_logs("error", "text")
    sys.stdout.buffer.write(orjson.dumps(asdict(_Daemon(plan).live())))


class _Daemon:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._registry = ServedRegistry(plan.site)
        self._file = Path(plan.folder) / "bench.sqlite3"
        self._moment = datetime.now(UTC)
        self._app = self._opened()

    def live(self) -> Life:
        plan = self._plan
        first = self._release(plan.day, mail=False)
        checked_peak = peak_megabytes()
        self._mail()
        tick = self._ticks()
        stamped, changed = [], []
        for one, other in zip(plan.stamped, plan.changed, strict=True):
            stamped.append(self._release(one, mail=False))
            changed.append(self._release(other, mail=True))
        self._app.close()
        return Life(
            first=first, tick=tick, stamped=stamped, changed=changed, checked_peak=checked_peak, peak=peak_megabytes()
        )

    def _opened(self) -> Application:
        folder = Path(self._plan.folder)
        settings = Settings.model_validate(
            {
                "operator": "operator@example.org",
                "registry": {"base_url": f"{self._plan.site}/api/v2", "requests_per_minute": 0},
                "mail": {"directory": str(folder / "mail")},
                "database": {"url": f"sqlite:///{self._file}"},
            },
            context={"folder": folder},
        )
        app = open_application(settings, now=lambda: self._moment)
        watchlist = Watchlist(name="bench", trials=tuple(self._plan.nct_ids), recipients=(_READER,))
        with app.database.writing() as db:
            declare_lists(db, [watchlist], now=self._moment)
        if self._file.stat().st_size and self._plan.changed:
            # A daemon that has seen one change has DeepDiff in memory: 0.2 s that no later one pays.
            compare({"hasResults": False}, {"hasResults": True}, app.table)
        return app

    def _release(self, day: str, *, mail: bool) -> Step:
        self._registry.go_to(day)
        self._moment = datetime.fromisoformat(day).replace(tzinfo=UTC) + _CHECKED_AT
        before = (self._registry.requests(), self._size(), self._bodies())
        outcome, check = cost_of(lambda: self._app.pipeline.check.run(now=self._moment))
        if outcome.refused:
            raise RuntimeError(f"the benchmark's registry refused records: {outcome.refusals[:3]}")
        after = (self._registry.requests(), self._size(), self._bodies())
        requests, stored, bodies = (new - old for new, old in zip(after, before, strict=True))
        mailing = self._mail() if mail else None
        return Step(check=check, mail=mailing, requests=requests, stored=stored, bodies=bodies, changed=outcome.changed)

    def _mail(self) -> Cost:
        """Compose and hand over what is due when the reader's day ends."""
        self._moment += timedelta(days=1)
        _, cost = cost_of(self._compose_and_deliver)
        return cost

    def _compose_and_deliver(self) -> None:
        self._app.pipeline.digest.run(now=self._moment)
        self._app.pipeline.deliver.run(now=self._moment)

    def _ticks(self) -> Step:
        """Check and look for due mail again and again, while there is nothing new."""
        before = self._registry.requests()
        check = self._repeated(lambda: self._app.pipeline.check.run(now=self._moment))
        requests = self._registry.requests() - before
        mail = self._repeated(self._compose_and_deliver)
        return Step(check=check, mail=mail, requests=round(requests / self._plan.ticks), stored=0, bodies=0, changed=0)

    def _repeated(self, work: Callable[[], object]) -> Cost:
        """Return what the work costs once, as the mean of many times."""
        ticks = self._plan.ticks
        _, cost = cost_of(lambda: [work() for _ in range(ticks)])
        return Cost(cpu=cost.cpu / ticks, wall=cost.wall / ticks)

    def _size(self) -> int:
        """Return the size of the database's file once everything is in it."""
        with sqlite3.connect(self._file) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        return self._file.stat().st_size

    def _bodies(self) -> int:
        with self._app.database.reading() as db:
            return int(db.execute(select(func.count()).select_from(snapshot)).scalar_one())


if __name__ == "__main__":
    main()
