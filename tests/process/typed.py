"""Type a command in this process, through the program's own entry, and catch what it prints and how it ends.

Does not start a process: a tenth of the time, and the same code but for the interpreter's start.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from watcher.cli import main

CHANGE_KEYS = {
    "rules",
    "kind", "id", "nct_id", "path", "item", "how", "label", "category", "severity", "told", "story", "old", "new",
    "sentence",
}  # fmt: skip  # of every line that tells a change; more may be added


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command left."""

    code: object
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it printed for programs."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


def typing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that types ``trialwatch`` and these arguments."""

    def typed(*arguments: str) -> Ended:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["trialwatch", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        caught = capsys.readouterr()
        return Ended(code=ended.value.code, out=caught.out, err=caught.err)

    return typed
