"""Which release is the registry at, and what do the records look like in it?

A record that is missing from an answer is asked for alone before it is called missing; what fails a check is a refusal
with its reason.  Nothing here decides what a refusal means for a watch.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

from watcher.errors import RegistryError
from watcher.model import Reason, Record, Refusal, Release
from watcher.registry.asking import Asker
from watcher.registry.body import Page, aliases_of, check_record, parse_page, parse_release, parse_study
from watcher.registry.connection import Answer

BATCH_CAP = 64 * 1024 * 1024  # bytes after inflation
RECORD_CAP = 16 * 1024 * 1024
VERSION_CAP = 64 * 1024
# One batch without any answer may be chance; after two in a row the rest is left for the next tick.
_TROUBLE = frozenset({Reason.BLOCKED, Reason.RATE_LIMITED, Reason.UNREACHABLE, Reason.SERVER_ERROR})
KnownHashes = Callable[[Sequence[str]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the registry gave for one batch.  Every ID that was asked for stands in exactly one of the first three."""

    unchanged: tuple[str, ...]  # same content as the known hash
    records: tuple[Record, ...]  # new or different, and checked
    refusals: tuple[Refusal, ...]
    stamps: frozenset[str]  # the days that the records are stamped with
    etags: frozenset[str]  # of the lists; one and the same for a whole release


class RegistryClient:
    """The registry, as the pipeline sees it."""

    def __init__(self, asker: Asker, *, batch_size: int, connections: int) -> None:
        """Wire a client.

        Args:
            asker: sends the requests.
            batch_size: IDs in one request; at most 400, which makes a URL of under 6 KB.
            connections: requests under way at once, 1 or 2.
        """
        self._asker = asker
        self._batch_size = batch_size
        self._connections = connections

    def release(self) -> Release:
        """Return the registry's current release.

        Raises:
            RegistryError: no usable answer after all attempts; ask again at the next tick.
        """
        return self._asker.ask("/version", {}, cap=VERSION_CAP, read=lambda answer: parse_release(answer.body))

    def fetch(self, nct_ids: Sequence[str], known: KnownHashes) -> Iterator[Fetched]:
        """Fetch records in full, batch by batch, in the order of the IDs.

        When the registry blocks us, or leaves two batches in a row without any answer, the rest is refused unasked.

        Args:
            nct_ids: normalised, without doubles.
            known: returns the content hashes of those of a batch's records that are known.
        """
        size = self._batch_size
        batches = deque(list(nct_ids[start : start + size]) for start in range(0, len(nct_ids), size))
        under_way: deque[tuple[list[str], Future[_Batch]]] = deque()
        silent = 0
        with ThreadPoolExecutor(self._connections, thread_name_prefix="registry") as executor:
            while batches or under_way:
                while batches and len(under_way) < self._connections:
                    ids = batches.popleft()
                    under_way.append((ids, executor.submit(self._fetch_batch, ids)))
                ids, future = under_way.popleft()
                batch = future.result()
                yield batch.judged(known(ids))
                trouble = batch.trouble()
                silent = silent + 1 if trouble else 0
                if trouble and (trouble.reason is Reason.BLOCKED or silent > 1):
                    yield from (_unasked(ids, trouble) for ids in batches)
                    batches.clear()

    def _fetch_batch(self, ids: Sequence[str]) -> "_Batch":
        batch = _Batch(asked=dict.fromkeys(ids))
        try:
            self._fetch_list(batch)
        except RegistryError as error:
            if error.reason is Reason.TOO_LARGE and len(ids) > 1:
                half = len(ids) // 2
                return self._fetch_batch(ids[:half]).joined(self._fetch_batch(ids[half:]))
            # A malformed or an enormous record says nothing about the others: ask for each alone.
            if error.reason not in {Reason.MALFORMED_ID, Reason.TOO_LARGE}:
                for nct_id in batch.missing():
                    batch.refuse(nct_id, error)
        for nct_id in batch.missing():
            self._fetch_one(batch, nct_id)
        return batch

    def _fetch_list(self, batch: "_Batch") -> None:
        params = {"filter.ids": ",".join(batch.asked), "pageSize": str(self._batch_size)}
        params |= {"sort": "LastUpdatePostDate", "format": "json"}
        token: str | None = None
        for _ in range(len(batch.asked) + 1):  # a page may be empty and still have a next one
            paged = params | ({"pageToken": token} if token else {})
            answer, page = self._asker.ask("/studies", paged, cap=BATCH_CAP, read=_with_page)
            if "ETag" in answer.headers:
                batch.etags.add(answer.headers["ETag"])
            for record in page.records:
                batch.take(record)
            token = page.next_page_token
            if token is None:
                return

    def _fetch_one(self, batch: "_Batch", nct_id: str) -> None:
        """Ask for one record that its batch lacked."""
        if batch.blocked is not None:
            batch.refuse(nct_id, batch.blocked)
            return
        try:
            answer = self._asker.ask(f"/studies/{nct_id}", {"format": "json"}, cap=RECORD_CAP, read=_itself)
            if answer.status == HTTPStatus.MOVED_PERMANENTLY:
                location = answer.headers.get("Location", "")
                batch.refuse_alias(nct_id, canonical=location.partition("?")[0].rpartition("/")[2])
                return
            record = parse_study(answer.body)
            batch.take(record)
            if nct_id in batch.missing():
                detail = f"asked for {nct_id}, the registry sent {record.nct_id}"
                batch.refuse(nct_id, RegistryError(Reason.WRONG_RECORD, detail))
        except RegistryError as error:
            batch.refuse(nct_id, error)


@dataclass(slots=True)
class _Batch:
    """What is being gathered for the IDs of one batch."""

    asked: dict[str, None]  # an ordered set
    records: dict[str, Record] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    etags: set[str] = field(default_factory=set)
    blocked: RegistryError | None = None  # the registry refuses us: do not ask on

    def missing(self) -> list[str]:
        return [nct_id for nct_id in self.asked if nct_id not in self.records and nct_id not in self.refusals]

    def take(self, record: Record) -> None:
        """Accept a record that was asked for; recognise one that answers for an obsolete ID; ignore any other."""
        if record.nct_id in self.asked:
            self.records[record.nct_id] = record
            return
        for alias in aliases_of(record.body):
            if alias in self.asked:
                self.refuse_alias(alias, canonical=record.nct_id)

    def refuse(self, nct_id: str, error: RegistryError) -> None:
        self.refusals[nct_id] = Refusal(nct_id=nct_id, reason=error.reason, detail=error.detail)
        if error.reason is Reason.BLOCKED:
            self.blocked = error

    def refuse_alias(self, nct_id: str, *, canonical: str) -> None:
        detail = f"the registry answers with {canonical}, which lists {nct_id} as an obsolete or duplicate number"
        refusal = Refusal(nct_id=nct_id, reason=Reason.ALIASED, detail=detail, canonical_id=canonical)
        self.refusals[nct_id] = refusal

    def joined(self, other: "_Batch") -> "_Batch":
        return _Batch(
            asked=self.asked | other.asked,
            records=self.records | other.records,
            refusals=self.refusals | other.refusals,
            etags=self.etags | other.etags,
            blocked=self.blocked or other.blocked,
        )

    def trouble(self) -> Refusal | None:
        """Return how the registry failed us if it gave nothing at all for this batch."""
        first = next(iter(self.refusals.values()), None)
        return first if first and not self.records and first.reason in _TROUBLE else None

    def judged(self, known: Mapping[str, bytes]) -> Fetched:
        """Sort out what is unchanged, and check the rest."""
        unchanged, changed = [], []
        for record in self.records.values():
            if known.get(record.nct_id) == record.content_hash:
                unchanged.append(record.nct_id)
                continue
            try:
                # Kept as bytes: a first pass over thousands of records must not hold them decoded.
                check_record(record)
            except RegistryError as error:
                self.refuse(record.nct_id, error)
            else:
                changed.append(record)
        return Fetched(
            unchanged=tuple(unchanged),
            records=tuple(changed),
            refusals=tuple(self.refusals.values()),
            stamps=frozenset(record.stamp for record in self.records.values() if record.stamp),
            etags=frozenset(self.etags),
        )


def _unasked(ids: Sequence[str], trouble: Refusal) -> Fetched:
    detail = f"not asked for, because the registry failed for others: {trouble.detail}"
    refusals = tuple(Refusal(nct_id=nct_id, reason=trouble.reason, detail=detail) for nct_id in ids)
    return Fetched(unchanged=(), records=(), refusals=refusals, stamps=frozenset(), etags=frozenset())


def _with_page(answer: Answer) -> tuple[Answer, Page]:
    return answer, parse_page(answer.body)


def _itself(answer: Answer) -> Answer:
    return answer
