"""The whole check, as CI, the hook and a person run it: format, lint, types, imports, tests, README.

python tests/check.py            everything
python tests/check.py --quick    without the tests of processes
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def main() -> int:
    """Run every step, also after one failed; return 1 if any did."""
    os.chdir(ROOT)
    quick = "--quick" in sys.argv[1:]
    tests: list[str | Path] = [BIN / "pytest", "--numprocesses=auto", "--dist=worksteal", "--durations=5", "-rs"]
    tests += ["--ignore=tests/process"] if quick else []
    steps: list[tuple[str, list[str | Path]]] = [
        ("format", [BIN / "ruff", "format", "--check", "--quiet", "."]),
        ("lint", [BIN / "ruff", "check", "--quiet", "."]),
        ("types", [BIN / "mypy"]),
        ("imports", [BIN / "lint-imports", "--no-logo"]),
        ("tests", tests),
    ]
    failed = [name for name, command in steps if not _passes(name, command)]
    print(f"\nFAILED: {', '.join(failed)}" if failed else "\nEverything passed.", flush=True)  # noqa: T201
    return 1 if failed else 0


def _passes(name: str, command: list[str | Path]) -> bool:
    print(f"\n=== {name} ===", flush=True)  # noqa: T201
    began = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    print(f"--- {name}: {'passed' if code == 0 else 'FAILED'}, {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
