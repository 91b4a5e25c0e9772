"""Examine an installation: what works, what does not, and what to do about it.

Sends no mail and changes no watch.  Opening the database makes it where there is none, and brings its schema up to
date, as every command does.
"""

import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from watcher.app import Application
from watcher.config.mail_channels import imap_server
from watcher.config.sections.imap import BouncesSettings
from watcher.errors import MailError, RegistryError, StoreError
from watcher.notify.mailbox import ImapMailbox
from watcher.render.counts import plural
from watcher.store.watches import coverage

_LITTLE_SPACE = 200 * 2**20  # bytes
_SAFE_SQLITE = (3, 51, 3)  # first with the fix of the WAL-reset bug; distributions carry it back to older ones
_SAFE_PYTHON = {(3, 11): 10, (3, 12): 5}  # first micro version with the fix of CVE-2024-6923


class Verdict(StrEnum):
    GOOD = "ok"
    DOUBTFUL = "note"
    BAD = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    subject: str
    verdict: Verdict
    words: str
    unreachable: bool = False  # a server could not be reached

    def as_json(self) -> dict[str, object]:
        return {"kind": "finding", "subject": self.subject, "verdict": self.verdict.name.lower(), "words": self.words}


def broken_database(error: StoreError) -> Finding:
    """Return the finding that stands for all others when the database cannot be used."""
    return Finding(subject="database", verdict=Verdict.BAD, words=str(error))


def examine(app: Application) -> Iterator[Finding]:
    """Yield one finding after the other; none stops the next."""
    yield Finding(subject="settings", verdict=Verdict.GOOD, words="valid")
    examinations: tuple[Callable[[Application], Finding], ...] = (
        _python,
        _database,
        _disk,
        _registry,
        _mail,
        _journal,
        _watches,
    )
    for examination in examinations:
        yield examination(app)
    if app.settings.mail.bounces:
        yield _reports(app.settings.mail.bounces)


def _python(_app: Application) -> Finding:
    version = platform.python_version()
    needed = _SAFE_PYTHON.get(sys.version_info[:2], 0)
    if sys.version_info.micro < needed:
        words = f"Python {version} writes unsafe mail headers (CVE-2024-6923); trialwatch writes its own, update anyway"
        return Finding(subject="python", verdict=Verdict.DOUBTFUL, words=words)
    return Finding(subject="python", verdict=Verdict.GOOD, words=f"Python {version}")


def _database(app: Application) -> Finding:
    name = app.database.name
    if not name.startswith("sqlite") or sqlite3.sqlite_version_info >= _SAFE_SQLITE:
        return Finding(subject="database", verdict=Verdict.GOOD, words=f"{name}, schema up to date")
    words = (
        f"{name}: SQLite {sqlite3.sqlite_version} may have the WAL-reset bug (fixed in 3.51.3 and in back-ports): "
        "update SQLite, or keep to one process on the database"
    )
    return Finding(subject="database", verdict=Verdict.DOUBTFUL, words=words)


def _disk(app: Application) -> Finding:
    path = app.database.engine.url.database if app.database.name.startswith("sqlite") else None
    folder = Path(path).parent if path else app.settings.mail.directory.parent
    existing = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    verdict = Verdict.GOOD if free > _LITTLE_SPACE else Verdict.BAD
    return Finding(subject="disk", verdict=verdict, words=f"{free // 2**20:,} MiB free in {folder}")


def _registry(app: Application) -> Finding:
    base_url = app.settings.registry.base_url
    try:
        release = app.registry.release()
    except RegistryError as error:
        words = f"{base_url} cannot be asked: {error}; see registry.proxy, registry.ca_bundle and registry.user_agent"
        return Finding(subject="registry", verdict=Verdict.BAD, words=words, unreachable=True)
    words = f"{base_url} answers: API {release.api_version}, data of {release.data_timestamp}"
    return Finding(subject="registry", verdict=Verdict.GOOD, words=words)


def _mail(app: Application) -> Finding:
    if app.settings.mail.smtp is None:
        words = f"no mail server is configured: mails are written to {app.settings.mail.directory}"
        return Finding(subject="mail", verdict=Verdict.DOUBTFUL, words=words)
    try:
        with app.channel.session():
            words = f"{app.channel.name} lets us in; `trialwatch test-mail ADDRESS` sends a mail"
            return Finding(subject="mail", verdict=Verdict.GOOD, words=words)
    except MailError as error:
        words = f"{app.channel.name}: {error.reply}; see [mail.smtp]"
        return Finding(subject="mail", verdict=Verdict.BAD, words=words, unreachable=True)


def _reports(bounces: BouncesSettings) -> Finding:
    """Look at the mailbox that undelivered mail comes back to."""
    mailbox = ImapMailbox(imap_server(bounces.imap))
    try:
        with mailbox.reading() as reading:
            unread = len(reading.unread())
    except MailError as error:
        words = f"{error.reply}; see [mail.bounces.imap]"
        return Finding(subject="bounces", verdict=Verdict.BAD, words=words, unreachable=True)
    words = f"{mailbox.name} lets us in; {plural(unread, 'mail is', 'mails are')} unread there"
    return Finding(subject="bounces", verdict=Verdict.GOOD, words=words)


def _journal(app: Application) -> Finding:
    """Ask the journal for a mail that does not exist: a test mail shows whether mails arrive there."""
    if app.settings.mail.smtp is None:
        words = "no journal mailbox, and no need of one: a mail that is written to a file twice is the same file"
        return Finding(subject="journal", verdict=Verdict.GOOD, words=words)
    if app.journal is None:
        words = "no journal mailbox: a mail whose answer is lost is sent again, and may come twice; see [mail.journal]"
        return Finding(subject="journal", verdict=Verdict.DOUBTFUL, words=words)
    try:
        app.journal.holds(f"<nothing@{app.settings.mail.domain}>")
    except MailError as error:
        words = f"{app.journal.address} cannot be asked: {error.reply}; see [mail.journal.imap]"
        return Finding(subject="journal", verdict=Verdict.BAD, words=words, unreachable=True)
    words = f"{app.journal.address} can be asked; `trialwatch test-mail ADDRESS` shows whether mails arrive there"
    return Finding(subject="journal", verdict=Verdict.GOOD, words=words)


def _watches(app: Application) -> Finding:
    with app.database.reading() as db:
        watched = coverage(db, release_id=0).watched
    if not watched:
        words = "nothing is watched; declare a [[watchlist]] or use `trialwatch watch add`"
        return Finding(subject="watches", verdict=Verdict.DOUBTFUL, words=words)
    return Finding(
        subject="watches", verdict=Verdict.GOOD, words=f"{plural(watched, 'trial is', 'trials are')} watched"
    )
