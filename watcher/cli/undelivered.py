"""Commands about addresses that mail does not reach."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, say, say_json

_SETTINGS = Path(DEFAULT_SETTINGS)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (suspensions, resume):
        app.command()(command)


def suspensions(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show the addresses that mail does not reach.

    Their mail goes to the fall-back reader until `trialwatch resume`.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.undelivered import suspended_addresses, suspension_json, suspension_line

        found = suspended_addresses(app)
        for one in found:
            if as_json:
                say_json(suspension_json(one))
            else:
                say(suspension_line(one))
        if not found and not as_json:
            say("Mail is not known to miss anybody.")


def resume(
    address: Annotated[str, typer.Argument(help="Address that works again.")],
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Let mail go to a suspended address again."""
    with application(settings) as app:
        from watcher.actions.undelivered import resume_address

        resumed = resume_address(app, address)
        if as_json:
            say_json({"kind": "resumed", "address": resumed})
        else:
            say(f"Mail goes to {resumed} again, from the next one on.")
