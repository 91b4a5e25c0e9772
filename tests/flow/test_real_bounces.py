"""The whole program with a real Postfix and Dovecot: digests arrive, and what comes back is noticed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from tests.flow.registry import PublishedRegistry
from tests.flow.world import NOON, TRIAL, Clock, immediate, words
from tests.mail_office.configuration import FULL, LOST, PASSWORD
from tests.mail_office.servers import MailOffice
from tests.reports import holiday
from watcher.app import Application, open_application
from watcher.config.settings import Settings
from watcher.core.bounces import Why
from watcher.model import DeliveryState, Watchlist
from watcher.pipeline import Round
from watcher.store.lists import declare_lists
from watcher.store.outbox import counts, deliveries
from watcher.store.suspensions import suspensions


@dataclass(slots=True)
class Post:
    """The program with its own SMTP and IMAP, and a reader of each kind."""

    office: MailOffice
    folder: Path
    url: str
    first: str = LOST  # the name of the reader whose mail comes back
    registry: PublishedRegistry = field(default_factory=PublishedRegistry)
    clock: Clock = field(default_factory=Clock)
    app: Application = field(init=False)
    reader: str = field(init=False)
    colleague: str = field(init=False)
    deputy: str = field(init=False)
    operator: str = field(init=False)
    bounces: str = field(init=False)

    def __post_init__(self) -> None:
        new = self.office.new_address
        self.reader, self.colleague, self.deputy = new(self.first), new("colleague"), new("deputy")
        self.operator, self.bounces = new("operator"), new("bounces")
        self.app = open_application(self._settings(), now=self.clock, transport=self.registry)
        people = (immediate(self.reader), immediate(self.colleague))
        with self.app.database.writing() as db:
            declare_lists(db, [Watchlist(name="Ours", trials=(TRIAL,), recipients=people)], now=NOON)
        self.registry.publish(TRIAL)
        assert self.app.pipeline.check.run(now=NOON).first_seen == 1
        self.clock.moment += timedelta(hours=1)

    def publish(self, status: str) -> Round:
        self.registry.publish(TRIAL, status=status)
        return self.round()

    def round(self) -> Round:
        self.clock.moment += timedelta(minutes=5)
        return self.app.pipeline.run_round(now=self.clock())

    def suspended(self) -> list[str]:
        with self.app.database.reading() as db:
            return list(suspensions(db))

    def texts(self, address: str, least: int) -> list[str]:
        """Return what arrived for somebody, on one line each."""
        return [text_of(mail) for mail in self.office.wait_for_mails(address, least)]

    def _settings(self) -> Settings:
        office = self.office
        login = {"host": "localhost", "password": PASSWORD, "ca_bundle": str(office.ca_bundle)}
        imap = {**login, "port": office.ports.imaps, "username": self.bounces}
        values: dict[str, Any] = {
            "operator": self.operator,
            "registry": {"requests_per_minute": 0, "connections": 1, "attempts": 1},
            "mail": {
                "sender": office.new_address("trialwatch"),
                "smtp": {**login, "port": office.ports.submission, "username": "trialwatch@office.test"},
                "bounces": {"address": self.bounces, "fallback": self.deputy, "imap": imap},
            },
            "database": {"url": self.url},
        }
        return Settings.model_validate(values, context={"folder": self.folder})


@pytest.fixture(params=[LOST])
def post(request: pytest.FixtureRequest, mail_office: MailOffice, tmp_path: Path, sqlite_url: str) -> Iterator[Post]:
    post = Post(office=mail_office, folder=tmp_path, url=sqlite_url, first=request.param)
    yield post
    post.app.close()


def text_of(mail: bytes) -> str:
    message = message_from_bytes(mail, policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return words(body.get_content())


@pytest.mark.parametrize("post", ["reader"], indirect=True)
def test_a_digest_arrives_as_it_was_composed_and_a_holiday_changes_nothing(post: Post) -> None:
    done = post.publish("SUSPENDED")
    with post.app.database.reading() as db:
        composed = [delivery.message for delivery in deliveries(db, done.composed)]
    sent = [message for message in composed if message.recipient == post.reader]
    arrived = post.office.wait_for_mails(post.reader, len(sent))
    assert sorted(mail[-len(one.mime) :] for mail, one in zip(arrived, sent, strict=True)) == sorted(
        one.mime for one in sent
    )

    with post.office.mailbox(post.bounces) as box:
        box.append(holiday(sent[-1].sender, answering=sent[-1].message_id), "INBOX")
    read = post.round().read
    assert read is not None
    assert read.reports == {Why.AUTOMATIC_REPLY: 1}
    assert not post.suspended()


def test_a_lost_reader_is_suspended_the_others_are_told_and_the_fall_back_reader_gets_the_digest(post: Post) -> None:
    post.publish("SUSPENDED")
    # "Now watching" and the digest were both taken, and both come back.
    assert len(post.office.wait_for_mails(post.bounces, 2)) == 2
    read = post.round().read

    assert read is not None
    assert read.reports == {Why.NO_SUCH_ADDRESS: 2}
    assert read.suspended == [post.reader]
    assert post.suspended() == [post.reader]
    (digest,) = [text for text in post.texts(post.deputy, 2) if "Study suspended" in text]
    assert f"Meant for {post.reader}, whom mail does not reach (smtp; 550 5.1.1" in digest
    assert any(f"Mail does not reach {post.reader}" in text for text in post.texts(post.colleague, 3))
    assert any(f"Mail to {post.reader} comes back" in text for text in post.texts(post.operator, 1))
    with post.app.database.reading() as db:
        assert counts(db)[DeliveryState.FOLDED] == 2

    again = post.round()
    assert again.read is not None
    assert not again.read.reports
    assert not again.composed


@pytest.mark.parametrize("post", [FULL], indirect=True)
def test_a_full_mailbox_costs_nobody_their_place(post: Post) -> None:
    post.publish("SUSPENDED")
    post.office.wait_for_mails(post.bounces, 2)
    read = post.round().read

    assert read is not None
    assert read.reports == {Why.MAILBOX_FULL: 2}
    assert not post.suspended()
