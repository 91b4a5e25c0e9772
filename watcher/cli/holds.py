"""Commands about what waits for somebody's look: holds, release, reclassify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.wiring import DEFAULT_SETTINGS, AsJson, SettingsPath, application, say, say_json

if TYPE_CHECKING:
    from watcher.store.holds import Decision

_SETTINGS = Path(DEFAULT_SETTINGS)
_WhichHold = Annotated[
    int | None, typer.Argument(metavar="HOLD", help="Its number; not needed where there is one.", show_default=False)
]
_AllHolds = Annotated[bool, typer.Option("--all", help="Every one that is open.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (holds, release, reclassify):
        app.command()(command)


def holds(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show releases that nobody is told of before your look."""
    with application(settings, reading=True) as app:
        from watcher.actions import holding

        found = holding.holds(app)
        for held in found:
            if as_json:
                say_json(holding.hold_as_json(held))
                continue
            for line in holding.hold_lines(held):
                say(line)
        if not found and not as_json:
            say("Nothing is held back.")


def release(
    hold: _WhichHold = None,
    every: _AllHolds = False,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Let what is held back be told as it is."""
    from watcher.store.holds import Decision

    _decide(settings, hold, Decision.RELEASED, every=every, as_json=as_json)


def reclassify(
    hold: _WhichHold = None,
    every: _AllHolds = False,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Compare what is held back again, then let it be told.

    With the rules that are in force now: after an upgrade, or after a change of the settings.
    """
    from watcher.store.holds import Decision

    _decide(settings, hold, Decision.RECLASSIFIED, every=every, as_json=as_json)


def _decide(settings: Path, hold: int | None, decision: "Decision", *, every: bool, as_json: bool) -> None:
    with application(settings, reading=True) as app:
        from watcher.actions.holding import decide

        for decided in decide(app, hold, decision, all_of_them=every):
            if as_json:
                say_json(decided.as_json())
                continue
            for line in decided.lines():
                say(line)
