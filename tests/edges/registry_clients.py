"""Registry clients wired for tests, and a small registry for them.

No waiting, no chance, a clock that stands, and a note of every wait.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import parse_qs, urlsplit

import orjson
from requests.adapters import BaseAdapter

from tests.factories import study
from watcher.core.stamp import content_hash, cut_stamp
from watcher.model import Json, Record, Refusal
from watcher.registry.asking import Asker, Surroundings
from watcher.registry.client import Caps, Fetched, RegistryClient
from watcher.registry.connection import Connection, Limits
from watcher.registry.pace import Limiter
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.days import Dataset
from watcher.replay.server import RegistryServer

MON, TUE, WED = "2026-03-02", "2026-03-03", "2026-03-04"
IDS = [f"NCT{n:08}" for n in range(1, 8)]
ALIAS, UNKNOWN, MALFORMED = "NCT00000099", "NCT77777777", "NCT00000000"
CANONICAL = IDS[1]  # of ALIAS
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
AMPLE = timedelta(seconds=20)  # no test waits for it unless it fails


@cache
def dataset() -> Dataset:
    """Return three days of seven records: on the second nothing happens, on the third the first record changes."""
    monday = [study(nct_id, aliases=[ALIAS] if nct_id == CANONICAL else ()) for nct_id in IDS]
    return Dataset.of({MON: monday, TUE: [], WED: [study(IDS[0], status="COMPLETED")]})


def true_body(nct_id: str, day: str = MON) -> bytes:
    return cut_stamp(dataset().on(day)[nct_id])[0]


def known_on(day: str) -> dict[str, bytes]:
    return {nct_id: content_hash(true_body(nct_id, day)) for nct_id in IDS}


def list_of(*nct_ids: str) -> bytes:
    return packed_list([study(nct_id) for nct_id in nct_ids])


def packed_list(studies: Iterable[Json], token: str | None = None) -> bytes:
    """Return a list as the registry writes it: one study a line."""
    tail = f',"nextPageToken":"{token}"' if token else ""
    return b'{"studies":[\n' + b",\n".join(map(orjson.dumps, studies)) + b"\n]" + tail.encode() + b"}"


def asked_for(target: str) -> list[str]:
    """Return the IDs of a request: of a list, or the one of a single record."""
    parts = urlsplit(target)
    given_ids = parse_qs(parts.query).get("filter.ids")
    return given_ids[0].split(",") if given_ids else [parts.path.rpartition("/")[2]]


def targets(registry: DatasetAdapter | RegistryServer) -> list[str]:
    return [asked.target.removeprefix("/api/v2") for asked in registry.requests]


@dataclass
class Wired:
    """A client and what it did instead of waiting."""

    client: RegistryClient
    connection: Connection
    waits: list[timedelta] = field(default_factory=list)  # between attempts
    paces: list[timedelta] = field(default_factory=list)  # of the limiter

    def fetch(self, nct_ids: Iterable[str], known: Mapping[str, bytes] | None = None) -> list[Fetched]:
        hashes = known or {}
        return list(
            self.client.fetch(list(nct_ids), lambda ids: {nct_id: hashes[nct_id] for nct_id in ids if nct_id in hashes})
        )


def wired(
    *,
    url: str = "https://registry.example/api/v2",
    transport: BaseAdapter | None = None,
    batch_size: int = 100,
    connections: int = 1,
    attempts: int = 3,
    per_minute: int = 0,
    caps: Caps | None = None,
    stop: Callable[[], None] | None = None,
    now: Callable[[], datetime] = lambda: NOW,
) -> Wired:
    """Return a client of the registry at ``url``, or of a transport that answers in its place."""
    connection = Connection(
        user_agent="trialwatch/0 (test)",
        proxy=None,
        ca_bundle=None,
        limits=Limits(connect_timeout=AMPLE, read_timeout=AMPLE, deadline=AMPLE),
    )
    if transport is not None:
        connection.session.mount("https://", transport)
    waits: list[timedelta] = []
    paces: list[timedelta] = []

    def wait(duration: timedelta) -> None:
        waits.append(duration)
        if stop is not None:
            stop()

    asker = Asker(
        connection,
        Limiter(per_minute, monotonic=lambda: 0.0, wait=paces.append),
        base_url=url,
        attempts=attempts,
        surroundings=Surroundings(wait=wait, chance=lambda: 0.5, now=now),
    )
    client = RegistryClient(asker, batch_size=batch_size, connections=connections, caps=caps or Caps())
    return Wired(client=client, connection=connection, waits=waits, paces=paces)


def records(fetched: Iterable[Fetched]) -> dict[str, Record]:
    return {record.nct_id: record for part in fetched for record in part.records}


def unchanged(fetched: Iterable[Fetched]) -> list[str]:
    return [nct_id for part in fetched for nct_id in part.unchanged]


def refusals(fetched: Iterable[Fetched]) -> dict[str, Refusal]:
    return {refusal.nct_id: refusal for part in fetched for refusal in part.refusals}


def each_once(fetched: Iterable[Fetched]) -> list[str]:
    """Return every ID that was spoken of, as often as it was, in order."""
    return sorted(
        nct_id
        for part in fetched
        for nct_id in (*part.unchanged, *(r.nct_id for r in part.records), *(r.nct_id for r in part.refusals))
    )
