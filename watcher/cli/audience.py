"""Commands about who hears what: mute, unmute, mutes."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, complain, say, say_json

_SETTINGS = Path(DEFAULT_SETTINGS)
Reader = Annotated[str, typer.Argument(help="Address of the reader.", metavar="ADDRESS")]
Trial = Annotated[str | None, typer.Option("--trial", metavar="NCT…", help="Only of this trial.")]
Category = Annotated[str | None, typer.Option("--category", help="Only changes of this category, such as sites.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (mute, unmute, mutes):
        app.command()(command)


def mute(
    reader: Reader,
    trial: Trial = None,
    category: Category = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="MOMENT|DURATION", help="2026-03-09, 2026-03-09T08:00+01:00, or 3d from now."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for whoever looks.")] = None,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Keep mail from a reader for a while.

    Nothing is lost: what is held back comes as one mail when the mute ends.
    """
    with application(settings) as app:
        from watcher.actions.muting import mute as mute_reader

        what, ends = mute_reader(app, reader, trial=trial, category=category, until=until, reason=reason)
        end = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "until `trialwatch unmute`"
        say(f"{what.address} is muted {end}: {what.words}. What is held back will come as one mail.")


def unmute(reader: Reader, trial: Trial = None, category: Category = None, settings: SettingsPath = _SETTINGS) -> None:
    """Take back mutes of a reader.

    All of them, or those of a trial or a category.
    """
    with application(settings) as app:
        from watcher.actions.muting import unmute as unmute_reader
        from watcher.render.counts import plural

        what, ended = unmute_reader(app, reader, trial=trial, category=category)
        say(f"{plural(ended, 'mute')} of {what.address} taken back. What was held back comes with the next mail.")


def mutes(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show what is muted now."""
    with application(settings, reading=True) as app:
        from watcher.actions.muting import mutes as all_mutes
        from watcher.actions.muting import what_words

        found = all_mutes(app)
        if not found and not as_json:
            complain("nobody is muted")
        for one in found:
            what = what_words(one.category, one.nct_id)
            if as_json:
                values = {"address": one.address, "nct_id": one.nct_id, "category": one.category}
                say_json({"kind": "mute", **values, "since": one.since, "until": one.until, "reason": one.reason})
                continue
            end = f"until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else "until it is taken back"
            say(f"{one.address}  {what}, since {one.since:%Y-%m-%d %H:%M} UTC, {end}  {one.reason or ''}".rstrip())
