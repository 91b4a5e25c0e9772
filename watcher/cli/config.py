"""``trialwatch config``: look at the settings."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, say, say_json, settings_from
from watcher.errors import SettingsError
from watcher.render.counts import plural

app = typer.Typer(help="Look at the settings.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(settings: SettingsPath = Path(DEFAULT_SETTINGS), as_json: AsJson = False) -> None:
    """Check the settings file: every problem at once, each with its key and what would be right."""
    try:
        loaded = settings_from(settings)
    except SettingsError as error:
        if as_json:
            say_json({"settings": str(settings), "valid": False, "problems": error.problems})
        raise
    lists = loaded.watchlists()
    trials = {trial for each in lists for trial in each.trials}
    if as_json:
        say_json({"settings": str(settings), "valid": True, "watchlists": len(lists), "trials": len(trials)})
        return
    mail = f"through {loaded.mail.smtp.host}" if loaded.mail.smtp else f"to files in {loaded.mail.directory}"
    say(f"{settings}: valid. {plural(len(lists), 'watch list')} with {plural(len(trials), 'trial')}; mail goes {mail}.")


@app.command()
def explain(
    trial: Annotated[str, typer.Argument(help="An NCT ID.", metavar="NCT…")],
    settings: SettingsPath = Path(DEFAULT_SETTINGS),
    as_json: AsJson = False,
) -> None:
    """Show who would hear what of a trial, when, and why: routes, mutes, the catch-all, and the last change."""
    with application(settings, reading=True) as application_:
        from watcher.actions.audience import explain_audience

        found = explain_audience(application_, trial)
        if as_json:
            say_json(found.as_json())
            return
        for line in found.lines():
            say(line)
