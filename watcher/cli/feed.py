"""``trialwatch feed``: links to Atom feeds, each for one person, each revocable."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, SettingsPath, application, say

app = typer.Typer(help="Manage links to Atom feeds.", no_args_is_help=True, rich_markup_mode=None)
_SETTINGS = Path(DEFAULT_SETTINGS)
Address = Annotated[str, typer.Option("--for", help="Whose link it is.", metavar="ADDRESS")]


@app.command()
def add(
    watchlist: Annotated[str, typer.Argument(help="The name of a watch list.", metavar="WATCHLIST")],
    address: Address,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Print a new link to a watch list's feed, once.

    Whoever has the link can read the feed, until it is revoked.
    """
    with application(settings, reading=True) as application_:
        from watcher.actions.feeds import add_feed

        say(add_feed(application_, watchlist, address))


@app.command()
def revoke(
    address: Address,
    watchlist: Annotated[
        str | None, typer.Argument(help="Only this list's.", metavar="[WATCHLIST]", show_default=False)
    ] = None,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Revoke the links that somebody was given."""
    with application(settings, reading=True) as application_:
        from watcher.actions.feeds import revoke_feeds

        revoked = revoke_feeds(application_, address, watchlist)
        say(f"Revoked: {revoked}." if revoked else "There was no link in force.")
