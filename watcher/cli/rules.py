"""Commands about what a change weighs: explain one that was recorded, show the table in force."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import (
    DEFAULT_SETTINGS,
    AsJson,
    SettingsPath,
    application,
    complain,
    say,
    say_json,
    settings_from,
)
from watcher.errors import SettingsError

_SETTINGS = Path(DEFAULT_SETTINGS)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (explain, severity):
        app.command()(command)


def explain(
    change: Annotated[str, typer.Argument(help="The ID of a change, or its beginning.", metavar="CHANGE")],
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show why a change weighs what it does.

    The change, the rules that spoke, and the row of the table for its path. `trialwatch history` prints the IDs.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.explaining import explain_change, explanation_lines

        explanation = explain_change(app, change)
        if as_json:
            say_json(explanation.as_json())
            return
        for line in explanation_lines(explanation, app):
            say(line)


def severity(
    word: Annotated[
        str | None, typer.Argument(metavar="WORD", help="Only what has it in label or path.", show_default=False)
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    status: Annotated[bool, typer.Option("--status", help="The changes of the recruitment status instead.")] = False,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show what each field weighs, and where a digest tells it.

    Severity, place, category, label and path of each row of the table in force; * marks what the settings say.
    """
    from watcher.actions.table_in_force import field_rows, status_transitions, table_lines

    if status and category is not None:
        raise SettingsError(["--category: the changes of the status are of one category; leave it out with --status"])
    loaded = settings_from(settings)
    rows = status_transitions(loaded, word=word) if status else field_rows(loaded, word=word, category=category)
    if not rows:
        complain(f'nothing has "{word}" in it')
    if as_json:
        for row in rows:
            say_json(row.as_json())
        return
    for line in table_lines(rows):
        say(line)
