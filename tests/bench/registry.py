"""A registry in a process of its own, so that what it costs is not counted as the service's."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watcher.model import Json

_TIME_OUT = 60.0  # seconds
_ANNOUNCED = re.compile(r" at (http://[^/ ]+)/api/v2")


@dataclass(frozen=True, slots=True)
class ServedRegistry:
    """Steers a registry that is served elsewhere."""

    site: str  # scheme, host and port

    def go_to(self, day: str) -> None:
        self._control("/day", json.dumps({"day": day}).encode())

    def requests(self) -> int:
        """Return how many requests the registry has answered, as far as it remembers: 10,000."""
        return len(self._control("", None)["requests"])

    def _control(self, path: str, body: bytes | None) -> Json:
        with urllib.request.urlopen(f"{self.site}/control{path}", body, timeout=_TIME_OUT) as answer:  # noqa: S310 loopback
            return json.load(answer)


@contextmanager
def served(folder: Path) -> Iterator[ServedRegistry]:
    """Serve a folder of dataset days as ``trialwatch registry serve`` does."""
    command = [sys.executable, "-m", "watcher", "registry", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            announced = _ANNOUNCED.search(process.stdout.readline())
            if announced is None:
                raise RuntimeError("the registry did not start; its own words are above")
            yield ServedRegistry(announced[1])
        finally:
            process.terminate()
