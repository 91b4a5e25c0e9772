"""Write the first settings file, and check that what it says is right before it is put in place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from watcher.config import load_settings
from watcher.config.template import Wishes, render_settings
from watcher.errors import SettingsError


def write_settings(path: Path, wishes: Wishes) -> None:
    """Write a settings file that loads; leave nothing behind when it does not.

    Raises:
        SettingsError: what was wished is wrong, each wish with its reason; or the file cannot be written.
    """
    with _draft(path, wishes) as draft:
        draft.replace(path)


def problems_with(path: Path, wishes: Wishes) -> list[str]:
    """Return what would keep ``write_settings`` from writing a file; none is left behind."""
    try:
        with _draft(path, wishes):
            return []
    except SettingsError as error:
        return error.problems


@contextmanager
def _draft(path: Path, wishes: Wishes) -> Iterator[Path]:
    """Give a file with the settings, beside the place for it, that loads; remove it if it is still there."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(render_settings(wishes), encoding="utf-8")
        draft.chmod(0o600)
        load_settings(draft, environ=os.environ)
        yield draft
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        right = "name a place in a folder that is there and that this user may write to"
        raise SettingsError([f"{path} cannot be written ({why}); {right}"]) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
