"""``trialwatch test-target``: see whether what a target is to hear arrives."""

from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, say, say_json
from watcher.errors import MailError

_SETTINGS = Path(DEFAULT_SETTINGS)


def add_to(app: typer.Typer) -> None:
    app.command("test-target")(send_test)


def send_test(
    name: Annotated[str, typer.Argument(help="The name of a [[target]].")],
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Send a test to a chat or webhook now.

    Shows what the receiver said, whether it took the test or not.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.targets import send_test_to_target

        told: dict[str, object] = {"kind": "test_target", "to": name}
        try:
            receipt = send_test_to_target(app, name)
        except MailError as error:
            if as_json:
                say_json({**told, "sent": False, "reply": error.reply, "phase": error.phase})
            raise
        if as_json:
            say_json({**told, "sent": True, "reply": receipt.reply, "phase": None})
        else:
            say(f"Handed over to {name}: {receipt.reply}")
