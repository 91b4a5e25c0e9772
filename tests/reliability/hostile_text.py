"""Proof: whatever text stands in whichever field of a record, it stays text, in everything that people read.

    python -m tests.reliability.hostile_text
    python -m tests.reliability.hostile_text --stride 40 --no-browser

For each hostile text (``hostile_texts.py``) every leaf of the registry's schema takes it in turn, each in a trial of
its own, and one trial takes it in all leaves at once.  The changes go through the whole program, on a real database,
to mails with their CSV and calendar, an Atom feed, a webhook, and the terminal output of the commands that show
records; ``harmless.py`` judges each.  The mails are also opened in Chromium, as frames of one page that hears of every
script that runs and sees what was fetched; a page that is meant to be caught shows that it would.
"""

import argparse
import io
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import orjson
import structlog

from tests.flow.pages import LINKED, PUBLIC_URL, pages_of
from tests.flow.test_targets import target
from tests.flow.world import World, immediate
from tests.reliability import harmless
from tests.reliability.browser import find_browser, look_into
from tests.reliability.hostile_texts import (
    HOSTILE,
    batches,
    before,
    hostile_paths,
    with_moved_date,
    with_text,
    with_text_everywhere,
)
from tests.webhook_receiver import Receiver
from watcher.actions.feeds import add_feed
from watcher.cli import main as trialwatch
from watcher.model import Json, Watchlist
from watcher.replay.days import Version
from watcher.store.database import Database
from watcher.store.schema import upgrade

ALL, EVERYBODY = "All of them", "everybody@example.org"
EVERYWHERE = "NCT00000001"  # the trial with the text in all its leaves
_TOGETHER = 6  # trials in one reader's mail
_HOOK = "target:hook"


@dataclass(slots=True)
class Tally:
    """How much was looked at, and what is wrong with it."""

    texts: int = 0
    leaves: int = 0  # with a hostile text
    seen: Counter[str] = field(default_factory=Counter)  # outputs, by kind
    in_browser: int = 0  # elements
    wrong: list[str] = field(default_factory=list)

    def judge(self, kind: str, where: str, wrong: Iterable[str]) -> None:
        self.seen[kind] += 1
        self.wrong += [f"{where}: {kind}: {one}" for one in wrong]

    def add(self, other: "Tally") -> None:
        self.texts += other.texts
        self.leaves += other.leaves
        self.seen += other.seen
        self.in_browser += other.in_browser
        self.wrong += other.wrong


def run(names: Sequence[str], *, stride: int = 1, browser: Path | None = None) -> Tally:
    """Put texts into each ``stride``-th leaf, another one of them for each text, and into all at once."""
    total = Tally()
    for number, name in enumerate(names):
        total.add(run_text(name, HOSTILE[name], hostile_paths()[number % stride :: stride], browser=browser))
    return total


def run_text(name: str, text: str, paths: Sequence[str], *, browser: Path | None = None) -> Tally:
    tally = Tally(texts=1, leaves=len(paths) + len(hostile_paths()))
    with tempfile.TemporaryDirectory(prefix="trialwatch-texts-") as given, Receiver() as receiver:
        folder = Path(given)
        database = Database(f"sqlite:///{folder}/store.sqlite3")
        upgrade(database)
        database.close()
        options = {**LINKED, "target": [target(receiver.url)], "mail": {"calendar": True}}
        world = World(f"sqlite:///{folder}/store.sqlite3", folder, options=options)
        try:
            pairs = _pairs(text, paths)
            _play(world, pairs, tally, name)
            _judge_mails(world, receiver, name, tally, browser)
            _judge_terminal(world, folder, pairs, name, tally)
        finally:
            world.close()
    return tally


# --- through the whole program ----------------------------------------------------------------------------------------


def _pairs(text: str, paths: Sequence[str]) -> dict[str, tuple[Json, Json]]:
    """Return each trial's record before and after."""
    found = {EVERYWHERE: (before(EVERYWHERE), with_text_everywhere(EVERYWHERE, text))}
    for number, path in enumerate(paths, 2):
        nct_id = f"NCT{number:08}"
        found[nct_id] = (
            before(nct_id),
            with_moved_date(with_text(nct_id, path, text), f"2027-03-{number % 28 + 1:02}"),
        )
    return found


def _play(world: World, pairs: dict[str, tuple[Json, Json]], tally: Tally, name: str) -> None:
    """Let the records become hostile, and everybody hear of it."""
    people = [
        Watchlist(name=f"List {number}", trials=tuple(trials), recipients=(immediate(f"reader{number}@example.org"),))
        for number, trials in enumerate(batches(list(pairs), _TOGETHER))
    ]
    everybody = Watchlist(name=ALL, trials=tuple(pairs), recipients=(immediate(EVERYBODY), immediate(_HOOK)))
    world.declare(*people, everybody)
    _publish(world, (first for first, _ in pairs.values()))
    world.round()
    _publish(world, (second for _, second in pairs.values()))
    outcome = world.round().outcome
    if outcome is None or outcome.refusals or outcome.changed != len(pairs):
        tally.wrong.append(f"{name}: {outcome}")


def _publish(world: World, records: Iterable[Json]) -> None:
    """Release whole records as they are: a replayed day would refuse obsolete numbers that are none."""
    day = world.registry._next_day()
    versions = {}
    for record in records:
        nct_id = record["protocolSection"]["identificationModule"]["nctId"]
        record["derivedSection"]["miscInfoModule"]["versionHolder"] = day
        body = orjson.dumps(record)
        stamp_at = body.index(b'"versionHolder":"') + len(b'"versionHolder":"')
        versions[nct_id] = Version(nct_id=nct_id, aliases=(), body=body, stamp_at=stamp_at, sort_keys={})
    world.registry._release(day, versions)


def _judge_mails(world: World, receiver: Receiver, name: str, tally: Tally, browser: Path | None) -> None:
    for mail in world.mail_server.accepted:
        tally.judge("mail", name, harmless.wrong_in_mail(mail))
        for part in mail.message.iter_attachments():
            tally.seen[part.get_content_type()] += 1
    for body in receiver.bodies:
        tally.judge("webhook", name, harmless.wrong_in_document(body))
    path = add_feed(world.app, ALL, EVERYBODY).removeprefix(PUBLIC_URL)
    tally.judge("feed", name, harmless.wrong_in_feed(pages_of(world).get(path).content))
    if browser is not None:
        look = look_into(browser, [mail.html for mail in world.mail_server.accepted])
        tally.seen["mail in Chromium"] += look.frames
        tally.in_browser += look.elements
        if look.frames != len(world.mail_server.accepted):
            tally.wrong.append(f"{name}: Chromium showed {look.frames} mails of {len(world.mail_server.accepted)}")
        tally.wrong += [f"{name}: in Chromium: {one}" for one in look.wrong(harmless.elements_of_templates())]


# --- at the terminal --------------------------------------------------------------------------------------------------


def _judge_terminal(world: World, folder: Path, pairs: dict[str, tuple[Json, Json]], name: str, tally: Tally) -> None:
    settings = _settle(world, folder)
    files = [folder / "before.json", folder / "after.json"]
    for file, record in zip(files, pairs[EVERYWHERE], strict=True):
        file.write_bytes(orjson.dumps(record))
    change = next(change.id for changes in world.history(EVERYWHERE) for change in changes if change.told)
    some = list(pairs)[:: max(1, len(pairs) // 8)]
    commands = [["history", trial, "--not-told"] for trial in some]
    commands += [[word, trial] for word in ("show", "diff") for trial in some[:2]]
    commands += [
        ["explain", change],
        ["status"],
        ["watch", "list"],
        ["watch", "export"],
        ["inbox"],
        ["outbox", "--all"],
    ]
    commands += [["holds"], ["mutes"], ["suspensions"], ["config", "explain", EVERYWHERE]]
    commands += [["preview", EVERYBODY, "--since", "2026-03-01"], ["acknowledge", change, "--comment", HOSTILE[name]]]
    commands += [["inbox"], ["history", EVERYWHERE]]
    for command in commands:
        for form in ([], ["--json"]):
            if (form and command[0] in {"preview", "mute"}) or (command[:2] == ["watch", "export"] and form):
                continue
            _type([*command, *form, "--settings", str(settings)], name, tally)
    for form in ([], ["--json"]):
        _type(["compare", *map(str, files), *form], name, tally)


def _settle(world: World, folder: Path) -> Path:
    """Write a settings file for the world's database; commands that only look do not read lists from it."""
    path = folder / "trialwatch.toml"
    path.write_text(
        f'operator = "operator@example.org"\ndatabase.url = "{world.url}"\nlog.level = "error"\n'
        f'mail = {{sender = "trialwatch@example.org", directory = "{folder}/mail"}}\n'
        f'[[watchlist]]\nname = "Ours"\ntrials = ["NCT00000001"]\n'
        f'recipients = [{{address = "everybody@example.org"}}]\n',
        encoding="utf-8",
    )
    return path


def _type(arguments: list[str], name: str, tally: Tally) -> None:
    """Type a command in this process, and judge what it prints on both outputs."""
    out, err = io.StringIO(), io.StringIO()
    given, sys.argv = sys.argv, ["trialwatch", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            trialwatch()
    except SystemExit as ended:
        words = " ".join(arguments[:2])
        if ended.code not in {0, None}:
            tally.wrong.append(f"{name}: {words} ended with {ended.code}: {err.getvalue()[:200]!r}")
    finally:
        sys.argv = given
    tally.judge("command", f"{name}: {arguments[0]}", harmless.wrong_in_terminal(out.getvalue() + err.getvalue()))
    tally.seen["printed characters"] += len(out.getvalue())


# --- figures ----------------------------------------------------------------------------------------------------------


def row(tally: Tally, *, took: timedelta) -> str:
    """Return the row of the table in the documentation."""
    seen = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.seen.items()))
    browser = (
        f"; {tally.in_browser:,} elements in Chromium, no script ran, nothing was fetched" if tally.in_browser else ""
    )
    return (
        f"| {tally.texts} hostile texts in every string leaf, alone and all at once | {tally.leaves:,} leaves in"
        f" {took.total_seconds():,.0f} s: {seen} | {len(tally.wrong)} headers, elements, attributes, formulas or"
        f" control characters got through{browser} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.hostile_text")
    parser.add_argument("--count", type=int, default=len(HOSTILE), help="hostile texts")
    parser.add_argument("--stride", type=int, default=1, help="every so manieth leaf alone")
    parser.add_argument("--no-browser", action="store_true")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    browser = None if given.no_browser else find_browser()
    began = time.monotonic()
    total = Tally()
    for number, name in enumerate(list(HOSTILE)[: given.count]):
        paths = hostile_paths()[number % given.stride :: given.stride]
        total.add(run_text(name, HOSTILE[name], paths, browser=browser))
        sys.stderr.write(f"{name}: {len(total.wrong)} wrong\n")
    sys.stdout.write(row(total, took=timedelta(seconds=time.monotonic() - began)) + "\n")
    for wrong in list(dict.fromkeys(total.wrong))[:40]:
        sys.stdout.write(f"WRONG: {wrong}\n")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
