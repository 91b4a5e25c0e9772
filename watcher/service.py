"""The daemon: a scheduler that wakes the pipeline, and signals.

What is due stands in the database; a wake-up that comes late, or twice, changes nothing.  One thread checks and
composes, another delivers, so that a slow mail server does not keep the registry waiting.  The main thread does
nothing but wait: a thread that waits for the database's lock does not hear signals.

SIGTERM and SIGINT end it in under ten seconds, with everything recorded; SIGHUP reads the settings again, and keeps
the old ones when the new ones are wrong.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from watcher.app import Application, Stopped
from watcher.errors import RegistryError, SettingsError, StoreError
from watcher.store.leases import DURATION, RENEW_EVERY, Holder, renew
from watcher.store.lists import listings
from watcher.store.watches import waits_for_first_fetch

_GRACE = timedelta(seconds=5)  # for what is under way when the service is told to end; the lease takes two more
_LOOK_EVERY = timedelta(seconds=5)  # at the clocks
_CLOCK_SET_BACK = timedelta(seconds=1)  # what is corrected by less makes no job late enough to matter
_log = structlog.get_logger("service")

Reopen = Callable[[], Application]


@dataclass(slots=True)
class _State:
    """The application in force, and what the checks have to know of the last one."""

    app: Application
    next_check: float  # on the monotonic clock
    listed: frozenset[str] = frozenset()  # trials that were on a list when the last check began
    users: int = 0  # stages that are at work with it


@dataclass(slots=True)
class _Asked:
    """What signals have asked for."""

    hangup: bool = False
    terminate: bool = False
    wake: threading.Event = field(default_factory=threading.Event)


class Service:
    """Runs one application until it is told to stop, or loses the lease."""

    def __init__(self, app: Application, reopen: Reopen) -> None:
        """Prepare.

        Args:
            app: opened; the process's end closes it.
            reopen: reads the settings again and opens an application on them, best on the same open database; raises
                what that raises.
        """
        self._state = _State(app=app, next_check=app.monotonic())
        self._reopen = reopen
        self._asked = _Asked()
        self._lock = threading.Lock()  # of the two that follow, and of the states' users
        self._retired: list[_State] = []
        self._lease_lost = False
        self._renewed = app.monotonic()

    def run(self) -> bool:
        """Work until a signal; return False when another instance took the work over, or may have.

        Raises:
            LeaseHeld: another instance does the work now.
            StoreError: the database cannot be used.
        """
        self._listen()
        with ExitStack() as work:
            holder = self._begun(work)
            if holder is None:
                _log.info("stopped before the work began")
                return True
            scheduler = self._scheduler(holder)
            scheduler.start()
            try:
                self._wait(scheduler)
            finally:
                self._end(scheduler)
        return not self._lease_lost

    def _listen(self) -> None:
        asked = self._asked

        def on_hangup(_number: int, _frame: FrameType | None) -> None:
            asked.hangup = True
            asked.wake.set()

        def on_terminate(_number: int, _frame: FrameType | None) -> None:
            asked.terminate = True
            asked.wake.set()

        signal.signal(signal.SIGHUP, on_hangup)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_terminate)
        # Whoever started us may have held it back, so that it does not end a process that is not ready for it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def _begun(self, work: ExitStack) -> Holder | None:
        """Take the lease and put everything in order; return None when told to end before that is done."""
        thread = futures.ThreadPoolExecutor(1, thread_name_prefix="begin")
        beginning = thread.submit(self._begin, work)
        beginning.add_done_callback(lambda _: self._asked.wake.set())
        while not beginning.done() and not self._asked.terminate:
            self._asked.wake.wait()
            self._asked.wake.clear()
        thread.shutdown(wait=False)
        return beginning.result() if beginning.done() else None

    def _begin(self, work: ExitStack) -> Holder:
        app = self._state.app
        holder = work.enter_context(app.working())
        self._renewed = app.monotonic()
        recovered = app.pipeline.deliver.recover(now=app.now())
        app.declare_lists()
        _log.info("started", mail=app.channel.name, database=app.database.name, interrupted_mails=recovered)
        return holder

    def _scheduler(self, holder: Holder) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in ("watch", "mail", "lease", "settings")},
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

    # --- stages -------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Check when the interval is over, or at once for a trial that was added since the last check began.

        Only then: a trial that could not be fetched is still waiting after a check that failed, and a registry that
        does not answer, or refuses us, is not to be asked more often for that.
        """
        with self._at_work() as state:
            app = state.app
            now = app.now()
            listed = self._listed_newly(state)
            if listed or app.monotonic() >= state.next_check:
                # Set first: a check that fails is repeated after the interval, not at once.
                state.next_check = app.monotonic() + app.settings.registry.check_every.total_seconds()
                state.listed = listed or _listed(app)
                try:
                    self._check(app, now)
                finally:
                    app.pipeline.digest.run(now=app.now())
            else:
                app.pipeline.digest.run(now=now)

    def _listed_newly(self, state: _State) -> frozenset[str]:
        """Return all listed trials, if one that was never fetched was not among them at the last check; or nothing."""
        with state.app.database.reading() as db:
            waiting = waits_for_first_fetch(db)
        listed = _listed(state.app) if waiting else frozenset()
        return listed if listed - state.listed else frozenset()

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
        with self._at_work() as state:
            app = state.app
            handed = app.pipeline.deliver.run(now=app.now())
        if handed.states:
            _log.info("delivered", channel=app.channel.name, **{str(state): n for state, n in handed.states.items()})

    def _renew(self, holder: Holder) -> None:
        with self._at_work() as state, state.app.database.writing() as db:
            renewed = state.app.monotonic()
            held = renew(db, holder, now=state.app.now())
        if held:
            self._renewed = renewed
        else:
            _log.error("another instance took the work over")
            self._lease_lost = True
            self._asked.wake.set()

    # --- the main thread ----------------------------------------------------------------------------------------------

    def _wait(self, scheduler: BackgroundScheduler) -> None:
        lead = self._lead()
        while not self._asked.terminate and not self._lease_lost:
            self._asked.wake.wait(_LOOK_EVERY.total_seconds())
            self._asked.wake.clear()
            if self._asked.hangup:
                self._asked.hangup = False
                scheduler.add_job(self._guarded("settings", self._reload), executor="settings")
            lead = self._follow_clock(scheduler, lead)
            self._watch_lease()

    def _lead(self) -> timedelta:
        """Return by how much the clock is ahead of the one that cannot be set."""
        app = self._state.app
        return timedelta(seconds=app.now().timestamp() - app.monotonic())

    def _follow_clock(self, scheduler: BackgroundScheduler, before: timedelta) -> timedelta:
        """Run all jobs now when the clock was set back: the scheduler would wait until it is as late again."""
        lead = self._lead()
        if before - lead > _CLOCK_SET_BACK:
            _log.warning("the clock was set back", by=str(before - lead))
            for name in ("watch", "mail", "lease"):
                scheduler.modify_job(name, next_run_time=self._state.app.now())
        return lead

    def _watch_lease(self) -> None:
        """End when the lease has run out without being renewed: another instance may do the work now."""
        age = timedelta(seconds=self._state.app.monotonic() - self._renewed)
        if age > DURATION:
            _log.error("the lease could not be renewed in time; another instance may have taken the work over")
            self._lease_lost = True

    # --- settings -----------------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        old = self._state.app
        try:
            fresh = self._reopened(old)
        except (SettingsError, StoreError) as error:
            _log.error("new settings refused, the old ones stay in force", problems=str(error).splitlines())
            return
        with self._lock:
            self._retired.append(self._state)
            self._state = _State(app=fresh, next_check=fresh.monotonic())
            self._close_retired()
        _log.info("settings reloaded; intervals change at the next start", mail=fresh.channel.name)

    def _reopened(self, old: Application) -> Application:
        """Return an application on the new settings, its watch lists declared; or close it, and raise why not."""
        fresh = self._reopen()
        with ExitStack() as refused:
            refused.callback(_close, fresh, keep=old)
            if fresh.settings.database.url != old.settings.database.url:
                raise SettingsError(["database.url: it was changed; restart the service to work on another database"])
            fresh.declare_lists()
            refused.pop_all()
        return fresh

    @contextmanager
    def _at_work(self) -> Iterator[_State]:
        """Give the state in force, and keep its application open until the block ends."""
        with self._lock:
            state = self._state
            state.users += 1
        try:
            yield state
        finally:
            with self._lock:
                state.users -= 1
                self._close_retired()

    def _close_retired(self) -> None:
        for state in [state for state in self._retired if state.users == 0]:
            self._retired.remove(state)
            _close(state.app, keep=self._state.app)

    def _end(self, scheduler: BackgroundScheduler) -> None:
        """Stop every stage where it stands; what is under way gets a moment, what hangs is left."""
        with self._lock:
            apps = [state.app for state in (*self._retired, self._state)]
        for app in apps:
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


def _listed(app: Application) -> frozenset[str]:
    with app.database.reading() as db:
        return frozenset(listing.nct_id for listing in listings(db))


def _close(app: Application, *, keep: Application) -> None:
    """Close an application, but not what it shares with another."""
    app.connection.close()
    if app.database is not keep.database:
        app.database.close()


def end_process(code: int) -> None:
    """End at once: the standard exit would wait for threads that hang in a transfer."""
    os._exit(code)
