"""Run functions at the same time, in threads, for tests of what happens when two instances do the same thing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

_TIME_OUT = 30.0  # seconds; a test that hangs must end
_Result = TypeVar("_Result")


def together(*functions: Callable[[], _Result]) -> list[_Result | Exception]:
    """Call all functions at once; return what each returned or raised, in their order."""
    start = Barrier(len(functions))

    def run(function: Callable[[], _Result]) -> _Result:
        start.wait(_TIME_OUT)
        return function()

    with ThreadPoolExecutor(len(functions)) as threads:
        running = [threads.submit(run, function) for function in functions]
        results: list[_Result | Exception] = []
        for one in running:
            error = one.exception(_TIME_OUT)
            if error is None:
                results.append(one.result())
            elif isinstance(error, Exception):
                results.append(error)
            else:
                raise error
    return results
