"""A fresh world for each test: ``world`` on both kinds of database, ``sqlite_world`` where one of them is enough."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.world import World


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
