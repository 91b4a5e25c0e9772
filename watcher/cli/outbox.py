"""Commands about mails that are on their way: outbox, outbox retry, outbox dismiss."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, say, say_json

_SETTINGS = Path(DEFAULT_SETTINGS)
_Message = Annotated[str, typer.Argument(help="The message's ID, or how it begins.", metavar="ID")]

app = typer.Typer(help="Show what is on its way, or was given up.", invoke_without_command=True)


@app.callback()
def show(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="List also what is done.")] = False,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Show mails that wait, are uncertain or were given up, and what becomes of them."""
    if context.invoked_subcommand is not None:
        return
    with application(settings, reading=True) as opened:
        from watcher.actions import dead_letters

        found = dead_letters.messages_of(opened, everything=everything)
        for one in found:
            if as_json:
                say_json(dead_letters.as_json(one))
            else:
                say(dead_letters.line_of(one))
        if not found and not as_json:
            say("Nothing waits, and nothing was given up.")


@app.command()
def retry(message: _Message, settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Try a mail again that was given up."""
    with application(settings, reading=True) as opened:
        from watcher.actions import dead_letters

        message_id = dead_letters.try_again(opened, message)
        if as_json:
            say_json({"kind": "retried", "id": message_id})
        else:
            say(f"{message_id} is tried again by the service, or by `trialwatch check`.")


@app.command()
def dismiss(message: _Message, settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Leave a mail given up; it is no open trouble any more."""
    with application(settings, reading=True) as opened:
        from watcher.actions import dead_letters

        message_id = dead_letters.dismiss(opened, message)
        if as_json:
            say_json({"kind": "dismissed", "id": message_id})
        else:
            say(f"{message_id} stays given up.")
