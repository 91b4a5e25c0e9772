"""What all commands share: opening the application, exit codes, and printing that a terminal can trust.

The only place where a command's heavy imports happen, and they happen late.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.core.text import UNSEEN
from watcher.errors import (
    LeaseHeld,
    MailError,
    MessageBarred,
    MessageDeferred,
    MessageRefused,
    RegistryError,
    SettingsError,
    TrialwatchError,
)

if TYPE_CHECKING:
    from watcher.app import Application
    from watcher.config import Settings

DEFAULT_SETTINGS = "trialwatch.toml"
AsJson = Annotated[bool, typer.Option("--json", help="Print for programs: one JSON object a line.")]
SettingsPath = Annotated[
    Path,
    typer.Option(
        "--settings",
        "-s",
        envvar="TRIALWATCH_SETTINGS",
        help="The settings file.",
        show_default=DEFAULT_SETTINGS,
        readable=False,  # not asked here: whoever reads it says what would be right
    ),
]


class ExitCode(IntEnum):
    DONE = 0
    FAILURES = 1  # done, with failures that were named
    BAD_INPUT = 2  # input or settings
    HELD = 3  # another instance holds the work
    UNREACHABLE = 4  # the registry or the mail server


class Failed(Exception):
    """End with an exit code; what there is to say was said."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


def reported(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; every error becomes words on standard error."""
    try:
        command()
    except Failed as failed:
        return failed.code
    except SystemExit as ended:  # usage errors and --help: said by Typer
        return ended.code if isinstance(ended.code, int) else ExitCode.DONE
    except SettingsError as error:
        for problem in error.problems:
            complain(problem)
        return ExitCode.BAD_INPUT
    except TrialwatchError as error:
        complain(str(error))
        return _code_of(error)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing must be written to it any more, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.DONE


def _code_of(error: TrialwatchError) -> ExitCode:
    if isinstance(error, LeaseHeld):
        return ExitCode.HELD
    if isinstance(error, MessageRefused | MessageDeferred | MessageBarred):  # reached: this one message was not taken
        return ExitCode.FAILURES
    if isinstance(error, RegistryError | MailError):
        return ExitCode.UNREACHABLE
    return ExitCode.FAILURES


def settings_from(path: Path) -> Settings:
    """Load the settings.

    Raises:
        SettingsError: there are none, or they are wrong.
    """
    from watcher.config import load_settings

    return load_settings(path, environ=os.environ)


@contextmanager
def application(path: Path, *, reading: bool = False) -> Iterator[Application]:
    """Open the application on a settings file; see ``opened``."""
    with opened(settings_with_logs(path), reading=reading) as app:
        yield app


def settings_with_logs(path: Path) -> Settings:
    """Load the settings, and log as they say from now on; raises what ``settings_from`` raises."""
    from watcher.logs import configure_logs

    settings = settings_from(path)
    configure_logs(settings.log.level, settings.log.format)
    return settings


@contextmanager
def opened(settings: Settings, *, reading: bool = False) -> Iterator[Application]:
    """Open the application, its watch lists declared; close it at the end.

    Args:
        settings: valid.
        reading: for a command that only looks: an edited file is not taken over, because that joins and leaves people.
            Only where nothing was ever declared are the lists brought in, so that a new user sees them.
    """
    from watcher.app import open_application

    app = open_application(settings)
    try:
        if not reading or _is_new(app):
            app.declare_lists_unless_served()
        yield app
    finally:
        app.close()


def _is_new(app: Application) -> bool:
    """Return whether no list was ever brought in, and none was made by command."""
    from watcher.store.lists import recipients
    from watcher.store.watches import watch_states

    with app.database.reading() as db:
        return not watch_states(db) and not recipients(db)


def speak_any_encoding() -> None:
    """Put a question mark where an output cannot write a character, instead of ending there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str = "") -> None:
    """Print a line for people; what a record contains cannot steer the terminal."""
    sys.stdout.write(printable(text) + "\n")


def say_json(value: object) -> None:
    """Print a line for programs; escapes stand for what could steer a terminal, end the line, or not be encoded."""
    import orjson

    line = orjson.dumps(value, default=str).decode()
    if codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8":
        line = json.dumps(orjson.loads(line))
    if not line.isprintable():
        line = "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)
    sys.stdout.write(line + "\n")


def complain(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(printable(f"trialwatch: {text}") + "\n")


def printable(text: str) -> str:
    """Return text without control and invisible characters, but for line feeds."""
    return "".join(char if char == "\n" or unicodedata.category(char) not in UNSEEN else " " for char in text)


def mail_note(settings: Settings) -> str | None:
    """Return what has to be said when mails are only written to files; None when a server is configured."""
    if settings.mail.smtp is not None:
        return None
    return f"No mail server is configured: mails are written to {settings.mail.directory}"
