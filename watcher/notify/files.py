"""Hand mails over as files in a folder, for trying the program out and for relays that pick files up.

Does not delete files, and never names one by text from outside: the name is made of the message's own identifier.
A message is in the folder whole or not at all, also after a power cut, and once, however often it is handed over.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from watcher.errors import ChannelDown, ChannelRefused, MessageRefused
from watcher.model import Message, Phase, Receipt

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
_DATE = re.compile(rb"^Date: ([^\r\n]{1,60})\r$", re.MULTILINE)
# What does not pass by itself: somebody has to change the folder, its owner or its mount.
_OPERATORS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EEXIST})


class FileChannel:
    """A folder to hand messages over to; it is created, for this user alone, where it is missing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def name(self) -> str:
        return f"files in {self._directory}"

    @contextmanager
    def session(self) -> Iterator["FileSession"]:
        """Make sure of the folder.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        with file_errors(Phase.CONNECT, self._directory):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(PermissionError):  # the folder above may be closed to reading, and none of ours
                _sync(self._directory.parent)
        yield FileSession(self._directory)


class FileSession:
    """Writes messages into one folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def send(self, message: Message, *, on_phase: Callable[[Phase], None]) -> Receipt:
        """Write one message; see ``channel.Session.send``.  The steps are DATA, and DOT before it can be seen."""
        path = self._directory / file_name(message)
        draft = self._directory / f".{message.id}.tmp"
        on_phase(Phase.DATA)
        try:
            with file_errors(Phase.DATA, path):
                _write(draft, message.mime)
            on_phase(Phase.DOT)
            with file_errors(Phase.DOT, path):
                draft.replace(path)
                _sync(self._directory)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return Receipt(reply=str(path))


def file_name(message: Message) -> str:
    """Return the name of a message's file, the same on every attempt: when it was written, and its identifier.

    Raises:
        MessageRefused: the identifier is none of ours.
    """
    if not _ID.fullmatch(message.id):
        raise MessageRefused(Phase.CONNECT, f"message id {message.id!r}: it should be letters and digits")
    date = _date_of(message.mime)
    return f"{date:%Y%m%dT%H%M%SZ}-{message.id}.eml" if date else f"{message.id}.eml"


def _date_of(mime: bytes) -> datetime | None:
    """Return the Date header, in UTC; None = there is none that can be read."""
    written = _DATE.search(mime.partition(b"\r\n\r\n")[0] + b"\r\n")
    try:
        date = parsedate_to_datetime(written.group(1).decode("ascii", "replace")) if written else None
        return date.astimezone(UTC) if date and date.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def file_errors(phase: Phase, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror or error}"
        if error.errno not in _OPERATORS:
            raise ChannelDown(phase, problem) from error
        right = "let the user that runs this write there, or name another folder as mail.directory"
        raise ChannelRefused(phase, f"{problem}; {right}") from error
