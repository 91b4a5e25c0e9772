"""``--help``: every command explains itself, and at once."""

import subprocess
import sys

import pytest

from tests.process.processes import environment
from tests.process.typed import Run

COMMANDS = [
    [],
    ["init"],
    ["run"],
    ["check"],
    ["status"],
    ["doctor"],
    ["test-mail"],
    ["test-target"],
    ["history"],
    ["show"],
    ["diff"],
    ["holds"],
    ["release"],
    ["reclassify"],
    ["replay"],
    ["compare"],
    ["demo"],
    ["watch"],
    ["watch", "add"],
    ["watch", "remove"],
    ["watch", "list"],
    ["watch", "import"],
    ["watch", "export"],
    ["outbox"],
    ["outbox", "retry"],
    ["outbox", "dismiss"],
    ["config"],
    ["watch", "tag"],
    ["watch", "untag"],
    ["mute"],
    ["unmute"],
    ["mutes"],
    ["config", "check"],
    ["config", "explain"],
    ["registry"],
    ["registry", "serve"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(run: Run, command: list[str]) -> None:
    ended = run(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert " ".join(["Usage: trialwatch", *command]) in ended.out


def test_help_is_printed_without_loading_what_only_commands_need() -> None:
    program = (
        "import sys; sys.argv = ['trialwatch', '--help']\n"
        "from watcher.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'requests', 'deepdiff', 'pydantic', 'jinja2', 'apscheduler', 'alembic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert "Usage: trialwatch" in ended.stdout
    assert ended.stderr == "[]\n"
