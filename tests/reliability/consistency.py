"""What must be true of the database at every moment, whoever was killed in whatever they did."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_NEVER = {
    "a change of which a reader is told nothing, in revision": (
        "SELECT revision.id FROM revision JOIN reader ON reader.nct_id = revision.nct_id"
        " WHERE before_id IS NOT NULL AND reader.welcomed_at < revision.recorded_at"
        " AND NOT EXISTS (SELECT 1 FROM notice"
        " WHERE notice.revision_id = revision.id AND notice.address = reader.address)"
    ),
    "a revision without its changes": (
        "SELECT id FROM revision WHERE before_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM change WHERE change.revision_id = revision.id)"
    ),
    "a trial whose newest snapshot no revision leads to": (
        "SELECT nct_id FROM snapshot WHERE NOT EXISTS (SELECT 1 FROM revision WHERE after_id = snapshot.id)"
    ),
    "a notice in a digest, and in no message": (
        "SELECT id FROM notice WHERE digest_id IS NOT NULL AND message_id IS NULL"
    ),
    "a digest without a message": (
        "SELECT id FROM digest WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.digest_id = digest.id)"
    ),
    "two messages at the final dot at once": (
        "SELECT count(*) FROM message WHERE state = 'sending' AND phase IN ('dot', 'journalled') HAVING count(*) > 1"
    ),
    "a message that was sent, and not when": "SELECT id FROM message WHERE state = 'sent' AND finished_at IS NULL",
}
_AT_THE_DOT = "SELECT message_id FROM message WHERE state = 'sending' AND phase IN ('dot', 'journalled')"
_UNSETTLED = "SELECT id || ' is ' || state || ': ' || coalesce(reply, '') FROM message WHERE state <> 'sent'"


def inconsistencies(database: Path, *, settled: bool = False) -> list[str]:
    """Return what is wrong in a copy of the database; the original is left as the dead process left it.

    Args:
        database: the file; what stands in its write-ahead log counts.
        settled: nobody is at work any more, and every message must have been sent.
    """
    with _copied(database) as store:
        found = [row[0] for row in store.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"a broken reference in {row[0]}" for row in store.execute("PRAGMA foreign_key_check")]
        for what, query in _NEVER.items():
            found += [f"{what} {row[0]}" for row in store.execute(query)]
        found += [row[0] for row in store.execute(_UNSETTLED)] if settled else []
    return found


def in_hand(database: Path) -> int:
    """Return how many messages somebody was handing over, or about to."""
    with _copied(database) as store:
        return int(store.execute("SELECT count(*) FROM message WHERE state = 'sending'").fetchone()[0])


def at_the_dot(database: Path) -> set[str]:
    """Return the Message-IDs of mails that the server may have taken without that being recorded."""
    with _copied(database) as store:
        return {row[0] for row in store.execute(_AT_THE_DOT)}


@contextmanager
def _copied(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy: to open the original would recover it, which is the next life's part."""
    with tempfile.TemporaryDirectory() as folder:
        for file in database.parent.glob(f"{database.name}*"):
            if not file.name.endswith("-shm"):  # made anew from the log, as after a crash of the machine
                shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder) / database.name)) as store:
            yield store
