"""What the tests of commands and of the daemon share: typing a command, and offices in which that is done."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.office import ALL_CHANGE_DAILY, FEW_CHANGES, Office, opened_office
from tests.process.typed import Run, typing


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command in this process, with nobody's settings in its environment."""
    for name in [name for name in os.environ if name.startswith("TRIALWATCH_")]:
        monkeypatch.delenv(name)
    return typing(capsys, monkeypatch)


@pytest.fixture
def office(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Give an office with one trial that changes over three days; mails are written to files."""
    with opened_office(tmp_path, FEW_CHANGES, run, monkeypatch) as office:
        yield office


@pytest.fixture
def posting_office(office: Office) -> Office:
    """Let its mails go to the mail server."""
    office.by_smtp = True
    office.settle()
    return office


@pytest.fixture
def busy_office(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Give an office with three trials that change every day; mails go to the mail server."""
    with opened_office(tmp_path, ALL_CHANGE_DAILY, run, monkeypatch) as office:
        office.by_smtp = True
        office.settle()
        yield office
