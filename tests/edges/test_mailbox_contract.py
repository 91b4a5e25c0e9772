"""What every mailbox promises, kept by the real one, by IMAP, and by the fake that the flow tests use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.flow.mailbox import FakeMailbox
from tests.mail_office.servers import MailOffice
from watcher.errors import ChannelRefused
from watcher.notify.imap_connection import ImapSecurity
from watcher.notify.mailbox import LONGEST_MAIL, ImapMailbox, Mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A mailbox, how mails get there, and the same one for somebody who is not let in."""

    mailbox: Mailbox
    arrive: Callable[[bytes], None]
    locked: Mailbox


@contextmanager
def imap_box(request: pytest.FixtureRequest, security: ImapSecurity) -> Iterator[Box]:
    office: MailOffice = request.getfixturevalue("mail_office")
    address = office.new_address("bounces")
    server = office.imap_server(address, security=security)

    def arrive(mail: bytes) -> None:
        with office.mailbox(address) as box:
            box.append(mail, "INBOX")

    nobody = ImapMailbox(office.imap_server(address + "\x7f"))
    yield Box(mailbox=ImapMailbox(server), arrive=arrive, locked=nobody)


@contextmanager
def tls_box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with imap_box(request, ImapSecurity.TLS) as box:
        yield box


@contextmanager
def starttls_box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with imap_box(request, ImapSecurity.STARTTLS) as box:
        yield box


@contextmanager
def fake_box(_request: pytest.FixtureRequest) -> Iterator[Box]:
    fake, locked = FakeMailbox(), FakeMailbox(locked="no")
    yield Box(mailbox=fake, arrive=fake.arrive, locked=locked)


@pytest.fixture(params=[tls_box, starttls_box, fake_box], ids=["by IMAP and TLS", "by IMAP and STARTTLS", "in memory"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with request.param(request) as box:
        yield box


def mail(number: int, body: bytes = b"Text.\r\n") -> bytes:
    return b"From: x@example.net\r\nSubject: %d\r\n\r\n" % number + body


def test_an_empty_mailbox_has_nothing_unread(box: Box) -> None:
    with box.mailbox.reading() as reading:
        assert reading.unread() == []


def test_unread_mails_come_oldest_first_and_byte_for_byte(box: Box) -> None:
    sent = [mail(1), mail(2, b".\r\n\r\n..\r\n"), mail(3, b"\xc3\xa9 \xff\r\n")]
    for one in sent:
        box.arrive(one)
    with box.mailbox.reading() as reading:
        assert [reading.fetch(key) for key in reading.unread()] == sent


def test_a_mail_stays_unread_until_it_is_settled(box: Box) -> None:
    box.arrive(mail(1))
    box.arrive(mail(2))
    for _ in range(2):
        with box.mailbox.reading() as reading:
            keys = reading.unread()
            assert [reading.fetch(key) for key in keys] == [mail(1), mail(2)]
    with box.mailbox.reading() as reading:
        reading.settle(keys[0])
    with box.mailbox.reading() as reading:
        assert [reading.fetch(key) for key in reading.unread()] == [mail(2)]


def test_what_is_settled_twice_or_gone_does_no_harm(box: Box) -> None:
    box.arrive(mail(1))
    with box.mailbox.reading() as reading:
        (key,) = reading.unread()
        reading.settle(key)
        reading.settle(key)
        reading.settle("987654")
        assert reading.fetch("987654") is None
        assert reading.unread() == []


def test_a_mail_that_is_too_long_is_cut(box: Box) -> None:
    long = mail(1, b"x" * 997 + b"\r\n") + (b"y" * 997 + b"\r\n") * (LONGEST_MAIL // 999 + 50)
    box.arrive(long)
    with box.mailbox.reading() as reading:
        (key,) = reading.unread()
        assert reading.fetch(key) == long[:LONGEST_MAIL]


def test_who_is_not_let_in_is_told_so(box: Box) -> None:
    with pytest.raises(ChannelRefused), box.locked.reading():
        pass
