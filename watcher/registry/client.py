"""Which release is the registry at, and what do the records look like in it?

A record that is missing from an answer is asked for alone before it is called missing; what fails a check is a refusal
with its reason.  Nothing here decides what a refusal means for a watch.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

from watcher.errors import RegistryError
from watcher.model import Reason, Record, Refusal, Release
from watcher.registry.asking import Asker
from watcher.registry.body import aliases_of, check_record, parse_page, parse_release, parse_study
from watcher.registry.connection import Answer

# The registry as a whole, not a record.  One request without any answer may be chance; after two in a row the rest is
# left for the next tick.
_TROUBLE = frozenset({Reason.BLOCKED, Reason.RATE_LIMITED, Reason.UNREACHABLE, Reason.SERVER_ERROR})
_RECORD = re.compile(r"/studies/(NCT[0-9]{8})(?:\?.*)?\Z")  # at the end of a redirect's target
_WITHHELD = "WITHHELD"  # the overall status of a record whose content is held back
_STOPS_AT_ONCE = frozenset({Reason.BLOCKED, Reason.RATE_LIMITED})
KnownHashes = Callable[[Sequence[str]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How large an answer may become, in bytes after inflation."""

    batch: int = 64 * 1024 * 1024
    record: int = 16 * 1024 * 1024
    version: int = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the registry gave for one batch.  Every ID that was asked for stands in exactly one of the first three."""

    unchanged: tuple[str, ...]  # same content as the known hash
    records: tuple[Record, ...]  # new or different, and checked
    refusals: tuple[Refusal, ...]
    stamp_of: Mapping[str, str]  # the day that each record is stamped with; those without a stamp are left out
    etags: frozenset[str]  # of the lists; one and the same for a whole release
    withheld: frozenset[str]  # of the records, those that are a placeholder: the registry holds back the rest

    @property
    def stamps(self) -> frozenset[str]:
        """The days that the records are stamped with."""
        return frozenset(self.stamp_of.values())


class RegistryClient:
    """The registry, as the pipeline sees it."""

    def __init__(self, asker: Asker, *, batch_size: int, connections: int, caps: Caps = Caps()) -> None:
        """Wire a client.

        Args:
            asker: sends the requests.
            batch_size: IDs in one request; at most 400, which makes a URL of under 6 KB.
            connections: requests under way at once, 1 or 2.
            caps: a list that passes its own is asked for in halves.
        """
        self._asker = asker
        self._batch_size = batch_size
        self._connections = connections
        self._caps = caps

    def release(self) -> Release:
        """Return the registry's current release.

        Raises:
            RegistryError: no usable answer after all attempts; ask again at the next tick.
        """
        return self._asker.ask("/version", {}, cap=self._caps.version, read=lambda answer: parse_release(answer.body))

    def fetch(self, nct_ids: Sequence[str], known: KnownHashes) -> Iterator[Fetched]:
        """Fetch records in full, batch by batch, in the order of the IDs.

        When the registry blocks us, or leaves two batches in a row without any answer, the rest is refused unasked.

        Args:
            nct_ids: normalised, without doubles.
            known: returns the content hashes of those of a batch's records that are known.
        """
        size = self._batch_size
        batches = deque(list(nct_ids[start : start + size]) for start in range(0, len(nct_ids), size))
        under_way: deque[Future[_Batch]] = deque()
        silent = 0
        with ThreadPoolExecutor(self._connections, thread_name_prefix="registry") as executor:
            while batches or under_way:
                while batches and len(under_way) < self._connections:
                    ids = batches.popleft()
                    under_way.append(executor.submit(self._fetch_batch, ids, known(ids)))
                batch = under_way.popleft().result()
                yield batch.judged()
                silent = silent + 1 if batch.is_silent else 0
                if batch.stopped and (batch.stopped.reason is Reason.BLOCKED or silent > 1):
                    yield from (_unasked(ids, batch.stopped).judged() for ids in batches)
                    batches.clear()

    def _fetch_batch(self, ids: Sequence[str], known: Mapping[str, bytes]) -> "_Batch":
        batch = _Batch(asked=dict.fromkeys(ids), known=known)
        failure: RegistryError | None = None
        try:
            self._fetch_list(batch)
            batch.listed = True
        except RegistryError as error:
            failure = _without_answer(error)
        batch.forget_contradictions()
        if failure and failure.reason is Reason.TOO_LARGE and len(ids) > 1:
            half = len(ids) // 2
            first = self._fetch_batch(ids[:half], known)
            rest = _unasked(ids[half:], first.stopped) if first.stopped else self._fetch_batch(ids[half:], known)
            return first.joined(rest)
        # A malformed or an enormous record says nothing about the others: ask for each alone.
        if failure and failure.reason not in {Reason.MALFORMED_ID, Reason.TOO_LARGE}:
            batch.give_up(failure)
        for nct_id in batch.missing():
            if not batch.stopped:
                self._fetch_one(batch, nct_id)
        return batch

    def _fetch_list(self, batch: "_Batch") -> None:
        params = {"filter.ids": ",".join(batch.asked), "pageSize": str(self._batch_size)}
        params |= {"sort": "LastUpdatePostDate", "format": "json"}
        token: str | None = None
        for _ in range(len(batch.asked) + 1):  # a page may be empty and still have a next one
            paged = params | ({"pageToken": token} if token else {})
            page, token = self._asker.ask("/studies", paged, cap=self._caps.batch, read=batch.page)
            batch.add(page)
            if token is None:
                return

    def _fetch_one(self, batch: "_Batch", nct_id: str) -> None:
        """Ask for one record that its batch lacked."""
        try:
            found = self._asker.ask(
                f"/studies/{nct_id}", {"format": "json"}, cap=self._caps.record, read=_record_or_canonical_id
            )
            batch.take_alone(nct_id, found)
        except RegistryError as error:
            batch.refuse(nct_id, error)
            batch.failures = batch.failures + 1 if error.reason in _TROUBLE else 0
            if error.reason in _STOPS_AT_ONCE or batch.failures > 1:
                batch.give_up(_without_answer(error), asked=False)
        else:
            batch.failures = 0


@dataclass(slots=True)
class _Batch:
    """What is being gathered for the IDs of one batch."""

    asked: dict[str, None]  # an ordered set
    known: Mapping[str, bytes]  # content hashes
    unchanged: dict[str, None] = field(default_factory=dict)  # an ordered set; their bodies are not kept
    records: dict[str, Record] = field(default_factory=dict)  # new or different
    refusals: dict[str, Refusal] = field(default_factory=dict)
    stamp_of: dict[str, str] = field(default_factory=dict)
    etags: set[str] = field(default_factory=set)
    forms: dict[str, bytes] = field(default_factory=dict)  # content hashes of what the list held
    contradicted: set[str] = field(default_factory=set)  # the list held them in two forms
    listed: bool = False  # the list came whole: what is not in it, the registry has left out
    failures: int = 0  # of the registry, in a row, with records that were asked for alone
    stopped: RegistryError | None = None  # the registry fails us: do not ask on

    def missing(self) -> list[str]:
        found = (self.unchanged, self.records, self.refusals)
        return [nct_id for nct_id in self.asked if not any(nct_id in place for place in found)]

    def page(self, answer: Answer) -> tuple["_Batch", str | None]:
        """Return what a page of the list gives for this batch, and the token of the next page."""
        part = _Batch(asked=self.asked, known=self.known)
        if "ETag" in answer.headers:
            part.etags.add(answer.headers["ETag"])
        token = parse_page(answer.pieces, part.take)
        return part, token

    def take(self, record: Record) -> None:
        """Accept a record that was asked for; recognise one that answers for an obsolete ID; ignore any other."""
        if record.nct_id in self.asked:
            self._note_form(record.nct_id, record.content_hash)
            if record.stamp:
                self.stamp_of[record.nct_id] = record.stamp
            if self.known.get(record.nct_id) == record.content_hash:
                self.unchanged[record.nct_id] = None
            else:
                self.records[record.nct_id] = record
            return
        for alias in aliases_of(record.body):
            if alias in self.asked:
                self.refuse_alias(alias, canonical=record.nct_id)

    def _note_form(self, nct_id: str, content_hash: bytes) -> None:
        if self.forms.setdefault(nct_id, content_hash) != content_hash:
            self.contradicted.add(nct_id)

    def forget_contradictions(self) -> None:
        """Count as missing what came in two forms: the answer to its own request says which one is the record's."""
        for nct_id in self.contradicted:
            self.unchanged.pop(nct_id, None)
            self.records.pop(nct_id, None)
        self.contradicted.clear()
        self.forms.clear()

    def take_alone(self, nct_id: str, found: Record | str) -> None:
        """Accept the answer for one record: the record, or the ID that the registry redirects to.

        Raises:
            RegistryError: it is neither.
        """
        if isinstance(found, str):
            if found == nct_id:
                raise RegistryError(Reason.SERVER_ERROR, f"the registry redirects {nct_id} to itself")
            self.refuse_alias(nct_id, canonical=found)
        elif found.nct_id == nct_id:
            self.take(found)
        elif nct_id in aliases_of(found.body):
            self.refuse_alias(nct_id, canonical=found.nct_id)
        else:
            raise RegistryError(Reason.WRONG_RECORD, f"asked for {nct_id}, the registry sent {found.nct_id}")

    def refuse(self, nct_id: str, error: RegistryError) -> None:
        reason, detail = error.reason, error.detail
        if self.listed and reason in _TROUBLE - _STOPS_AT_ONCE:
            # Whether the record is gone only the answer to its own request could say.
            reason, detail = Reason.MISSING, f"not in its list, or in two forms; asked for alone: {detail}"
        self.refusals[nct_id] = Refusal(nct_id=nct_id, reason=reason, detail=detail)

    def refuse_alias(self, nct_id: str, *, canonical: str) -> None:
        detail = f"the registry answers with {canonical}, which lists {nct_id} as an obsolete or duplicate number"
        refusal = Refusal(nct_id=nct_id, reason=Reason.ALIASED, detail=detail, canonical_id=canonical)
        self.refusals[nct_id] = refusal

    def give_up(self, error: RegistryError, *, asked: bool = True) -> None:
        """Refuse what is still missing.

        Args:
            error: why.
            asked: False = it happened to others, and these were not asked for any more.
        """
        detail = error.detail if asked else f"not asked for, because the registry failed for others: {error.detail}"
        for nct_id in self.missing():
            self.refuse(nct_id, RegistryError(error.reason, detail))
        if error.reason in _TROUBLE:
            self.stopped = error

    def add(self, other: "_Batch") -> None:
        self.unchanged |= other.unchanged
        self.records |= other.records
        self.refusals |= other.refusals
        self.stamp_of |= other.stamp_of
        self.etags |= other.etags
        self.contradicted |= other.contradicted
        for nct_id, content_hash in other.forms.items():
            self._note_form(nct_id, content_hash)
        self.stopped = self.stopped or other.stopped

    def joined(self, other: "_Batch") -> "_Batch":
        both = _Batch(asked=self.asked | other.asked, known=self.known)
        both.add(self)
        both.add(other)
        return both

    @property
    def is_silent(self) -> bool:
        """Whether the registry failed us and gave nothing at all for this batch."""
        return self.stopped is not None and not self.records and not self.unchanged

    def judged(self) -> Fetched:
        """Check what is new or different."""
        checked, withheld = [], set()
        for record in self.records.values():
            try:
                # Kept as bytes: a first pass over thousands of records must not hold them decoded.
                status = check_record(record)
            except RegistryError as error:
                self.refuse(record.nct_id, error)
            else:
                checked.append(record)
                if status == _WITHHELD:
                    withheld.add(record.nct_id)
        unchanged = tuple(self.unchanged)
        # A list may hold a record and, on another page, one that names it as an obsolete ID.
        found = {*unchanged, *(record.nct_id for record in checked)}
        return Fetched(
            unchanged=unchanged,
            records=tuple(checked),
            refusals=tuple(refusal for refusal in self.refusals.values() if refusal.nct_id not in found),
            stamp_of=self.stamp_of,
            etags=frozenset(self.etags),
            withheld=frozenset(withheld),
        )


def _without_answer(error: RegistryError) -> RegistryError:
    """Return the error anew: its traceback, and what it was raised from, would keep an answer of megabytes alive."""
    return RegistryError(error.reason, error.detail)


def _unasked(ids: Sequence[str], error: RegistryError) -> _Batch:
    batch = _Batch(asked=dict.fromkeys(ids), known={})
    batch.give_up(error, asked=False)
    return batch


def _record_or_canonical_id(answer: Answer) -> Record | str:
    """Return the record, checked, or the ID of the record that answers for an obsolete ID."""
    if answer.status != HTTPStatus.MOVED_PERMANENTLY:
        record = parse_study(answer.body)
        check_record(record)  # here, so that a record that came in pieces is asked for again
        return record
    location = answer.headers.get("Location", "")
    target = _RECORD.search(location)
    if target is None:
        detail = f"redirected to {location[:200]!r}, which is no record; see registry.base_url"
        raise RegistryError(Reason.SERVER_ERROR, detail)
    return target[1]
