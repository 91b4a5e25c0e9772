"""What a daemon is doing at the moment, told to another process in a way that outlives a SIGKILL.

Two bytes of shared memory: one for the thread that checks and composes, one for the thread that hands over.  Writing
them is no system call, so that it moves none of the moments at which a process can die.
"""

import mmap
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from typing import Any, TypeVar

from watcher.app import Application
from watcher.model import Message, Phase, Receipt
from watcher.notify.channel import Channel, Journal, Session

Result = TypeVar("Result")


class Step(IntEnum):
    """What a thread is doing."""

    IDLE = 0  # or starting
    CHECK = 1  # asking the registry
    COMPARE = 2
    STORE = 3  # a transaction of the check
    COMPOSE = 4
    DELIVER = 5  # between conversations: claiming, recording
    SETTLE = 6  # asking the journal
    CONNECT = 7  # TCP, TLS, login
    MAIL = 8
    RCPT = 9
    DATA = 10  # the command and the text
    DOT = 11  # from the record that the final dot comes, to its answer
    RECEIPT = 12  # from the answer until it is recorded


WATCHING = (Step.CHECK, Step.COMPARE, Step.STORE, Step.COMPOSE)
TALKING = (Step.CONNECT, Step.MAIL, Step.RCPT, Step.DATA, Step.DOT, Step.RECEIPT)
_AT_PHASE = {
    Phase.CONNECT: Step.CONNECT,
    Phase.MAIL: Step.MAIL,
    Phase.RCPT: Step.RCPT,
    Phase.DATA: Step.DATA,
    Phase.DOT: Step.DOT,
    Phase.JOURNALLED: Step.DOT,
}
_WATCH, _MAIL = 0, 1


class Steps:
    """Where both threads are; shared with the processes that are forked after this was made."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 2)
        self._thread = threading.local()

    def now(self) -> tuple[Step, Step]:
        """Return what the checking and the delivering thread are doing, or did last."""
        return Step(self._shared[_WATCH]), Step(self._shared[_MAIL])

    def forget(self) -> None:
        self._shared[_WATCH] = self._shared[_MAIL] = Step.IDLE

    def at(self, step: Step) -> None:
        """Note what the calling thread does from now on; a thread that is neither of the two is not noted."""
        place = getattr(self._thread, "place", None)
        if place is not None:
            self._shared[place] = step

    @contextmanager
    def during(self, step: Step, *, place: int | None = None) -> Iterator[None]:
        """Note what the calling thread does until the block ends.

        Args:
            step: that.
            place: whose byte is the calling thread's from now on; None = the one that it has.
        """
        if place is not None:
            self._thread.place = place
        mine = getattr(self._thread, "place", None)
        before = self._shared[mine] if mine is not None else Step.IDLE
        self.at(step)
        try:
            yield
        finally:
            self.at(Step(before))

    # --- where the application is listened to -------------------------------------------------------------------------

    def follow(self, app: Application) -> None:
        """Note from now on what an application does; it does the same as before."""
        pipeline = app.pipeline
        self._note(pipeline.check, "run", Step.CHECK, place=_WATCH)
        self._note(pipeline.check._comparison, "of", Step.COMPARE)
        for stage in (pipeline.proof, pipeline.remind, pipeline.digest, pipeline.reconciliation):
            self._note(stage, "run", Step.COMPOSE, place=_WATCH)
        self._note(pipeline.deliver, "run", Step.DELIVER, place=_MAIL)
        original = app.database.writing

        def writing() -> AbstractContextManager[Any]:
            return self._stored(original)

        app.database.writing = writing  # type: ignore[assignment, method-assign]  # a database does not say who uses it

    def _note(self, owner: object, name: str, step: Step, *, place: int | None = None) -> None:
        original: Callable[..., object] = getattr(owner, name)

        def noted(*arguments: object, **named: object) -> object:
            with self.during(step, place=place):
                return original(*arguments, **named)

        setattr(owner, name, noted)

    @contextmanager
    def _stored(self, writing: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
        """Give a transaction, noted if it is the check's; what the others do has names of its own."""
        place = getattr(self._thread, "place", None)
        if place is None or self._shared[place] not in {Step.CHECK, Step.COMPARE}:
            with writing() as db:
                yield db
            return
        with self.during(Step.STORE), writing() as db:
            yield db


class FollowedChannel:
    """A channel that notes the steps of its conversations."""

    def __init__(self, channel: Channel, steps: Steps) -> None:
        self._channel = channel
        self._steps = steps

    @property
    def name(self) -> str:
        return self._channel.name

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._steps.during(Step.CONNECT), self._channel.session() as session:
            yield _FollowedSession(session, self._steps)


class _FollowedSession:
    def __init__(self, session: Session, steps: Steps) -> None:
        self._session = session
        self._steps = steps

    def send(self, message: Message, *, on_phase: Callable[[Phase], None]) -> Receipt:
        def noted(phase: Phase) -> None:
            on_phase(phase)
            self._steps.at(_AT_PHASE[phase])

        receipt = self._session.send(message, on_phase=noted)
        self._steps.at(Step.RECEIPT)
        return receipt


class FollowedJournal:
    """A journal that notes that it is asked."""

    def __init__(self, journal: Journal, steps: Steps) -> None:
        self._journal = journal
        self._steps = steps

    @property
    def address(self) -> str:
        return self._journal.address

    def holds(self, message_id: str) -> bool:
        with self._steps.during(Step.SETTLE):
            return self._journal.holds(message_id)
