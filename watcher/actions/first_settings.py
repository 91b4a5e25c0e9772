"""Write the first settings file, and check that what it says is right before it is put in place."""

import os
from dataclasses import dataclass
from pathlib import Path

from watcher.config import load_settings
from watcher.config.template import render_settings
from watcher.errors import SettingsError
from watcher.model import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody answered, or gave as options."""

    operator: str
    trials: tuple[str, ...]
    recipients: tuple[str, ...]
    cadence: Cadence
    time_zone: str
    sender: str | None
    smtp_host: str | None
    smtp_username: str | None
    smtp_password_file: str | None


def write_settings(path: Path, wishes: Wishes) -> None:
    """Write a settings file that loads; leave nothing behind when it does not.

    Raises:
        SettingsError: what was wished is wrong, each wish with its reason; or the file cannot be written.
    """
    text = render_settings(
        operator=wishes.operator,
        trials=wishes.trials,
        recipients=wishes.recipients,
        cadence=wishes.cadence,
        time_zone=wishes.time_zone,
        sender=wishes.sender,
        smtp_host=wishes.smtp_host,
        smtp_username=wishes.smtp_username,
        smtp_password_file=wishes.smtp_password_file,
    )
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o600)
        load_settings(draft, environ=os.environ)
        draft.replace(path)
    except OSError as error:
        raise SettingsError([f"{path} cannot be written: {error.strerror}"]) from error
    finally:
        draft.unlink(missing_ok=True)
