"""Run functions at the same time, in threads, for tests of what happens when two instances do the same thing."""

from collections.abc import Callable
from queue import Queue
from threading import Barrier, Thread
from typing import TypeVar

TIME_OUT = 20.0  # seconds; a test that hangs must end
_Result = TypeVar("_Result")


def together(*functions: Callable[[], _Result]) -> list[_Result | Exception]:
    """Call all functions at once; return what each returned or raised, in their order."""
    start = Barrier(len(functions))
    results: Queue[tuple[int, _Result | Exception]] = Queue()

    def run(number: int, function: Callable[[], _Result]) -> None:
        try:
            start.wait(TIME_OUT)
            results.put((number, function()))
        except Exception as error:  # noqa: BLE001 whatever it is, the test judges it
            results.put((number, error))

    # Daemons, because a thread that hangs must not keep the tests from ending.
    for number, function in enumerate(functions):
        Thread(target=run, args=(number, function), daemon=True).start()
    found = dict(results.get(timeout=TIME_OUT) for _ in functions)
    return [found[number] for number in range(len(functions))]
