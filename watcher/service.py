"""The daemon: a scheduler that wakes the pipeline, and signals.

What is due stands in the database; a wake-up that comes late, or twice, changes nothing.  One thread checks and
composes, another delivers, so that a slow mail server does not keep the registry waiting.

SIGTERM and SIGINT end it in under ten seconds, with everything recorded; SIGHUP reads the settings again, and keeps
the old ones when the new ones are wrong.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from watcher.app import Application, Stopped
from watcher.errors import RegistryError, SettingsError, StoreError
from watcher.store.leases import RENEW_EVERY, Holder, renew
from watcher.store.watches import waits_for_first_fetch

_GRACE = timedelta(seconds=8)  # for what is under way when the service is told to end
_log = structlog.get_logger("service")

Reopen = Callable[[], Application]


@dataclass(slots=True)
class _State:
    app: Application
    next_check_at: datetime


class Service:
    """Runs one application until it is told to stop, or loses the lease."""

    def __init__(self, app: Application, reopen: Reopen) -> None:
        """Prepare.

        Args:
            app: opened; the service closes it.
            reopen: reads the settings again and opens an application on them; raises what that raises.
        """
        self._state = _State(app=app, next_check_at=app.now())
        self._reopen = reopen
        self._wake = threading.Event()
        self._hangup = False
        self._terminate = False
        self._lease_lost = False
        self._retired: list[Application] = []
        self._mail_wanted = threading.Lock()

    def run(self) -> bool:
        """Work until a signal; return False when another instance took the work over."""
        app = self._state.app
        with app.working() as holder:
            recovered = app.pipeline.deliver.recover(now=app.now())
            app.declare_lists()
            _log.info("started", mail=app.channel.name, database=app.database.name, interrupted_mails=recovered)
            scheduler = self._scheduler(holder)
            self._listen()
            scheduler.start()
            try:
                self._wait()
            finally:
                self._end(scheduler)
        return not self._lease_lost

    def _scheduler(self, holder: Holder) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in ("watch", "mail", "lease")},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        mail_every = self._state.app.settings.mail.deliver_every
        for name, job, every in (
            ("watch", self._watch, min(mail_every, self._state.app.settings.registry.check_every)),
            ("mail", self._mail, mail_every),
            ("lease", lambda: self._renew(holder), RENEW_EVERY),
        ):
            scheduler.add_job(
                self._guarded(name, job),
                "interval",
                seconds=every.total_seconds(),
                executor=name,
                id=name,
                next_run_time=self._state.app.now(),
            )
        return scheduler

    def _guarded(self, name: str, job: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                job()
            except Stopped:
                return
            except (RegistryError, StoreError) as error:
                _log.error("stage failed; it is repeated", stage=name, error=str(error))
            except Exception:  # noqa: BLE001 the loop itself: a bug must be logged and must not end the service
                _log.exception("stage failed by a fault of ours; it is repeated", stage=name)

        return run

    def _watch(self) -> None:
        state = self._state
        app = state.app
        now = app.now()
        with app.database.reading() as db:
            impatient = waits_for_first_fetch(db)
        if impatient or now >= state.next_check_at:
            # Set first: a check that fails is repeated after the interval, not at once.
            state.next_check_at = now + app.settings.registry.check_every
            try:
                self._check(app, now)
            finally:
                app.pipeline.digest.run(now=app.now())
        else:
            app.pipeline.digest.run(now=now)

    def _check(self, app: Application, now: datetime) -> None:
        outcome = app.pipeline.check.run(now=now)
        _log.info(
            "checked",
            data=outcome.release.data_timestamp,
            asked=outcome.asked,
            unchanged=outcome.unchanged,
            first_seen=outcome.first_seen,
            changed=outcome.changed,
            refused=sum(outcome.refused.values()),
        )

    def _mail(self) -> None:
        app = self._state.app
        handed = app.pipeline.deliver.run(now=app.now())
        if handed.states:
            _log.info("delivered", channel=app.channel.name, **{str(state): n for state, n in handed.states.items()})

    def _renew(self, holder: Holder) -> None:
        app = self._state.app
        with app.database.writing() as db:
            held = renew(db, holder, now=app.now())
        if not held:
            self._lease_lost = True
            self._wake.set()

    def _listen(self) -> None:
        def on_hangup(_number: int, _frame: FrameType | None) -> None:
            self._hangup = True
            self._wake.set()

        def on_terminate(_number: int, _frame: FrameType | None) -> None:
            self._terminate = True
            self._wake.set()

        signal.signal(signal.SIGHUP, on_hangup)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_terminate)

    def _wait(self) -> None:
        while not self._terminate and not self._lease_lost:
            self._wake.wait()
            self._wake.clear()
            if self._hangup:
                self._hangup = False
                self._reload()

    def _reload(self) -> None:
        try:
            fresh = self._reopen()
        except (SettingsError, StoreError) as error:
            _log.error("new settings refused, the old ones stay in force", problems=str(error).splitlines())
            return
        old = self._state.app
        fresh.declare_lists()
        self._state = _State(app=fresh, next_check_at=fresh.now())
        self._retired.append(old)  # a stage may still be at work with it; closed at the end
        _log.info("settings reloaded; intervals change at the next start", mail=fresh.channel.name)

    def _end(self, scheduler: BackgroundScheduler) -> None:
        """Stop every stage where it stands; what is under way gets a moment, what hangs is left."""
        for app in (*self._retired, self._state.app):
            app.stop.set()
            app.connection.abort()
        ended = threading.Event()

        def shut_down() -> None:
            scheduler.shutdown(wait=True)
            ended.set()

        threading.Thread(target=shut_down, daemon=True).start()
        if ended.wait(_GRACE.total_seconds()):
            _log.info("stopped")
        else:
            _log.warning("stopped while a stage was still at work; it is taken up again at the next start")


def end_process(code: int) -> None:
    """End at once: the standard exit would wait for threads that hang in a transfer."""
    os._exit(code)
