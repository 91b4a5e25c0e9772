"""Commands about one trial: history, show, diff.  Its own page: contacts stand here as in the record."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, complain, say, say_json

_SETTINGS = Path(DEFAULT_SETTINGS)
Trial = Annotated[str, typer.Argument(help="An NCT ID.", metavar="NCT…")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (history, show, diff):
        app.command()(command)


def history(
    trial: Trial,
    not_told: Annotated[bool, typer.Option("--not-told", help="List also what was recorded and not told.")] = False,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show every recorded change of a trial, oldest first.

    What was not told is counted by the rule that had the last word; with --json every change is printed, told or not.
    `trialwatch explain` says what the rules are, for a change by the ID behind it.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.pages import act_line, change_line, history_of

        for step in history_of(app, trial):
            if as_json:
                for change in step.changes:
                    act = step.acts.get(change.story)
                    done = {"acknowledgement": act_line(act) if act else None}
                    say_json({"kind": "change", "day": step.day, **change_line(change), **done})
                continue
            say(f"{step.day}  {step.words}")
            for line in (*step.sentences, *(step.not_told if not_told else ())):
                say(f"    {line}")


def show(
    trial: Trial,
    at: Annotated[str | None, typer.Option("--at", metavar="DATE", help="The version of that day, yyyy-mm-dd.")] = None,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show a trial's record, the newest or of a day."""
    with application(settings, reading=True) as app:
        from watcher.actions.pages import page_of, record_at

        version = record_at(app, trial, at)
        if as_json:
            say_json(version.record)
            return
        for line in page_of(version, app.table):
            say(line)


def diff(
    trial: Trial,
    since: Annotated[
        str | None, typer.Argument(metavar="[FROM]", help="A day, yyyy-mm-dd.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Argument(metavar="[TO]", help="A later day.", show_default=False)] = None,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two days of a trial.

    Without days, between its last two versions.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.pages import difference_line, differences_between

        found = differences_between(app, trial, since, until)
        if not found:
            complain("no difference")
        for difference in found:
            if as_json:
                say_json({"kind": "difference", **difference_line(difference, app.table)})
                continue
            where = f"{difference.path}  [{difference.item}]" if difference.item else difference.path
            say(f"{difference.how}  {where}")
            for word, value in (("was", difference.old), ("now", difference.new)):
                if value is not None:
                    say(f"    {word}: {value}")
