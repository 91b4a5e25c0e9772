"""Commands around recorded registry data: serve it, replay it, compare records."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.wiring import AsJson, complain, say, say_json
from watcher.errors import SettingsError

app = typer.Typer(help="Serve recorded registry data.", no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[Path, typer.Argument(help="Folder of dataset days: YYYY-MM-DD.jsonl.gz.", metavar="DIR")]


def add_to(root: typer.Typer) -> None:
    """Register the commands that stand at the top."""
    for command in (replay, compare, demo):
        root.command()(command)


@app.command()
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8077,
    day: Annotated[str | None, typer.Option(help="The day to begin at; the first one unless given.")] = None,
    every: Annotated[float | None, typer.Option(help="Seconds after which the next day begins.")] = None,
) -> None:
    """Serve a folder of dataset days as the ClinicalTrials.gov API v2 does, for trying things out."""
    from datetime import timedelta

    from watcher.replay.days import DatasetError
    from watcher.replay.folder import load_dataset
    from watcher.replay.server import RegistryServer

    pause = None if every is None else timedelta(seconds=every)
    try:
        server = RegistryServer(load_dataset(folder), port=port, start_day=day, every=pause)
    except (DatasetError, ValueError) as error:
        raise SettingsError([str(error)]) from error
    except OSError as error:
        problem = f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); choose another with --port"
        raise SettingsError([problem]) from error
    with server:
        say(f"Serving {folder} at {server.url}, on the day {server.day}.")
        say(f"Next day: curl -X POST {server.site}/control/advance")
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            say("Ended.")


def replay(
    folder: Folder,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Earlier days are a silent baseline.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play recorded days: what would I have been told?

    Goes through the real pipeline, without network, in a fresh state of its own.
    """
    from watcher.actions.pages import change_line
    from watcher.actions.rehearsal import play
    from watcher.logs import configure_logs
    from watcher.replay.days import DatasetError
    from watcher.replay.folder import load_dataset

    configure_logs("warning", "text")
    try:
        dataset = load_dataset(folder)
    except DatasetError as error:
        raise SettingsError([str(error)]) from error
    for played in play(dataset, start=start):
        if not as_json:
            say(f"{played.day}  {played.records} records, {played.verified} verified, {played.changed} changed")
            for message in played.messages:
                say(f"    mail: {message.subject}")
            for sentence in dict.fromkeys((one.nct_id, one.sentence) for one in played.changes if one.told):
                say(f"    {sentence[0]}  {sentence[1]}")
            continue
        counts = {"records": played.records, "verified": played.verified, "changed": played.changed}
        say_json({"kind": "day", "day": played.day, **counts})
        for change in played.changes:
            say_json({"kind": "change", "day": played.day, **change_line(change)})
        for message in played.messages:
            sizes = {"text_bytes": message.text_bytes, "html_bytes": message.html_bytes}
            say_json({"kind": "message", "day": played.day, "to": message.to, "subject": message.subject, **sizes})


def compare(
    before: Annotated[Path | None, typer.Argument(metavar="BEFORE.json", show_default=False)] = None,
    after: Annotated[Path | None, typer.Argument(metavar="AFTER.json", show_default=False)] = None,
    pairs: Annotated[
        Path | None, typer.Option(help='Compare every line {"before": …, "after": …} of a .jsonl or .jsonl.gz file.')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two records, whole or partial."""
    from watcher.actions.comparing import compare_files, compare_pairs
    from watcher.actions.pages import change_line

    if pairs is not None and before is None and after is None:
        for number, changes in compare_pairs(pairs):
            for change in changes:
                if as_json:
                    say_json({"kind": "change", "pair": number, **change_line(change)})
                else:
                    say(f"{number}  {change.severity:<8}  {change.sentence}")
        return
    if before is None or after is None or pairs is not None:
        raise SettingsError(["give either BEFORE.json and AFTER.json, or --pairs FILE.jsonl"])
    changes = compare_files(before, after)
    if as_json:
        for change in changes:
            say_json({"kind": "change", **change_line(change)})
        return
    for sentence in dict.fromkeys((one.severity, one.sentence) for one in changes):
        say(f"{sentence[0]:<8}  {sentence[1]}")
    if not changes:
        complain("no difference")


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its state; emptied first.")] = Path("demo-state"),
) -> None:
    """Play an invented registry to the real service.

    A few days of a small registry; shows the mails and where they lie.
    """
    from watcher.actions.demonstration import demonstrate

    demonstrate(folder, say)
