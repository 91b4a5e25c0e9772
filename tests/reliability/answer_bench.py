"""What hostile answers meet: the registry's truth, the client, and a database with the stored versions."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
import structlog

from tests.edges.registry_clients import wired
from tests.factories import study
from tests.flow.world import World
from tests.reliability.hostile_transport import HostileAsker, HostileTransport
from tests.reliability.questions import Json, id_of
from watcher.core.fields import FieldTable
from watcher.core.stamp import content_hash, cut_stamp
from watcher.registry.client import RegistryClient
from watcher.replay.demo import build_demo_days
from watcher.stages.comparison import Comparison
from watcher.store.database import Database
from watcher.store.schema import upgrade
from watcher.store.watches import current_hashes
from watcher.tables import load_rules


@cache
def versions() -> dict[str, tuple[Json, Json]]:
    """Return trials with the version that is stored and the one that the registry has now: often a newer one."""
    seen: dict[str, list[Json]] = {}
    for day in build_demo_days():
        for line in day.lines:
            if line.record is not None:
                seen.setdefault(line.nct_id, []).append(line.record)
    found = {nct_id: (records[-2], records[-1]) for nct_id, records in seen.items()}
    for number in range(1, 25):
        extra = {"protocolSection": {"descriptionModule": {"detailedDescription": "Words of a trial. " * 220}}}
        record = study(f"NCT0000{number:04}", extra=extra)
        found[id_of(record)] = (record, record)
    return found


@cache
def true_hashes() -> Mapping[str, frozenset[bytes]]:
    """Return the content hashes of the registry's true records."""
    return {
        nct_id: frozenset(content_hash(cut_stamp(orjson.dumps(each))[0]) for each in both)
        for nct_id, both in versions().items()
    }


@cache
def stored_sizes() -> Mapping[str, int]:
    return {nct_id: len(cut_stamp(orjson.dumps(stored))[0]) for nct_id, (stored, _) in versions().items()}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that one process needs, with the stored versions in a database."""

    database: Database
    comparison: Comparison
    known: Mapping[str, bytes]  # the hashes of the stored versions
    transport: HostileTransport
    client: RegistryClient


@contextmanager
def opened_bench() -> Iterator[Bench]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="trialwatch-answers-") as folder:
        url = f"sqlite:///{folder}/store.sqlite3"
        empty = Database(url)
        upgrade(empty)
        empty.close()
        world = World(url, Path(folder))
        try:
            world.watch(*versions())
            world.registry.publish_records(stored for stored, _ in versions().values())
            assert world.check().first_seen == len(versions())
            with world.app.database.reading() as db:
                known = current_hashes(db, list(versions()))
            transport = HostileTransport([newer for _, newer in versions().values()])
            whole_way = wired(transport=transport, attempts=1).client._asker
            yield Bench(
                database=world.app.database,
                comparison=Comparison(world.app.database, FieldTable(load_rules())),
                known=known,
                transport=transport,
                client=RegistryClient(HostileAsker(transport, whole_way), batch_size=100, connections=1),
            )
        finally:
            world.close()
