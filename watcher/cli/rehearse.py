"""Commands that show or play what a reader would be told: preview, simulate."""

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
from watcher.errors import SettingsError

if TYPE_CHECKING:
    from watcher.actions.preview import Preview
    from watcher.actions.simulating import Drill

_SETTINGS = Path(DEFAULT_SETTINGS)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (preview, simulate):
        app.command()(command)


def preview(
    address: Annotated[
        str | None,
        typer.Argument(help="The reader; without one, the operator, for all trials.", show_default=False),
    ] = None,
    trial: Annotated[str | None, typer.Option("--trial", metavar="NCT…", help="Only of this trial.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="What was recorded since a day, told or not yet.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write it to a file: .eml, .html or .txt.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Show a reader's next digest as it would be now.

    Nothing is recorded and nothing is sent.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.preview import kind_of
        from watcher.actions.preview import preview as written

        kind = kind_of(out) if out else None
        found = written(app, address, trial=trial, since=since)
    if found is None:
        complain("there is nothing to tell; --since DATE shows what was recorded since a day")
        return
    if found.template_trouble:
        complain(f"your {found.template_trouble}; the built-in template is used instead")
    if out and kind:
        _write(out, found.content(kind))
    if open_:
        _show(found, out if kind == ".html" else None)
    if not out and not open_:
        say(found.content(".txt").decode().rstrip())


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SettingsError([f"--out {path} cannot be written: {error.strerror}"]) from error
    say(f"Wrote {path}")


def _show(found: "Preview", path: Path | None) -> None:
    import tempfile
    import webbrowser

    if path is None:
        with tempfile.NamedTemporaryFile(prefix="trialwatch-preview-", suffix=".html", delete=False) as file:
            file.write(found.content(".html"))
        path = Path(file.name)
    if not webbrowser.open(path.absolute().as_uri()):
        complain(f"no browser was found; open {path} yourself")
        raise Failed(ExitCode.FAILURES)


def simulate(
    trial: Annotated[str, typer.Argument(help="An NCT ID.", metavar="NCT…")],
    set_: Annotated[
        list[str], typer.Option("--set", metavar="PATH=VALUE", help="A field of the invented version; may be repeated.")
    ],
    to: Annotated[str | None, typer.Option("--to", help="Send it to this address only.")] = None,
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Send a drill: what readers would hear if a record changed so.

    The mails say that they are a drill, and nothing but them is recorded.
    """
    with application(settings) as app:
        from watcher.actions.simulating import simulate as play

        drill = play(app, trial, set_, to=to)
        channel = app.channel.name
    if drill.template_trouble:
        complain(f"your {drill.template_trouble}; the built-in template is used instead")
    if as_json:
        _print_for_programs(drill)
    else:
        _print_for_people(drill, channel)
    if not drill.left_to_service and any(one.state.value != "sent" for one in drill.deliveries):
        raise Failed(ExitCode.FAILURES)


def _print_for_programs(drill: "Drill") -> None:
    sentences = list(dict.fromkeys(change.sentence for change in drill.changes if change.told))
    say_json({"kind": "drill", "nct_id": drill.nct_id, "changes": len(drill.changes), "told": sentences})
    for one in drill.deliveries:
        message = one.message
        line = {"to": message.recipient, "subject": message.subject, "state": one.state, "reply": one.reply}
        say_json({"kind": "drill_message", **line})


def _print_for_people(drill: "Drill", channel: str) -> None:
    if not drill.deliveries:
        rules = ", ".join(sorted({change.severity.value for change in drill.changes}))
        say(f"Nobody would be told: it is recorded as {rules}, and no mail tells it.")
    for one in drill.deliveries:
        words = "left to the service that runs" if drill.left_to_service else f"{one.state.value}: {one.reply or '-'}"
        say(f'"{one.message.subject}" to {one.message.recipient}: {words} ({channel})')
