"""100,000 recipients of one digest: composed and handed over in time, each recorded, and resumed when it is killed.

    python -m tests.reliability.recipients                     100,000 readers; several minutes, and 2 GB of disk
    python -m tests.reliability.recipients --count 5000        fewer
    python -m tests.reliability.recipients --kills 40          with SIGKILLs; 20,000 readers unless --count says

A watch list of one trial has N readers, added by command, who hear at once.  The registry (a real server on loopback)
publishes that the study was terminated.  The real daemon, in a process of its own, finds the change, composes the mails
and hands them to Postfix's ``smtp-sink``.  Measured from its start, with its first check, until the last message is
recorded: wall and CPU seconds of that process, and its largest resident set.  Proved: every message is recorded as
sent, and the sink was given one mail for every reader.

With kills, the daemon is killed at moments of chance and started again until all is done; each reader then has the one
mail, or, where the process died between the final dot and the record of its answer, the same one twice, by its
Message-ID: at most one such mail for each kill.

Readers were welcomed before, by a row of the database, so that only the digest is counted.
"""

import argparse
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from sqlalchemy import update

from tests.factories import study, write_days
from tests.process.processes import PROGRAM, Daemon, environment
from tests.reliability.sink import Sink, smtp_sink
from watcher.model import Cadence, Recipient, Schedule
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer
from watcher.store.database import Database
from watcher.store.lists import add_trials, route_of_list
from watcher.store.routes import Origin, add_routes
from watcher.store.tables import reader

GOAL_SECONDS, GOAL_MEGABYTES = 300.0, 300.0  # of 100,000 recipients
_TRIAL, _LIST = "NCT00000001", "Everybody"
_AT_ONCE = Schedule(cadence=Cadence.IMMEDIATE, time_zone="UTC", merged_for=timedelta(0))
_LOOK_EVERY = 0.2  # seconds
_LONGEST = 3600.0  # seconds that all lives of the daemon may take together
_TICKS = os.sysconf("SC_CLK_TCK")
_SETTINGS = """\
operator = "operations@example.org"
database.url = "sqlite:///{folder}/store.sqlite3"
registry = {{base_url = "{registry}", check_every = "1h", requests_per_minute = 0, attempts = 1}}
watching = {{all_clear = false, stale_after = 0}}
guards = {{hold_share = 0}}
web = {{listen = "127.0.0.1:{web}", public_url = "https://watch.example.org"}}
[log]
format = "json"
level = "warning"
[mail]
sender = "watch@example.org"
deliver_every = "1s"
merge_for = "0s"
smtp = {{host = "127.0.0.1", port = {port}, security = "none"}}
[[watchlist]]
name = "Everybody"
trials = ["NCT00000001"]
recipients = [{{address = "reader0@example.org", cadence = "immediate"}}]
"""
_DAYS = {
    "2026-03-02": [study(_TRIAL, stamp="2026-03-02")],
    "2026-03-03": [study(_TRIAL, status="TERMINATED", stamp="2026-03-03", updated="2026-03-03")],
}


@dataclass(slots=True, kw_only=True)
class Spent:
    """What the daemon's lives cost, together."""

    wall: float = 0.0  # seconds
    cpu: float = 0.0
    megabytes: float = 0.0  # the most that any of them held at once
    kills_while_composing: int = 0  # before all messages were in the outbox
    kills_while_delivering: int = 0  # after that


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What is so at the end."""

    readers: int
    spent: Spent
    states: dict[str, int]  # messages in the outbox
    missing: int  # readers who were sent nothing
    doubles: int  # readers who were sent the same mail again, by its Message-ID
    wrong: int  # readers who were sent different mails, or whom nobody knows

    @property
    def holds(self) -> bool:
        kills = self.spent.kills_while_composing + self.spent.kills_while_delivering
        recorded = self.states == {"sent": self.readers}
        return recorded and self.missing == self.wrong == 0 and self.doubles <= kills


def prove(readers: int, *, kills: int = 0, seed: int = 4711) -> Proved:
    """Let a change be told to some readers, killing the daemon at as many moments of chance.

    Args:
        readers: how many.
        kills: how many; half of them while mails are composed, half while they are handed over.
        seed: of the moments.
    """
    chance = random.Random(seed)
    with TemporaryDirectory(prefix="trialwatch-recipients-") as folder:
        Path(folder).chmod(0o755)  # the sink runs as somebody else, and its folder is in it
        return _prove_in(Path(folder), readers, kills=kills, chance=chance)


def _prove_in(folder: Path, readers: int, *, kills: int, chance: random.Random) -> Proved:
    dataset = load_dataset(write_days(folder / "days", _DAYS))
    with RegistryServer(dataset) as registry, smtp_sink(folder / "sink") as sink:
        _settle(folder, registry, sink, readers)
        registry.advance()
        spent = _run(folder, readers, kills=kills, chance=chance)
        received = sink.received()
    return _judged(folder, readers, spent, received)


def _settle(folder: Path, registry: RegistryServer, sink: Sink, readers: int) -> None:
    """Watch the trial, with readers who know that they are, and see it for the first time."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        web = int(free.getsockname()[1])
    settings = folder / "trialwatch.toml"
    settings.write_text(
        _SETTINGS.format(folder=folder, registry=registry.url, port=sink.port, web=web), encoding="utf-8"
    )
    _type(folder, "watch", "list")  # makes the database
    database = Database(f"sqlite:///{folder}/store.sqlite3")
    now = datetime.now(UTC)
    people = [Recipient(address=_address(number), schedule=_AT_ONCE) for number in range(1, readers)]
    with database.writing() as db:
        add_routes(db, [route_of_list(_LIST, one) for one in people], Origin.COMMAND, now=now)
        add_trials(db, _LIST, [_TRIAL], now=now)  # which settles who reads what
        db.execute(update(reader).values(welcomed_at=now))
    database.close()
    _type(folder, "check")


def _type(folder: Path, *words: str) -> None:
    subprocess.run([*PROGRAM, *words], cwd=folder, env=environment(), stdout=subprocess.DEVNULL, check=True)


def _address(number: int) -> str:
    return f"reader{number}@example.org"


# --- the daemon's lives -----------------------------------------------------------------------------------------------


def _run(folder: Path, readers: int, *, kills: int, chance: random.Random) -> Spent:
    """Start the daemon, and start it again whenever it was killed, until every message is recorded as sent."""
    spent = Spent()
    deadline = time.monotonic() + _LONGEST
    # Kills come at chosen numbers of messages: half of them while they are composed, half while they are handed over.
    composing = sorted(chance.sample(range(1, readers), kills // 2))
    delivering = sorted(chance.sample(range(1, readers), kills - kills // 2))
    while True:
        began, daemon = time.perf_counter(), Daemon(folder)
        try:
            done = _live(folder, daemon, readers, composing, delivering, spent, deadline)
        finally:
            spent.wall += time.perf_counter() - began
            daemon.end(signal.SIGKILL)
        if done:
            return spent


def _live(
    folder: Path,
    daemon: Daemon,
    readers: int,
    composing: list[int],
    delivering: list[int],
    spent: Spent,
    deadline: float,
) -> bool:
    """Let the daemon work until all is done, or it is time to kill it; return whether all is done."""
    before = spent.cpu
    looks = Event()
    with closing(sqlite3.connect(folder / "store.sqlite3", timeout=60)) as store:
        while True:
            ((composed, sent),) = store.execute(
                "SELECT (SELECT COUNT(*) FROM digest), (SELECT COUNT(*) FROM message WHERE state = 'sent')"
            ).fetchall()
            spent.cpu = before + _cpu_seconds(daemon)
            spent.megabytes = max(spent.megabytes, _peak_megabytes(daemon))
            if sent >= readers:
                return True
            if composing and composed >= composing[0]:
                composing.pop(0)
                spent.kills_while_composing += composed < readers
                spent.kills_while_delivering += composed >= readers
                return False
            if delivering and sent >= delivering[0]:
                delivering.pop(0)
                spent.kills_while_delivering += 1
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{sent:,} of {readers:,} are recorded as sent, {composed:,} composed:\n{daemon.log}"
                )
            if daemon.process.poll() is not None:
                raise ChildProcessError(f"the daemon ended by itself:\n{daemon.log}")
            looks.wait(_LOOK_EVERY)


def _cpu_seconds(daemon: Daemon) -> float:
    fields = Path(f"/proc/{daemon.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_megabytes(daemon: Daemon) -> float:
    lines = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii").splitlines()
    held = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return held[0] * 1024 / 1_000_000 if held else 0.0


# --- what is so at the end --------------------------------------------------------------------------------------------


def _judged(folder: Path, readers: int, spent: Spent, received: dict[str, list[str]]) -> Proved:
    with closing(sqlite3.connect(folder / "store.sqlite3")) as store:
        states = dict(store.execute("SELECT state, COUNT(*) FROM message GROUP BY state").fetchall())
        meant = dict(store.execute("SELECT recipient, message_id FROM message").fetchall())
    addresses = {_address(number) for number in range(readers)}
    right = {
        address: [key for key in received.get(address, ()) if f"<{key}>" == meant.get(address)] for address in addresses
    }
    return Proved(
        readers=readers,
        spent=spent,
        states=states,
        missing=sum(not keys for keys in right.values()),
        doubles=sum(len(keys) > 1 for keys in right.values()),
        wrong=len(received.keys() - addresses)
        + sum(len(received.get(one, ())) != len(keys) for one, keys in right.items()),
    )


def rows(proved: Proved) -> list[str]:
    """Return what was proved as rows of a Markdown table."""
    spent, size = proved.spent, f"{proved.readers:,} recipients"
    kills = spent.kills_while_composing + spent.kills_while_delivering
    states = ", ".join(f"{count:,} {state}" for state, count in proved.states.items())
    got = f"{proved.missing} without a mail, {proved.doubles} with the same one twice, {proved.wrong} with a wrong one"
    if kills:
        when = f"{spent.kills_while_composing} times composing, {spent.kills_while_delivering} times delivering"
        return [f"| one digest, killed {when} | {size} | {states}; {got} |"]
    each = spent.cpu / proved.readers * 1000
    cost = f"{spent.wall:.0f} s, {spent.cpu:.0f} s CPU ({each:.2f} ms each), at most {spent.megabytes:.0f} MB"
    goal = f"goal {GOAL_SECONDS * proved.readers / 100_000:.0f} s, {GOAL_MEGABYTES:.0f} MB"
    return [
        f"| one digest, from the check to the last record | {size} | {cost}; {goal} |",
        f"| … who got it | {size} | {states}; {got} |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability.recipients", description="Tell one change to many."
    )
    parser.add_argument("--count", type=int, metavar="N", help="readers; 100,000, or 20,000 with --kills")
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="SIGKILLs on the way")
    parser.add_argument("--seed", type=int, default=4711, metavar="N", help="of the moments of chance")
    asked = parser.parse_args()
    count = asked.count or (20_000 if asked.kills else 100_000)
    proved = prove(count, kills=asked.kills, seed=asked.seed)
    sys.stdout.write("\n".join(rows(proved)) + "\n")
    if not proved.holds:
        sys.exit(1)


if __name__ == "__main__":
    main()
