"""Make the digests that are kept: those of the demo's days, and those of hard cases.

The demo's come from the real pipeline, with one reader of all its trials and a daily digest; the others are written by
the same ``Writer``.  No clock and no address of this machine is in them, and only subject, text and HTML are kept.
"""

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.hard_cases import ALL
from tests.hard_cases.records import HardCase
from tests.unit.full_records import table
from watcher.app import open_application
from watcher.config import Settings
from watcher.core.digest import TrialBlock, arrange_trials, arrange_version
from watcher.core.meaning import compare
from watcher.core.moved_dates import moved_dates
from watcher.model import Cadence, Change, Message, Recipient, Schedule, Watchlist
from watcher.render.attachments import TableRow
from watcher.render.letters import (
    Coverage,
    IncidentLine,
    Letter,
    Letters,
    SubjectStyle,
    as_drill,
    letter_of_changes,
    letter_to_operator,
)
from watcher.render.templates import Templates
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.demo import DEMO_DAYS, DEMO_TRIALS, write_demo_days
from watcher.replay.folder import load_dataset
from watcher.stages.content import title_of
from watcher.stages.writing import Sender, Writer
from watcher.store.lists import declare_lists
from watcher.store.outbox import deliveries

FOLDER = Path(__file__).parent / "files"
_DATA_DAY = "2026-03-23"  # of the hard cases
_COVERAGE = Coverage(verified=1, watched=1, data_date=_DATA_DAY)
_NOW = datetime(2026, 3, 24, 7, tzinfo=UTC)  # of mails that are not the demo's
_NOON = time(12)
_READER = Recipient(
    address="trial.manager@example.org", schedule=Schedule(cadence=Cadence.DAILY, time_zone="UTC", hour=0)
)
_WATCHLIST = Watchlist(name="Our trials", trials=DEMO_TRIALS, recipients=(_READER,))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDigest:
    name: str  # of its files, without what follows the dot
    subject: str
    text: str
    html: str
    mime: bytes  # the whole mail; not kept

    @property
    def files(self) -> dict[str, str]:
        """Return what is kept, by the name of the file; the subject stands above the text."""
        return {f"{self.name}.txt": f"Subject: {self.subject}\n\n{self.text}", f"{self.name}.html": self.html}


class _Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.moment = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


def kept_digests() -> Iterator[KeptDigest]:
    """Yield every digest that is kept."""
    yield from demo_digests()
    yield from map(case_digest, (case for case in ALL if case.golden))
    yield from other_mails()


def case_digest(case: HardCase) -> KeptDigest:
    """Return the digest of one hard case, for a reader who watches that trial only."""
    return written("case-" + re.sub(r"\W+", "-", case.name), letter_of_case(case))


def letter_of_case(case: HardCase) -> Letter:
    """Return what a reader is told who watches the trial of one hard case only."""
    version = arrange_version(compare(case.before, case.after, table(), past=case.past), _DATA_DAY)
    block = TrialBlock(nct_id="NCT00000001", title=title_of(case.after), versions=(version,))
    return letter_of_changes([block], _COVERAGE)


def other_mails() -> Iterator[KeptDigest]:
    """Yield what is rarer: a drill, the operator's mail, and a digest with all that the settings may add."""
    slips = next(case for case in ALL if case.name == "all three dates slip at once")
    letter = letter_of_case(slips)
    yield written("other-a-drill", as_drill(letter))
    incidents = [
        IncidentLine(summary="The registry cannot be asked: no connection.", opened_at=_NOW - timedelta(hours=2)),
        IncidentLine(
            summary="Your template mail/digest.txt: 'sumary' is undefined. The built-in template is used.",
            opened_at=_NOW,
        ),
    ]
    yield written("other-to-the-operator", letter_to_operator(incidents, _COVERAGE))
    changes = compare(slips.before, slips.after, table(), past=slips.past)
    moved = moved_dates(changes, title=title_of(slips.after), moves={})
    why = 'You get this mail because you are named as a reader of the watch list "Example trials".'
    linked = replace(letter, why=why, unsubscribe_url="https://trialwatch.example.org/u/made-up")
    whole = replace(linked, dates=tuple(moved))
    yield written("other-with-all-options", whole, subject_style=SubjectStyle.STABLE, calendar=True)


def crowded_digest(trials: int = 150) -> KeptDigest:
    """Return a digest of more changes than a mail has room for; it is judged, and not kept."""
    cases = [case for case in ALL if case.golden]
    blocks, rows = [], []
    for number in range(1, trials + 1):
        case, nct_id = cases[number % len(cases)], f"NCT{number:08}"
        changes = compare(case.before, case.after, table(), past=case.past)
        title = f"{title_of(case.after)} {number}"
        blocks.append(TrialBlock(nct_id=nct_id, title=title, versions=(arrange_version(changes, _DATA_DAY),)))
        rows += [_row(change, nct_id, title) for change in changes if change.told]
    coverage = Coverage(verified=trials, watched=trials, data_date=_DATA_DAY)
    return written("crowded", letter_of_changes(arrange_trials(blocks), coverage, rows=rows))


def _row(change: Change, nct_id: str, title: str) -> TableRow:
    return TableRow(
        nct_id=nct_id,
        title=title,
        day=_DATA_DAY,
        severity=change.severity,
        category=change.category,
        sentence=change.sentence,
        label=change.label,
        item=change.item or "",
        old=str(change.old or ""),
        new=str(change.new or ""),
        change_id=change.id,
    )


def written(name: str, letter: Letter, **options: Any) -> KeptDigest:
    """Return a letter as it is sent.

    Args:
        name: of its files.
        letter: what it says.
        options: of the ``Sender``, beside who that is.
    """
    sender = Sender(address="trialwatch@example.org", name="trialwatch", reply_to=None, domain="example.org", **options)
    built_in = Templates()
    outgoing = Writer(Letters(built_in, built_in), sender).write(letter, _READER.address, identity=name, now=_NOW)
    if outgoing.failed:
        raise outgoing.failed
    return _kept(name, outgoing.message)


def demo_digests() -> Iterator[KeptDigest]:
    """Yield the mails of the demo, day by day."""
    with TemporaryDirectory() as folder:
        days = Path(folder) / "days"
        write_demo_days(days)
        clock, registry = _Clock(), DatasetAdapter(load_dataset(days))
        app = open_application(_settings(Path(folder)), now=clock, transport=registry)
        try:
            with app.database.writing() as db:
                declare_lists(db, [_WATCHLIST], now=clock.moment)
            for day in DEMO_DAYS:
                registry.day = day.isoformat()
                clock.moment = datetime.combine(day, _NOON, tzinfo=UTC)
                app.pipeline.check.run(now=clock.moment)
                clock.moment = datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)
                composed, _ = app.pipeline.tell(now=clock.moment)
                with app.database.reading() as db:
                    messages = [delivery.message for delivery in deliveries(db, composed)]
                yield from _of_day(messages, day=registry.day)
        finally:
            app.close()


def _settings(folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "operator": "operator@example.org",
            "registry": {"requests_per_minute": 0, "connections": 1},
            "mail": {"sender": "trialwatch@example.org", "directory": str(folder / "mail")},
            "database": {"url": f"sqlite:///{folder}/golden.sqlite3"},
        },
        context={"folder": folder},
    )


def _of_day(composed: Iterable[Message], *, day: str) -> Iterator[KeptDigest]:
    for message in sorted((one for one in composed if one.recipient == _READER.address), key=lambda one: one.subject):
        kind = "watching" if "atching" in message.subject else "changes"
        yield _kept(f"demo-{day}-{kind}", message)


def _kept(name: str, message: Message) -> KeptDigest:
    mail = email.message_from_bytes(message.mime, policy=email.policy.default)
    text, html = (_part(mail, subtype) for subtype in ("plain", "html"))
    return KeptDigest(name=name, subject=message.subject, text=text, html=html, mime=message.mime)


def _part(mail: object, subtype: str) -> str:
    part = mail.get_body((subtype,)) if isinstance(mail, EmailMessage) else None
    if not isinstance(part, EmailMessage):
        raise TypeError(f"the mail has no {subtype} part")
    content: str = part.get_content()
    return content.replace("\r\n", "\n")
