"""Commands about who has taken note: acknowledge, assign, reopen, inbox."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, say, say_json
from watcher.model import Severity

if TYPE_CHECKING:
    from watcher.actions.acknowledging import Done

_SETTINGS = Path(DEFAULT_SETTINGS)
_SHOWN = 50  # entries of the inbox, for people
Change = Annotated[str, typer.Argument(help="The ID of a change, or its beginning.", metavar="CHANGE")]
Comment = Annotated[str | None, typer.Option("--comment", help="What to remember with it.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it.", show_default="your login name")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (acknowledge, assign, reopen, inbox):
        app.command()(command)


def acknowledge(
    change: Change,
    comment: Comment = None,
    by: By = None,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Say that somebody has taken note of a change.

    It stands for all that the same sentence tells. Nobody is reminded of it any more.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.acknowledging import acknowledge_change

        _report(acknowledge_change(app, change, comment=comment, by=by), as_json=as_json)


def assign(
    change: Change,
    address: Annotated[str, typer.Argument(help="Who is to look after it.", metavar="ADDRESS")],
    comment: Comment = None,
    by: By = None,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Ask one person to look after a change.

    They are told, and only they are reminded.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.acknowledging import assign_change

        _report(assign_change(app, change, address, comment=comment, by=by), as_json=as_json)


def reopen(
    change: Change,
    comment: Comment = None,
    by: By = None,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Let a change wait for somebody again."""
    with application(settings, reading=True) as app:
        from watcher.actions.acknowledging import reopen_change

        _report(reopen_change(app, change, comment=comment, by=by), as_json=as_json)


def inbox(
    severity: Annotated[Severity, typer.Option(help="The least that is shown.")] = Severity.MINOR,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show what was told and not acknowledged.

    The worst first, then what has waited longest.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.acknowledging import inbox as open_ones
        from watcher.actions.acknowledging import inbox_line, inbox_lines

        found = open_ones(app, least=severity)
        if as_json:
            for one in found:
                say_json(inbox_line(one))
            return
        for line in inbox_lines(found, most=_SHOWN):
            say(line)


def _report(done: "Done", *, as_json: bool) -> None:
    if as_json:
        say_json(done.as_json())
    else:
        say(done.words)
