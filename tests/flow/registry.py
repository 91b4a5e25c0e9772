"""A registry in this process that grows: each publication is a release, one day after the one before.

    registry.publish("NCT00000001", status="TERMINATED")
    registry.publish_all({"NCT00000001": {"enrollment": 50}, "NCT00000002": {}})
    registry.publish_nothing()
    registry.remove("NCT00000001")

Answers and faults are those of ``watcher.replay``, through the program's real client.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import orjson
from requests import PreparedRequest, Response

from tests.factories import Json, study
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.days import Dataset, Version, read_days

BEFORE_THE_FIRST = date(2026, 3, 1)


class GrowingDataset(Dataset):
    """Dataset days to which more are added."""

    def __init__(self) -> None:
        super().__init__({BEFORE_THE_FIRST.isoformat(): {}})

    def add(self, day: str, changes: Mapping[str, Version | None]) -> None:
        self._changes = {**self._changes, day: changes}


class PublishedRegistry(DatasetAdapter):
    """The registry; the program's HTTP session is mounted on it."""

    def __init__(self) -> None:
        self._growing = GrowingDataset()
        self._fields: dict[str, dict[str, Any]] = {}  # of the records made by ``study``, by ID
        self._planned: list[tuple[str, Callable[[], None]]] = []
        self._told = 0
        super().__init__(self._growing)

    def publish(self, nct_id: str, **fields: Any) -> None:
        """Release a record, new or with these fields of ``study`` different, the rest as before."""
        self.publish_all({nct_id: fields})

    def publish_all(self, fields_by_id: Mapping[str, Mapping[str, Any]]) -> None:
        """Release several records at once."""
        day = self._next_day()
        for nct_id, fields in fields_by_id.items():
            self._fields[nct_id] = {**self._fields.get(nct_id, {}), **fields}
        self.publish_records(study(i, **{"updated": day, "stamp": day, **self._fields[i]}) for i in fields_by_id)

    def publish_records(self, records: Any) -> None:
        """Release whole records, decoded or as bytes; their daily stamp is set to the day."""
        day = self._next_day()
        lines = [record if isinstance(record, bytes) else orjson.dumps(record) for record in records]
        self._release(day, read_days({day: lines}, names={day: day})[day])

    def publish_nothing(self) -> None:
        """Release a dataset in which only the daily stamp is different."""
        self._release(self._next_day(), {})

    def remove(self, *nct_ids: str) -> None:
        """Release a dataset without these records."""
        self._release(self._next_day(), dict.fromkeys(nct_ids))

    def record(self, nct_id: str) -> Json:
        """Return a record as it is served now, decoded."""
        return orjson.loads(self._growing.on(self.day)[nct_id])

    def asked(self) -> list[str]:
        """Return the targets of the requests since the last call of this."""
        asked = [request.target for request in self.requests]
        news, self._told = asked[self._told :], len(asked)
        return news

    def before_request(self, part: str, do: Callable[[], None]) -> None:
        """Do something once, right before the next request whose path or query contains ``part`` is answered."""
        self._planned.append((part, do))

    def calm_down(self) -> None:
        """Forget what was to happen before requests."""
        self._planned.clear()

    def send(self, request: PreparedRequest, *network: Any, **details: Any) -> Response:
        planned = next((each for each in self._planned if each[0] in str(request.url)), None)
        if planned is not None:
            self._planned.remove(planned)
            planned[1]()
        return super().send(request, *network, **details)

    def _next_day(self) -> str:
        return (date.fromisoformat(self._growing.days[-1]) + timedelta(days=1)).isoformat()

    def _release(self, day: str, changes: Mapping[str, Version | None]) -> None:
        self._growing.add(day, changes)
        self.day = day
