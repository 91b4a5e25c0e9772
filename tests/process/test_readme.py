"""The README shows what is so: its help block, its commands, its picture of the folders."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.factories import study, write_days
from tests.process.processes import PROGRAM, environment, printed
from tests.process.typed import Run
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL_LINES = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
COMMANDS = [line.removeprefix(".venv/bin/") for line in SHELL_LINES if "trialwatch " in line]


def test_the_help_block_is_what_the_command_prints(tmp_path: Path) -> None:
    shown = re.search(r"```text\n(Usage: .*?)\n```", README, flags=re.DOTALL)
    assert shown is not None
    assert shown[1] == printed("--help", folder=tmp_path, COLUMNS="80", TERMINAL_WIDTH="80").strip()


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {line.split()[1] for line in SHELL_LINES if line.startswith("make ")}
    assert {"demo", "test", "run"} <= named <= targets


def test_every_file_and_folder_in_the_map_exists() -> None:
    rows = [row.split("|")[1] for row in README.partition("## Map")[2].splitlines() if row.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(named) > 10
    missing = [name for name in named if not (ROOT / name).exists() and not (ROOT / "watcher" / name).exists()]
    assert missing == []


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder as the README's reader has it: dataset days, a CSV file."""
    write_days(tmp_path / "DIR", {"2026-03-02": [study("NCT01234567")], "2026-03-03": [study("NCT01234567")]})
    (tmp_path / "trials.csv").write_text("nct_id\nNCT01234567\n", encoding="utf-8")
    return tmp_path


def test_every_command_in_the_readme_works_in_the_order_in_which_it_stands(
    desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = [command for command in COMMANDS if " serve " in command]
    others = [command for command in COMMANDS if command not in served]
    assert len(others) >= 6
    monkeypatch.chdir(desk)
    with RegistryServer(load_dataset(desk / "DIR")) as registry:
        monkeypatch.setenv("TRIALWATCH_REGISTRY__BASE_URL", registry.url)
        for command in others:
            ended = run(*command.split()[1:])
            assert (command, ended.code) == (command, 0), ended.err
    assert len(served) == 1
    _serves(served[0].split()[1:], desk)


def _serves(arguments: list[str], folder: Path) -> None:
    """Start the server on a free port instead of the README's, and see it answer."""
    arguments[arguments.index("--port") + 1] = "0"
    command = [*PROGRAM, *arguments]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert re.match(r"Serving DIR at http://127\.0\.0\.1:\d+/api/v2", server.stdout.readline())
        finally:
            server.kill()
