"""The whole program with a real Postfix and Dovecot: the journal mailbox says what was taken.

The rows are put into the state in which a process leaves them that dies between the last byte of a mail and its
receipt; whether the mail was taken, only the servers know.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.flow.registry import PublishedRegistry
from tests.flow.world import NOON, TRIAL, Clock, immediate
from tests.mail_office.configuration import PASSWORD
from tests.mail_office.servers import MailOffice
from watcher.actions.doctor import Verdict, examine
from watcher.actions.trial_mail import InJournal, look_in_journal, send_test_mail
from watcher.app import Application, open_application
from watcher.config.settings import Settings
from watcher.model import DeliveryState, Phase, Watchlist
from watcher.store.lists import declare_lists
from watcher.store.tables import message


@dataclass(slots=True)
class Post:
    """The program with its own SMTP and IMAP, and one reader who is told that a trial was suspended."""

    office: MailOffice
    folder: Path
    url: str
    password: str = PASSWORD  # of the journal mailbox
    registry: PublishedRegistry = field(default_factory=PublishedRegistry)
    clock: Clock = field(default_factory=Clock)
    app: Application = field(init=False)
    reader: str = field(init=False)
    journal: str = field(init=False)

    def __post_init__(self) -> None:
        self.reader, self.journal = self.office.new_address("reader"), self.office.new_address("journal")
        self.app = open_application(self._settings(), now=self.clock, transport=self.registry)
        with self.app.database.writing() as db:
            declare_lists(db, [Watchlist(name="Ours", trials=(TRIAL,), recipients=(immediate(self.reader),))], now=NOON)
        self.registry.publish(TRIAL)
        self.app.pipeline.check.run(now=self.clock())
        self.clock.moment += timedelta(hours=1)
        self.app.pipeline.digest.run(now=self.clock())

    def deliver(self) -> dict[DeliveryState, int]:
        return {
            state: count for state, count in self.app.pipeline.deliver.run(now=self.clock()).states.items() if count
        }

    def die_at_the_dot(self) -> None:
        """Leave the mail as a process does that is killed before it has read the answer to the final dot."""
        cut_off = {"state": DeliveryState.SENDING, "phase": Phase.JOURNALLED, "attempts": 1, "reply": None}
        with self.app.database.writing() as db:
            assert db.execute(update(message).values(**cut_off, finished_at=None)).rowcount == 1
        assert self.app.pipeline.deliver.recover(now=self.clock()) == 1

    def outcome(self) -> tuple[str, str]:
        with self.app.database.reading() as db:
            row = db.execute(select(message.c.state, message.c.reply)).one()
        return row.state, row.reply

    def _settings(self) -> Settings:
        office = self.office
        login = {"host": "localhost", "ca_bundle": str(office.ca_bundle)}
        imap = {**login, "port": office.ports.imaps, "username": self.journal, "password": self.password}
        smtp = {**login, "port": office.ports.submission, "username": "trialwatch@office.test", "password": PASSWORD}
        values: dict[str, Any] = {
            "operator": office.new_address("operator"),
            "registry": {"requests_per_minute": 0, "connections": 1, "attempts": 1},
            "mail": {
                "sender": office.new_address("trialwatch"),
                "smtp": smtp,
                "journal": {"address": self.journal, "wait": "30s", "imap": imap},
            },
            "database": {"url": self.url},
            "acknowledge": {"remind": False},
        }
        return Settings.model_validate(values, context={"folder": self.folder})


@pytest.fixture(params=[PASSWORD])
def post(request: pytest.FixtureRequest, mail_office: MailOffice, tmp_path: Path, sqlite_url: str) -> Iterator[Post]:
    post = Post(office=mail_office, folder=tmp_path, url=sqlite_url, password=request.param)
    yield post
    post.app.close()


def test_a_mail_that_was_taken_before_its_sender_died_is_found_and_not_sent_again(post: Post) -> None:
    assert post.deliver() == {DeliveryState.SENT: 1}
    assert len(post.office.wait_for_mails(post.journal, 1)) == 1
    post.die_at_the_dot()

    post.clock.moment += timedelta(seconds=30)
    assert post.deliver() == {DeliveryState.SENT: 1}
    state, reply = post.outcome()
    assert state == DeliveryState.SENT
    assert reply.startswith(f"found in the journal mailbox {post.journal}")
    assert len(post.office.wait_for_mails(post.reader, 1)) == 1


def test_a_mail_that_was_not_taken_before_its_sender_died_is_sent_once(post: Post) -> None:
    post.die_at_the_dot()

    post.clock.moment += timedelta(seconds=30)
    assert post.deliver() == {DeliveryState.SENT: 1}
    assert len(post.office.wait_for_mails(post.reader, 1)) == 1
    assert len(post.office.wait_for_mails(post.journal, 1)) == 1
    assert "possible double" not in post.outcome()[1]


def test_a_test_mail_is_seen_to_arrive_in_the_journal(post: Post) -> None:
    look = look_in_journal(
        post.app, send_test_mail(post.app, post.office.new_address("tester")), wait=post.app.stop.wait
    )
    assert look.found is InJournal.ARRIVED
    (finding,) = [one for one in examine(post.app) if one.subject == "journal"]
    assert finding.verdict is Verdict.GOOD


@pytest.mark.parametrize("post", ["another"], indirect=True)
def test_the_doctor_says_that_the_journal_lets_nobody_in(post: Post) -> None:
    (finding,) = [one for one in examine(post.app) if one.subject == "journal"]
    assert finding.verdict is Verdict.BAD
    assert finding.unreachable
    assert f"{post.journal} cannot be asked: imap localhost" in finding.words
    assert finding.words.endswith("are user name and password right?; see [mail.journal.imap]")

    sent = send_test_mail(post.app, post.office.new_address("tester"))
    assert look_in_journal(post.app, sent, wait=post.app.stop.wait).found is InJournal.UNREACHABLE
