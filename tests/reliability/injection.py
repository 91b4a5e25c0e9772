"""Signals in place of system calls: strace is attached to a child that waits, and strikes at its n-th call."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest

_PATIENCE = 60.0  # seconds for strace to end when its child has
Given = ParamSpec("Given")
Result = TypeVar("Result")


@contextmanager
def injecting(child: int, what: str, folder: Path) -> Iterator[None]:
    """Attach strace for the time of the block, at whose end the child must have ended.

    Args:
        child: its process number; it must be waiting.
        what: as behind ``-e inject=``.
        folder: where strace may write down what it saw.

    Raises:
        FileNotFoundError: there is no strace.
    """
    command = ["strace", "-p", str(child), "-e", f"trace={what.partition(':')[0]}", "-e", f"inject={what}"]
    with subprocess.Popen([*command, "-o", str(folder / "strace")], stderr=subprocess.PIPE, env=os.environ) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert b"attached" in said, f"strace does not work here: {said.decode()}"
        yield
        strace.wait(_PATIENCE)


@contextmanager
def threads_in_turn() -> Iterator[None]:
    """Let every thread that is started run to its end at once, in its starter's place.

    Calls of several threads come in an order that differs from life to life, and strace counts each thread's apart.
    The child that this is for does nothing else.
    """

    def start(thread: threading.Thread) -> None:
        if not isinstance(thread, threading.Timer):  # what waits for a deadline: there is none
            thread.run()

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        del thread, timeout

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        patch.setattr(threading.Thread, "join", join)
        patch.setattr("watcher.registry.client.ThreadPoolExecutor", _InPlace)
        yield


class _InPlace(Executor):
    """An executor without threads."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, fn: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
