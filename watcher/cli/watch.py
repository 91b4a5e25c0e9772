"""``trialwatch watch``: who watches what, by command.  What the settings file declares is shown, never changed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.wiring import (
    DEFAULT_SETTINGS,
    AsJson,
    ExitCode,
    Failed,
    SettingsPath,
    application,
    complain,
    say,
    say_json,
)
from watcher.model import Cadence

if TYPE_CHECKING:
    from watcher.app import Application

app = typer.Typer(help="Manage watched trials, beside the settings file.", no_args_is_help=True, rich_markup_mode=None)
DEFAULT_LIST = "Watched by command"
_SETTINGS = Path(DEFAULT_SETTINGS)
Trials = Annotated[list[str], typer.Argument(help="NCT IDs, such as NCT01234567.", metavar="NCT…")]
ListName = Annotated[str, typer.Option("--list", "-l", help="The watch list.")]
Skip = Annotated[bool, typer.Option("--skip-wrong", help="Take what is right, although some of it is wrong.")]


@app.command()
def add(
    trials: Trials,
    watchlist: ListName = DEFAULT_LIST,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Address that hears of the list; may be repeated.")
    ] = None,
    cadence: Annotated[Cadence, typer.Option(help="When the addresses of --to hear.")] = Cadence.DAILY,
    time_zone: Annotated[str, typer.Option(help="Their time zone, an IANA name.")] = "UTC",
    skip_wrong: Skip = False,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Watch trials.  The registry is asked whether they exist."""
    with application(settings) as application_:
        from watcher.actions.watching import read_recipient, watch_trials

        recipients = [read_recipient(address, cadence=cadence, time_zone=time_zone) for address in to or []]
        added = watch_trials(
            application_, watchlist, list(enumerate(trials, 1)), recipients=recipients, skip_wrong=skip_wrong
        )
        _report_added(application_, watchlist, added.added, added.known)
        if added.problems:
            for problem in added.problems:
                complain(problem.as_argument)
            raise Failed(ExitCode.FAILURES)


@app.command()
def remove(
    trials: Trials,
    watchlist: ListName = DEFAULT_LIST,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Stop watching trials.  Their history is kept, what is unsent is sent, and the recipients are told."""
    with application(settings) as application_:
        from watcher.actions.watching import unwatch_trials

        removed = unwatch_trials(application_, watchlist, trials)
        say(f'No longer on "{watchlist}": {", ".join(removed)}. The recipients will be told.')


@app.command("list")
def list_(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show every watch list: its trials, where they were named, and who hears of them."""
    with application(settings) as application_:
        from watcher.actions.watching import overview

        for each in overview(application_):
            if as_json:
                say_json(each.as_json())
                continue
            say(f"{each.name}  ({len(each.trials)} trials; hears of it: {', '.join(each.recipients) or 'nobody yet'})")
            for trial in each.trials:
                say(f"  {trial.nct_id}  {trial.origins:<14}  {trial.state}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a column nct_id and, if wanted, a column watchlist.")],
    watchlist: ListName = DEFAULT_LIST,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    skip_wrong: Skip = False,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Watch the trials of a CSV file.  A wrong row is named with its line and its reason."""
    with application(settings) as application_:
        from watcher.actions.watching import read_csv, watch_trials

        rows = read_csv(file, default_list=watchlist)
        problems = []
        for name, trials in rows.items():
            done = watch_trials(application_, name, trials, skip_wrong=skip_wrong, dry_run=dry_run)
            problems += done.problems
            if dry_run:
                say(f'Would add to "{name}": {", ".join(done.added) or "nothing new"}')
            else:
                _report_added(application_, name, done.added, done.known)
        for problem in problems:
            complain(f"{file}, line {problem.position}: {problem.reason}")
        if problems:
            raise Failed(ExitCode.FAILURES)


@app.command()
def export(settings: SettingsPath = _SETTINGS) -> None:
    """Print all watched trials as CSV, in the form that `import` reads."""
    with application(settings) as application_:
        from watcher.actions.watching import write_csv

        write_csv(application_, sys.stdout)


def _report_added(application_: "Application", watchlist: str, added: list[str], known: list[str]) -> None:
    if added:
        say(f'Now on "{watchlist}": {", ".join(added)}.')
    if known:
        say(f'Already on "{watchlist}": {", ".join(known)}.')
    from watcher.actions.watching import hears_nobody

    if hears_nobody(application_, watchlist):
        complain(f'nobody hears of the list "{watchlist}" yet: name somebody with --to, or declare it in the settings')
