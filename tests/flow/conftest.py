"""A fresh world for each test: ``world`` on both kinds of database, ``sqlite_world`` where one of them is enough."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.flow.world import World


@pytest.fixture(autouse=True)
def _only_errors_in_the_log() -> Iterator[None]:
    """Keep the log short: without settings structlog prints everything, and draws pictures of tracebacks."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[structlog.processors.add_log_level, plain],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def world(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Give a world, once on each kind of database."""
    yield from _lived_in(str(request.getfixturevalue(f"{database_kind}_url")), tmp_path)


@pytest.fixture
def sqlite_world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """Give a world on SQLite, for what does not depend on the database."""
    yield from _lived_in(sqlite_url, tmp_path)


def _lived_in(url: str, folder: Path) -> Iterator[World]:
    world = World(url, folder)
    try:
        yield world
    finally:
        world.close()
