"""Measure what it costs to hand messages over, and print it as a Markdown table.

python -m tests.bench.mailing                      100,000 messages to Postfix's smtp-sink; some minutes
python -m tests.bench.mailing --messages 2000      fewer

The outbox is filled directly: what it costs to compose is not measured here.  Everything else is the real thing: the
stage, the channel, SQLite with every commit on the disk.
"""

import argparse
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from tests.bench.costs import cost_of, peak_megabytes
from watcher.model import DeliveryState, Message
from watcher.notify.smtp import Security, SmtpChannel, SmtpServer
from watcher.render.mime import compose_mime
from watcher.stages.deliver import Conditions, Deliver, Patience
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.schema import upgrade

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
GOAL_SECONDS, GOAL_MEGABYTES = 300.0, 300.0  # of 100,000 messages, composing included; of one process
_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_AT_ONCE = 1_000  # messages that are composed in one transaction
_PATIENCE = 20.0  # seconds until the server listens


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mailing", description="Measure handing over.")
    parser.add_argument("--messages", type=int, default=100_000, metavar="N")
    count = parser.parse_args().messages
    if SINK is None:
        parser.error("smtp-sink is needed; Debian has it in the package postfix")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with TemporaryDirectory(prefix="trialwatch-bench-") as folder:
        database = Database(f"sqlite:///{folder}/outbox.sqlite3")
        upgrade(database)
        _fill(database, count)
        with _sink() as port:
            handed, cost = cost_of(lambda: _stage(database, port).run_all(now=_NOW))
        with database.reading() as db:
            recorded = outbox.counts(db)[DeliveryState.SENT]
    if handed.states != {DeliveryState.SENT: count} or recorded != count:
        sys.exit(f"{recorded:,} of {count:,} are recorded as sent: {handed}")
    rows = (
        ("messages", f"{count:,}", ""),
        ("handed over and recorded: s", f"{cost.wall:.1f}", f"{GOAL_SECONDS * count / 100_000:.1f}, with composing"),
        ("… a message: ms", f"{cost.wall / count * 1000:.2f}", ""),
        ("… CPU of this process, a message: ms", f"{cost.cpu / count * 1000:.2f}", ""),
        ("peak memory: MB", f"{peak_megabytes():.0f}", f"{GOAL_MEGABYTES:.0f}"),
    )
    lines = ["| | measured | goal |", "|---|---:|---:|", *(f"| {' | '.join(row)} |" for row in rows)]
    sys.stdout.write("\n".join(lines) + "\n")


def _fill(database: Database, count: int) -> None:
    for start in range(0, count, _AT_ONCE):
        with database.writing() as db:
            for number in range(start, min(count, start + _AT_ONCE)):
                outbox.add_message(db, _message(number), digest_id=None, sizes=(2_000, 10_000), now=_NOW)


def _message(number: int) -> Message:
    key, reader = f"{number:032x}", f"reader{number}@example.org"
    subject = "[NCT00000001] Recruitment status: Recruiting → Terminated"
    mime = compose_mime(
        text="Recruitment status: Recruiting → Terminated.\n" * 40,
        html="<!DOCTYPE html><html lang='en'><body>" + "<p>Recruiting → Terminated</p>" * 300 + "</body></html>",
        headers=[],
        sender=("trialwatch", "trialwatch@example.org"),
        recipient=reader,
        subject=subject,
        message_id=f"<{key}@example.org>",
        date=_NOW,
    )
    return Message(
        id=key,
        message_id=f"<{key}@example.org>",
        sender="trialwatch@example.org",
        recipient=reader,
        subject=subject,
        mime=mime,
    )


def _stage(database: Database, port: int) -> Deliver:
    server = SmtpServer(host="127.0.0.1", port=port, security=Security.NONE, local_hostname="client.test")
    return Deliver(
        database,
        {"mail": SmtpChannel(server)},
        Patience(down_for=timedelta(minutes=1), give_up_after=timedelta(hours=72)),
        operator="operator@example.org",
        conditions=Conditions(stopping=lambda: False, chance=lambda: 0.0, monotonic=time.monotonic),
    )


@contextmanager
def _sink() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([str(SINK), *as_user, f"127.0.0.1:{port}", "16"], cwd=Path("/")) as process:
        try:
            _wait_until_it_listens(port)
            yield port
        finally:
            process.terminate()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            continue
        return
    sys.exit("smtp-sink did not begin to listen")


if __name__ == "__main__":
    main()
