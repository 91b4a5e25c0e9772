"""A scheduler that wakes the jobs, and a main thread that does nothing but wait: for signals, and beside the clocks.

One thread checks and composes, another delivers, a third reads what came back, so that a slow mail server does not keep
the registry waiting.  The main thread does not work: a thread that waits for the database's lock does not hear signals.

SIGTERM and SIGINT end the service in under ten seconds, with everything recorded; SIGHUP reads the settings again, and
keeps the old ones when the new ones are wrong.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from watcher.app import Application
from watcher.service.in_force import InForce, Reopen
from watcher.service.jobs import bounces, guarded, mail, watch
from watcher.signals import Asked
from watcher.store.leases import DURATION, RENEW_EVERY, Holder, renew
from watcher.web.server import WebServer

_GRACE = timedelta(seconds=5)  # for what is under way when the service is told to end; the lease takes two more
_NOTHING_TO_READ = timedelta(hours=1)  # until the next look whether there is a mailbox of reports
_LOOK_EVERY = timedelta(seconds=5)  # at the clocks
_SERVE_EVERY = timedelta(seconds=30)  # how often to see whether the pages are served as the settings say
_CLOCK_SET_BACK = timedelta(seconds=1)  # what is corrected by less makes no job late enough to matter
_log = structlog.get_logger("service")


def serve(open_first: Callable[[], Application], *, reopen: Callable[[Application], Application], asked: Asked) -> bool:
    """Open the application and work until a signal; return False when another instance took the work over, or may have.

    Args:
        open_first: opens the application; the process's end closes it.
        reopen: given that, opens another on the settings as they are then; see ``InForce``.
        asked: listening already, so that an opening that waits is ended too.

    Raises:
        LeaseHeld: another instance does the work now.
        SettingsError, StoreError: the application cannot be opened, or the database cannot be used.
    """
    app = asked.unless_to_end(open_first)
    if app is None:
        _log.info("stopped before the work began")
        return True
    return Service(app, reopen=partial(reopen, app), asked=asked).run()


class Service:
    """Runs one application until it is told to stop, or loses the lease."""

    def __init__(self, app: Application, reopen: Reopen, *, asked: Asked | None = None) -> None:
        """Prepare.

        Args:
            app: see ``InForce``.
            reopen: the same.
            asked: what signals ask for; without it, nothing is.
        """
        self._in_force = InForce(app, reopen)
        self._asked = asked or Asked()
        self._lease_lost = False
        self._renewed = app.monotonic()
        self._web = WebServer(self._app_at_work)

    def run(self) -> bool:
        """Work until a signal; return False when another instance took the work over, or may have.

        Raises:
            LeaseHeld: another instance does the work now.
            StoreError: the database cannot be used.
        """
        with ExitStack() as work:
            holder = self._asked.unless_to_end(partial(self._begin, work))
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

    def _begin(self, work: ExitStack) -> Holder:
        """Take the lease and put everything in order."""
        app = self._in_force.app
        holder = work.enter_context(app.working())
        self._renewed = app.monotonic()
        recovered = app.pipeline.deliver.recover(now=app.now())
        app.declare_lists()
        _log.info("started", mail=app.channel.name, database=app.database.name, interrupted_mails=recovered)
        return holder

    def _scheduler(self, holder: Holder) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in (*self._intervals(), "settings")},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        intervals = self._intervals()
        for name, job in (
            ("watch", partial(watch, self._in_force)),
            ("mail", partial(mail, self._in_force)),
            ("bounces", partial(bounces, self._in_force)),
            ("lease", partial(self._renew, holder)),
            ("web", self._web.follow),
        ):
            scheduler.add_job(
                guarded(name, job),
                "interval",
                seconds=intervals[name].total_seconds(),
                executor=name,
                id=name,
                next_run_time=self._in_force.app.now(),
            )
        return scheduler

    def _intervals(self) -> dict[str, timedelta]:
        """Return how often each job is woken, by the settings in force."""
        settings = self._in_force.app.settings
        mail_every = settings.mail.deliver_every
        return {
            "watch": min(mail_every, settings.registry.check_every),
            "mail": mail_every,
            "bounces": settings.mail.bounces.look_every if settings.mail.bounces else _NOTHING_TO_READ,
            "lease": RENEW_EVERY,
            "web": _SERVE_EVERY,
        }

    def _reload(self, scheduler: BackgroundScheduler) -> None:
        """Take new settings over, intervals included."""
        before = self._intervals()
        self._in_force.reload()
        for name, every in self._intervals().items():
            if every != before[name]:
                scheduler.reschedule_job(name, trigger="interval", seconds=every.total_seconds())
        # A job of its own: the one that is woken regularly would be left out while it is at work.
        scheduler.add_job(guarded("web", self._web.follow), executor="web")

    def _wait(self, scheduler: BackgroundScheduler) -> None:
        lead = self._lead()
        while not self._asked.to_end and not self._lease_lost:
            self._asked.wait(_LOOK_EVERY)
            if self._asked.to_reload:
                self._asked.to_reload = False
                scheduler.add_job(guarded("settings", partial(self._reload, scheduler)), executor="settings")
            lead = self._follow_clock(scheduler, lead)
            self._watch_lease()

    def _end(self, scheduler: BackgroundScheduler) -> None:
        """Stop every job where it stands; what is under way gets a moment, what hangs is left."""
        self._in_force.stop()
        ended = threading.Event()

        def shut_down() -> None:
            self._web.stop()
            scheduler.shutdown(wait=True)
            ended.set()

        threading.Thread(target=shut_down, daemon=True).start()
        if ended.wait(_GRACE.total_seconds()):
            _log.info("stopped")
        else:
            _log.warning("stopped while a stage was still at work; it is taken up again at the next start")

    @contextmanager
    def _app_at_work(self) -> Iterator[Application]:
        with self._in_force.at_work() as term:
            yield term.app

    # --- the clocks ---------------------------------------------------------------------------------------------------

    def _lead(self) -> timedelta:
        """Return by how much the clock is ahead of the one that cannot be set."""
        app = self._in_force.app
        return timedelta(seconds=app.now().timestamp() - app.monotonic())

    def _follow_clock(self, scheduler: BackgroundScheduler, before: timedelta) -> timedelta:
        """Run all jobs now when the clock was set back: the scheduler would wait until it is as late again."""
        lead = self._lead()
        if before - lead > _CLOCK_SET_BACK:
            _log.warning("the clock was set back", by=str(before - lead))
            for name in self._intervals():
                scheduler.modify_job(name, next_run_time=self._in_force.app.now())
        return lead

    # --- the lease ----------------------------------------------------------------------------------------------------

    def _renew(self, holder: Holder) -> None:
        with self._in_force.at_work() as term, term.app.database.writing() as db:
            renewed = term.app.monotonic()
            held = renew(db, holder, now=term.app.now())
        if held:
            self._renewed = renewed
        else:
            _log.error("another instance took the work over")
            self._lease_lost = True
            self._asked.wake()

    def _watch_lease(self) -> None:
        """End when the lease has run out without being renewed: another instance may do the work now."""
        age = timedelta(seconds=self._in_force.app.monotonic() - self._renewed)
        if age > DURATION:
            _log.error("the lease could not be renewed in time; another instance may have taken the work over")
            self._lease_lost = True


def end_process(code: int) -> None:
    """End at once: the standard exit would wait for threads that hang in a transfer."""
    os._exit(code)
