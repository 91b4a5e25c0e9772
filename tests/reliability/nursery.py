"""Lives of the real daemon, forked after its imports, so that thousands of them can be killed in minutes.

    with Nursery(plan) as nursery:
        death = nursery.live(Blow(after=0.1))

A process of its own imports everything, goes through a small world once, so that what is imported late is there too,
and then forks: each child opens the application on the plan's files and runs ``service.serve`` until the blow.  The
only difference to ``trialwatch run`` is that intervals are shorter than settings may name, so that a life of a third of
a second does what otherwise takes seconds.

Does not serve the registry or take mails: those live on, in the process of the proof.
"""

import multiprocessing
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from tests.flow.world import TRIAL, World
from tests.reliability.injection import injecting, threads_in_turn
from tests.reliability.steps import FollowedChannel, FollowedJournal, Step, Steps
from watcher.app import Application, open_application
from watcher.config.sections.imap import ImapSettings
from watcher.config.sections.mail import JournalSettings
from watcher.config.settings import Settings
from watcher.logs import configure_logs
from watcher.notify.imap_connection import ImapServer
from watcher.notify.journal import ImapJournal
from watcher.notify.smtp import SmtpChannel, SmtpServer
from watcher.service import end_process, serve
from watcher.signals import Asked

DATABASE = "store.sqlite3"
_PATIENCE = 60.0  # seconds for the imports, and for a life to end
_LOOK_EVERY = 0.0002  # seconds, at what a life is doing


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every life works with."""

    folder: Path  # of the database and the log
    settings: dict[str, Any]
    smtp: SmtpServer
    journal: ImapServer | None  # the mailbox's login is its address
    every: timedelta = timedelta(milliseconds=100)  # between checks, and between deliveries
    journal_wait: timedelta = timedelta(milliseconds=300)

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def log(self) -> Path:
        return self.folder / "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """When and how a life ends."""

    after: float  # seconds from the beginning of the life, or of one of the steps
    steps: frozenset[Step] = frozenset()  # of which one is waited for; empty = none
    at_most: float = 1.0  # seconds that they are waited for
    number: signal.Signals = signal.SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    steps: tuple[Step, Step]  # that it died in: of the thread that checks, and of the one that delivers
    lived: float  # seconds
    signal: int | None  # that ended it; None = it ended by itself
    code: int | None  # with which it did


@dataclass(frozen=True, slots=True)
class _Cycle:
    blow: str | None


@dataclass(slots=True)
class Nursery:
    """The process that forks; a context manager."""

    plan: Plan
    _process: Any = field(init=False)
    _orders: Connection = field(init=False)

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(target=_nurse, args=(theirs, self.plan), daemon=True)
        self._process.start()
        theirs.close()
        self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._orders.close()
        self._process.join(_PATIENCE)

    def live(self, blow: Blow) -> Death:
        """Let one life begin and end; fail if it ended by itself."""
        self._orders.send(blow)
        death: Death = self._answer()
        assert death.signal == signal.SIGKILL or blow.number != signal.SIGKILL, self.log()
        return death

    def cycle(self, blow: str | None) -> Death:
        """Let one cycle run in a life of its own, not the service; in a life that nothing ends, it runs once more.

        Args:
            blow: what strace is to inject; None = nothing.
        """
        self._orders.send(_Cycle(blow))
        death: Death = self._answer()
        return death

    def log(self) -> str:
        """Return the end of what the lives logged."""
        return self.plan.log.read_text(errors="replace")[-4000:] if self.plan.log.exists() else ""

    def _answer(self) -> Any:
        assert self._orders.poll(_PATIENCE), f"the lives do not answer; {self.log()}"
        return self._orders.recv()


def _nurse(orders: Connection, plan: Plan) -> None:
    _import_everything()
    assert threading.active_count() == 1, "a process with threads must not be forked"
    steps = Steps()
    orders.send("ready")
    while True:
        try:
            order: Blow | _Cycle = orders.recv()
        except EOFError:
            return
        steps.forget()
        orders.send(_one_cycle(plan, order, steps) if isinstance(order, _Cycle) else _one_life(plan, order, steps))


def _import_everything() -> None:
    configure_logs("error", "text")
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"sqlite:///{folder}/store.sqlite3", Path(folder))
        world.begin()
        world.registry.publish(TRIAL, status="TERMINATED")
        world.round()
        world.close()


def _one_life(plan: Plan, blow: Blow, steps: Steps) -> Death:
    """Begin a life, wait for the moment, strike, and return what was struck."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _at_work(plan, lambda: _serve(plan, steps))
    process = os.pidfd_open(child)
    try:
        while blow.steps and blow.steps.isdisjoint(steps.now()) and time.monotonic() - began < blow.at_most:
            if select.select([process], [], [], _LOOK_EVERY)[0]:
                break
        select.select([process], [], [], blow.after)
        signal.pidfd_send_signal(process, blow.number)
        if not select.select([process], [], [], _PATIENCE)[0]:
            signal.pidfd_send_signal(process, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it had ended by itself, which its status says
    finally:
        os.close(process)
    return _death(child, steps, began)


def _one_cycle(plan: Plan, order: _Cycle, steps: Steps) -> Death:
    """Begin a cycle, with strace at its side if it is to be struck."""
    began = time.monotonic()
    here, there = os.pipe()  # the cycle waits until it can read from it
    child = os.fork()
    if child == 0:
        os.close(there)
        os.read(here, 1)
        os.close(here)
        _at_work(plan, lambda: _run_cycles(plan, steps, rounds=1 if order.blow else 2))
    os.close(here)
    with injecting(child, order.blow, plan.folder) if order.blow else nullcontext():
        os.close(there)
        return _death(child, steps, began)


def _death(child: int, steps: Steps, began: float) -> Death:
    _, status = os.waitpid(child, 0)
    struck = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    return Death(steps=steps.now(), lived=time.monotonic() - began, signal=struck, code=code)


def _at_work(plan: Plan, work: Callable[[], bool]) -> NoReturn:
    """Do in a child what it was forked for, and end it there, whatever happens."""
    code = 1
    try:
        log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, sys.stderr.fileno())
        configure_logs("warning", "json")
        code = 0 if work() else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        end_process(code)
    raise AssertionError("the process has ended")


def _serve(plan: Plan, steps: Steps) -> bool:
    asked = Asked()
    asked.listen()
    return serve(lambda: opened(plan, steps), reopen=lambda app: app, asked=asked)


def _run_cycles(plan: Plan, steps: Steps, *, rounds: int) -> bool:
    with threads_in_turn():
        app = opened(plan, steps)
        with app.working():
            app.declare_lists()
            for _ in range(rounds):
                app.pipeline.run_round(now=app.now())
        app.close()
    return True


def settings(
    registry: str, folder: Path, trials: Sequence[str], readers: Sequence[str], *, operator: str
) -> dict[str, Any]:
    """Return settings with one list of trials, whose readers hear at once."""
    return {
        "operator": operator,
        "database": {"url": f"sqlite:///{folder / DATABASE}"},
        "registry": {"base_url": registry, "requests_per_minute": 0, "attempts": 1},
        "mail": {"sender": "trialwatch@office.test", "merge_for": "0s"},
        "watching": {"all_clear": False, "stale_after": 0},
        "guards": {"hold_share": 0},
        "watchlist": [
            {
                "name": "Ours",
                "trials": list(trials),
                "recipients": [{"address": one, "cadence": "immediate"} for one in readers],
            }
        ],
    }


def opened(plan: Plan, steps: Steps) -> Application:
    """Open the application as ``trialwatch run`` does, followed step by step."""
    settings = Settings.model_validate(plan.settings, context={"folder": plan.folder})
    journal = ImapJournal(plan.journal, address=plan.journal.username) if plan.journal else None
    waiting = None
    if journal is not None:  # it is passed in, so that how it is reached need not be said
        imap = ImapSettings.model_construct(host="", username="")
        waiting = JournalSettings.model_construct(address=journal.address, wait=plan.journal_wait, imap=imap)
    mail = settings.mail.model_copy(update={"deliver_every": plan.every, "journal": waiting})
    registry = settings.registry.model_copy(update={"check_every": plan.every})
    channel = SmtpChannel(plan.smtp, journal=journal.address if journal else None)
    app = open_application(
        settings.model_copy(update={"mail": mail, "registry": registry}),
        channel=FollowedChannel(channel, steps),
        journal=FollowedJournal(journal, steps) if journal else None,
    )
    steps.follow(app)
    return app
