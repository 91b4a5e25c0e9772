"""The quick size of ``syscalls``: a death in place of everything that is sent."""

import os
import shutil
from pathlib import Path

import pytest

from tests.reliability.syscalls import run

_REQUIRED = "TRIALWATCH_REQUIRE_STRACE"


def test_killed_at_everything_that_it_sends_a_cycle_is_consistent_and_then_told_once(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        if os.environ.get(_REQUIRED) == "1":
            pytest.fail(f"strace is not installed; install it, or unset {_REQUIRED}", pytrace=False)
        pytest.skip("strace is not installed (Debian: strace)")

    report = run(tmp_path, calls=["sendto"])

    assert report.failures(calls=["sendto"]) == []
    assert report.struck["sendto"] > 15  # two requests, and two mails of two conversations
    assert report.taken_unrecorded > 0
    assert report.repeats == report.taken_unrecorded
