"""A disk that remembers every write, and can be asked what a power cut at any moment would have left of it.

SQLite writes to real files through ``RecordingFiles``, which notes each write, truncation, deletion and sync in order,
and beside them what somebody outside was told: a commit that returned, a mail that was taken.  ``Platter`` plays that
log up to a moment.  What was synced then is there.  What was not may be there or not, each write by itself and in any
order, and a write may have reached the disk in part: some of its sectors of 512 bytes.  A file whose deletion was not
followed by a sync of anything may still be there.

Does not model a disk that spoils sectors which were not written, nor file systems that lose a synced file's name.
The index of the write-ahead log (-shm) is shared memory, not on disk, and is gone after a cut.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import apsw
from sqlalchemy import Engine, create_engine

from tests.reliability import apsw_driver
from watcher.store import database as store_database

SECTOR = 512  # bytes that a disk writes as a whole


@dataclass(frozen=True, slots=True)
class Write:
    name: str  # of the file, without its folder
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    name: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was acknowledged, or happened outside, at this moment."""

    what: object


Event = Write | Truncate | Sync | Delete | Note


class _RecordedFile(apsw.VFSFile):
    def __init__(self, log: list[Event], path: Any, flags: list[int]) -> None:
        super().__init__("", path, flags)
        # Temporary files have no name, and no cut leaves anything of them.
        self._name = Path(path.filename() if isinstance(path, apsw.URIFilename) else path).name if path else None
        self._log = log

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 the name is SQLite's
        if self._name:
            self._log.append(Write(self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._name:
            self._log.append(Truncate(self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002
        # The real one adds nothing here: what a cut leaves is worked out from the log.
        if self._name:
            self._log.append(Sync(self._name))


class _RecordingFiles(apsw.VFS):
    def __init__(self, name: str, log: list[Event]) -> None:
        super().__init__(name, "")
        self._log = log

    def xOpen(self, name: Any, flags: list[int]) -> _RecordedFile:  # noqa: N802
        return _RecordedFile(self._log, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        self._log.append(Delete(Path(filename).name))
        super().xDelete(filename, syncdir)


@dataclass(slots=True)
class RecordedDisk:
    """The log, and the store's way to be recorded in it."""

    synchronous: str = "FULL"  # what the store's own line is replaced with, to see whether that is found out
    log: list[Event] = field(default_factory=list)
    _files: _RecordingFiles | None = None
    _marked: int = 0  # length of the log at the last commit that wrote

    def note(self, what: object) -> None:
        self.log.append(Note(what))

    @contextmanager
    def recording(self, path: Path) -> Iterator[None]:
        """Let every ``Database`` that is opened in the block write here, if it is opened on this file."""
        name = f"recorded-{id(self)}"
        self._files = _RecordingFiles(name, self.log)
        store: Any = store_database  # whose way to an engine is replaced for a while
        plain = store.create_engine
        connect = partial(
            apsw_driver.Connection,
            str(path),
            vfs=name,
            rewrite=self._rewrite,
            committed=partial(self._committed, path),
        )

        def recorded(address: Any, **_options: Any) -> Engine:
            assert address.database == str(path), f"{address.database} is not the database of this disk"
            return create_engine(address, module=apsw_driver, creator=connect)

        store.create_engine = recorded
        try:
            yield
        finally:
            store.create_engine = plain
            self._files.unregister()

    def _rewrite(self, statement: str) -> str:
        return statement.replace("synchronous=FULL", f"synchronous={self.synchronous}")

    def _committed(self, path: Path) -> None:
        if any(isinstance(event, Write) for event in self.log[self._marked :]):
            reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                self.note(Committed(content_of(reader)))
            finally:
                reader.close()
        self._marked = len(self.log)


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit was acknowledged: this was the content of the database."""

    content: int


def content_of(database: Any) -> int:
    """Return a number that two databases share which hold the same rows in the same tables; good in this process."""
    tables = database.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    found: list[object] = [*tables]
    for name, sql in tables:
        if sql and sql.startswith("CREATE TABLE") and not name.startswith("sqlite_"):
            rows = database.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608 the name is the schema's
            found.append(tuple(sorted(map(hash, rows))))
    return hash(tuple(found))


class Platter:
    """What of the log is on the disk, at a moment that moves on."""

    def __init__(self, *, lies: bool = False) -> None:
        """Begin empty.  A disk that lies says that it has synced, and has not."""
        self._lies = lies
        self._synced: dict[str, bytearray] = {}
        self._pending: dict[str, list[Write | Truncate]] = {}
        self._deleted: dict[str, bytearray] = {}  # that may still be there

    def apply(self, event: Event) -> None:
        match event:
            case Write() | Truncate():
                self._pending.setdefault(event.name, []).append(event)
            case Sync() if not self._lies:
                content = self._synced.setdefault(event.name, bytearray())
                for change in self._pending.pop(event.name, []):
                    _change(content, change)
                self._deleted.clear()  # the file system's journal keeps their order
            case Delete():
                self._pending.pop(event.name, None)
                self._deleted[event.name] = self._synced.pop(event.name, bytearray())

    def after_a_cut(self, chance: Random) -> dict[str, bytes]:
        """Return the files that a power cut leaves, by name."""
        lost = chance.choice((0.0, 0.2, 0.5, 0.8, 1.0))  # the share of what was not synced
        left = {name: bytearray(content) for name, content in self._synced.items()}
        for name, content in self._deleted.items():
            if name not in left and name not in self._pending and content and chance.random() < lost:
                left[name] = bytearray(content)
        for name, pending in self._pending.items():
            for change in pending:
                if chance.random() >= lost:
                    _change(left.setdefault(name, bytearray()), change)
                elif isinstance(change, Write) and chance.random() < 0.5:
                    for part in _sectors(change):
                        if chance.random() < 0.5:
                            _change(left.setdefault(name, bytearray()), part)
        return {name: bytes(content) for name, content in left.items()}


def _change(content: bytearray, change: Write | Truncate) -> None:
    if isinstance(change, Truncate):
        size = change.size
        content[size:] = b"\0" * max(size - len(content), 0)
        return
    if len(content) < change.offset:
        content.extend(b"\0" * (change.offset - len(content)))
    content[change.offset : change.offset + len(change.content)] = change.content


def _sectors(write: Write) -> Iterator[Write]:
    """Yield the parts of a write that reach the disk as wholes."""
    begin, end = write.offset, write.offset + len(write.content)
    while begin < end:
        until = min((begin // SECTOR + 1) * SECTOR, end)
        yield Write(write.name, begin, write.content[begin - write.offset : until - write.offset])
        begin = until
