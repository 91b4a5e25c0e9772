"""The same data gives the same output in every process, to the byte."""

import os
import subprocess
import sys
from pathlib import Path

from watcher.replay.demo import write_demo_days


def _replayed(folder: Path, *, hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "watcher", "replay", str(folder), "--json"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_a_replay_prints_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    write_demo_days(tmp_path)
    first = _replayed(tmp_path, hash_seed="1")
    assert first.count('"kind":"change"') > 100
    assert first == _replayed(tmp_path, hash_seed="2")
