"""The mailboxes of a ``MailOffice`` as they lie on the disk: what was delivered, and whether more is on its way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.mail_office.servers import MailOffice
from tests.process.processes import came
from tests.reliability.ledger import Letter

_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold")
_PATIENCE = timedelta(seconds=60)


@dataclass(slots=True)
class Maildirs:
    """Reads each mail once."""

    office: MailOffice
    _seen: dict[str, set[str]] = field(default_factory=dict)  # names of files by address, as they were delivered

    def new(self, address: str) -> list[Letter]:
        """Return what was delivered to an address since the last call."""
        seen = self._seen.setdefault(address, set())
        found = []
        for file in _files(self.office.folder / "mail" / address):
            name = file.name.partition(":")[0]  # flags come behind the colon
            if name not in seen:
                seen.add(name)
                found.append(Letter.of(file.read_bytes()))
        return found

    def all(self, address: str) -> list[Letter]:
        """Return everything that was ever delivered to an address."""
        return [Letter.of(file.read_bytes()) for file in _files(self.office.folder / "mail" / address)]

    def wait_until_all_delivered(self) -> None:
        """Return as soon as Postfix has nothing in hand; fail if that takes too long.

        A message is a file of its queue from the first recipient that is taken on, so that after this no message of a
        client that is gone can still arrive.
        """
        folders = [self.office.folder / "queue" / name for name in _QUEUES]
        empty = came(lambda: not any(_has_file(folder) for folder in folders), within=_PATIENCE)
        assert empty, f"Postfix does not deliver: {self.office.words()}"


def _files(box: Path) -> Iterator[Path]:
    for part in ("new", "cur"):
        folder = box / part
        if folder.is_dir():
            yield from sorted(folder.iterdir())


def _has_file(folder: Path) -> bool:
    return folder.is_dir() and any(each.is_file() or _has_file(each) for each in folder.iterdir())
