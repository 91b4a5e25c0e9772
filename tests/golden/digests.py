"""Make the digests that are kept: those of the demo's days, and those of hard cases.

The demo's come from the real pipeline, with one reader of all its trials and a daily digest.  No clock, no address of
this machine and no identifier of a mail is in them: only subject, text and HTML.
"""

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hard_cases import ALL
from tests.hard_cases.records import HardCase
from tests.unit.full_records import table
from watcher.app import open_application
from watcher.config import Settings
from watcher.core.digest import TrialBlock, arrange_version
from watcher.core.meaning import compare
from watcher.model import Cadence, Message, Recipient, Schedule, Watchlist
from watcher.render.letters import Coverage, Letters, letter_of_changes
from watcher.render.templates import Templates
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.demo import DEMO_DAYS, DEMO_TRIALS, write_demo_days
from watcher.replay.folder import load_dataset
from watcher.stages.content import title_of
from watcher.store.lists import declare_lists

FOLDER = Path(__file__).parent / "files"
_DATA_DAY = "2026-03-23"  # of the hard cases
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


def case_digest(case: HardCase) -> KeptDigest:
    """Return the digest of one hard case, for a reader who watches that trial only."""
    version = arrange_version(compare(case.before, case.after, table(), past=case.past), _DATA_DAY)
    block = TrialBlock(nct_id="NCT00000001", title=title_of(case.after), versions=(version,))
    letter = letter_of_changes([block], Coverage(verified=1, watched=1, data_date=_DATA_DAY))
    built_in = Templates()
    rendered, failure = Letters(built_in, built_in).render(letter)
    if failure:
        raise failure
    name = "case-" + re.sub(r"\W+", "-", case.name)
    return KeptDigest(name=name, subject=rendered.subject, text=rendered.text, html=rendered.html)


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
                yield from _kept(app.pipeline.tell(now=clock.moment)[0], day=registry.day)
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


def _kept(composed: Iterable[Message], *, day: str) -> Iterator[KeptDigest]:
    for message in sorted((one for one in composed if one.recipient == _READER.address), key=lambda one: one.subject):
        mail = email.message_from_bytes(message.mime, policy=email.policy.default)
        kind = "watching" if "atching" in message.subject else "changes"
        text, html = (_part(mail, subtype) for subtype in ("plain", "html"))
        yield KeptDigest(name=f"demo-{day}-{kind}", subject=message.subject, text=text, html=html)


def _part(mail: object, subtype: str) -> str:
    part = mail.get_body((subtype,)) if isinstance(mail, EmailMessage) else None
    if not isinstance(part, EmailMessage):
        raise TypeError(f"the mail has no {subtype} part")
    content: str = part.get_content()
    return content.replace("\r\n", "\n")
