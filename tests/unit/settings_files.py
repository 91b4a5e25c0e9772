"""Settings files for the tests of the settings: pieces of text, and how to load what they make together."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from watcher.config.settings import Settings, load_settings
from watcher.errors import SettingsError

OPERATOR = 'operator = "operations@example.org"\n'
SMTP = OPERATOR + '[mail]\nsender = "watch@example.org"\n[mail.smtp]\nhost = "mail.example.org"\n'
WATCHLIST = OPERATOR + '[[watchlist]]\nname = "Ours"\ntrials = ["NCT01234567"]\n'
READER = '[[watchlist.recipients]]\naddress = "reader@example.org"\n'
CANARY = "canary-4711"  # stands for every secret; must never be seen again


def write(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    path = folder / "trialwatch.toml"
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def load(folder: Path, text: str, *, environ: Mapping[str, str] | None = None) -> Settings:
    return load_settings(write(folder, text), environ=environ or {})


def problems(folder: Path, text: str, *, environ: Mapping[str, str] | None = None, mode: int = 0o600) -> list[str]:
    path = write(folder, text, mode=mode)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ=environ or {})
    return caught.value.problems
