"""``trialwatch config``: look at the settings."""

from pathlib import Path

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, say, say_json, settings_from
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
