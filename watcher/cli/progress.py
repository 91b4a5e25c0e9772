"""A progress bar on standard error, where somebody sits and watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def progress_bar(title: str, stream: TextIO) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many of how many are done; it shows nothing where no terminal is."""
    if not stream.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stream), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
