"""``trialwatch watch``: who watches what, by command.  What the settings file declares is shown, never changed."""

import sys
from collections.abc import Sequence
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
    from watcher.actions.watching import Added
    from watcher.app import Application

app = typer.Typer(help="Manage watched trials, beside the settings file.", no_args_is_help=True, rich_markup_mode=None)
DEFAULT_LIST = "Watched by command"
_SETTINGS = Path(DEFAULT_SETTINGS)
Trials = Annotated[list[str], typer.Argument(help="NCT IDs, such as NCT01234567.", metavar="NCT…")]
ListName = Annotated[str, typer.Option("--list", "-l", help="The watch list.")]
TheirCadence = Annotated[
    Cadence | None,
    typer.Option(help="When the addresses of --to hear; as their [[recipient]] says unless given, or daily."),
]
TheirTimeZone = Annotated[
    str | None,
    typer.Option(help="Their time zone, an IANA name; as their [[recipient]] says unless given, or UTC."),
]
Skip = Annotated[bool, typer.Option("--skip-wrong", help="Take what is right, although some of it is wrong.")]


@app.command()
def add(
    trials: Trials,
    watchlist: ListName = DEFAULT_LIST,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Address, or target:NAME, that hears of the list; may be repeated.")
    ] = None,
    cadence: TheirCadence = None,
    time_zone: TheirTimeZone = None,
    skip_wrong: Skip = False,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Watch trials.  The registry is asked whether they exist."""
    with application(settings) as application_:
        from watcher.actions.watching import Given, read_recipient, watch_trials

        known = application_.settings
        recipients = [
            read_recipient(address, cadence=cadence, time_zone=time_zone, settings=known) for address in to or []
        ]
        given = [Given(text=trial, watchlist=watchlist) for trial in trials]
        _report_added(application_, watch_trials(application_, given, recipients=recipients, skip_wrong=skip_wrong))


@app.command()
def remove(
    trials: Annotated[list[str] | None, typer.Argument(help="NCT IDs.", metavar="[NCT…]", show_default=False)] = None,
    watchlist: ListName = DEFAULT_LIST,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Address that shall hear of the list no more; may be repeated.")
    ] = None,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Stop watching trials, or take people off a list.

    The history is kept, what is unsent is sent, and the recipients are told.
    """
    with application(settings) as application_:
        from watcher.actions.watching import unwatch

        removed = unwatch(application_, watchlist, trials=trials or [], addresses=to or [])
        if removed.trials:
            say(f'No longer on "{watchlist}" by command: {", ".join(removed.trials)}. The recipients will be told.')
        if removed.people:
            say(f'No longer hear of "{watchlist}" by command: {", ".join(removed.people)}. They will be told.')
        if removed.declared:
            complain(f"the settings file keeps on the list, remove there: {', '.join(removed.declared)}")


@app.command()
def tag(
    trials: Trials,
    word: Annotated[str, typer.Option("--tag", help="The tag, which routes name.")],
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Give trials a tag, beside those of their lists."""
    with application(settings) as application_:
        from watcher.actions.tagging import tag as tag_trials

        word, tagged = tag_trials(application_, trials, word)
        say(f'Tagged "{word}": {", ".join(tagged) or "nothing new"}.')


@app.command()
def untag(
    trials: Trials,
    word: Annotated[str, typer.Option("--tag", help="The tag.")],
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Take a tag from trials that they have by command."""
    with application(settings) as application_:
        from watcher.actions.tagging import untag as untag_trials

        word, taken = untag_trials(application_, trials, word)
        say(f'No longer tagged "{word}" by command: {", ".join(taken)}.')


@app.command("list")
def list_(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show every watch list: its trials, where they were named, and who hears of them."""
    with application(settings, reading=True) as application_:
        from watcher.actions.overview import overview

        for each in overview(application_):
            if as_json:
                say_json(each.as_json())
                continue
            for line in each.lines():
                say(line)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a column nct_id and, if wanted, a column watchlist.")],
    watchlist: ListName = DEFAULT_LIST,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Address, or target:NAME, that hears of the lists; may be repeated."),
    ] = None,
    cadence: TheirCadence = None,
    time_zone: TheirTimeZone = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    skip_wrong: Skip = False,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Watch the trials of a CSV file.  A wrong row is named with its line and its reason."""
    with application(settings) as application_:
        from watcher.actions.lists_as_csv import read_csv
        from watcher.actions.watching import read_recipient, watch_trials

        known = application_.settings
        recipients = [
            read_recipient(address, cadence=cadence, time_zone=time_zone, settings=known) for address in to or []
        ]
        given = read_csv(file, default_list=watchlist)
        done = watch_trials(application_, given, recipients=recipients, skip_wrong=skip_wrong, dry_run=dry_run)
        if dry_run:
            _report_what_would_be(done, [one.address for one in recipients], skip_wrong=skip_wrong)
        else:
            _report_added(application_, done)


@app.command()
def export(settings: SettingsPath = _SETTINGS) -> None:
    """Print all watched trials as CSV, in the form that `import` reads."""
    with application(settings, reading=True) as application_:
        from watcher.actions.lists_as_csv import write_csv

        write_csv(application_, sys.stdout)


def _report_what_would_be(done: "Added", people: Sequence[str], *, skip_wrong: bool) -> None:
    """Say what would come on which list, and what would not.

    Raises:
        Failed: something is wrong.
    """
    for watchlist, added in done.added.items():
        say(f'Would add to "{watchlist}": {", ".join(added) or "nothing new"}')
        if people:
            say(f'Would hear of "{watchlist}": {", ".join(people)}')
    for problem in done.problems:
        complain(problem)
    if done.problems and not skip_wrong:
        complain("nothing is added as long as something is wrong, except with --skip-wrong")
        raise Failed(ExitCode.BAD_INPUT)
    if done.problems:
        raise Failed(ExitCode.FAILURES)


def _report_added(application_: "Application", done: "Added") -> None:
    """Say what is on which list now, and what is not.

    Raises:
        Failed: something was skipped.
    """
    from watcher.actions.overview import hears_nobody

    for watchlist, added in done.added.items():
        if added:
            say(f'Now on "{watchlist}": {", ".join(added)}.')
        if done.known[watchlist]:
            say(f'Already on "{watchlist}": {", ".join(done.known[watchlist])}.')
        if hears_nobody(application_, watchlist):
            complain(
                f'nobody hears of the list "{watchlist}" yet: name somebody with --to, or declare it in the settings'
            )
    for problem in done.problems:
        complain(problem)
    if done.problems:
        raise Failed(ExitCode.FAILURES)
