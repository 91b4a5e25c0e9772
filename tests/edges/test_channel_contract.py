"""What every channel promises, kept by the mail server, the folder, the webhook, and the fake of the flow tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.edges.sample_mail import DIFFICULT_BODIES, ignore_phase, message, plain_settings
from tests.flow.mail_server import FakeMailServer
from tests.smtp_server import MailServer
from tests.webhook_receiver import SECRET, Receiver
from watcher.errors import MessageRefused
from watcher.model import Message, Phase
from watcher.notify.channel import Channel
from watcher.notify.files import FileChannel
from watcher.notify.smtp import SmtpChannel
from watcher.notify.webhook import Endpoint, WebhookChannel, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A channel, and what lies at its other end."""

    channel: Channel
    arrived: Callable[[], list[bytes]]
    wait: Callable[[], None]  # until nothing more can arrive
    hopeless: Message  # one that this channel refuses


@contextmanager
def smtp_post(_folder: Path) -> Iterator[Post]:
    with MailServer() as server:
        yield Post(
            channel=SmtpChannel(plain_settings(server)),
            arrived=lambda: [mail.mime for mail in server.accepted],
            wait=server.wait_until_all_left,
            hopeless=message(recipient="reader@example.org>\r\nRCPT TO:<x@y"),
        )


@contextmanager
def file_post(folder: Path) -> Iterator[Post]:
    yield Post(
        channel=FileChannel(folder / "mail"),
        arrived=lambda: [path.read_bytes() for path in sorted((folder / "mail").iterdir()) if path.suffix == ".eml"],
        wait=lambda: None,
        hopeless=replace(message(), id="../escaped"),
    )


@contextmanager
def webhook_post(_folder: Path) -> Iterator[Post]:
    with Receiver() as receiver:
        endpoint = Endpoint(name="hook", url=receiver.url, allow_private=True)
        yield Post(
            channel=WebhookChannel(endpoint, key_of(SECRET), now=lambda: datetime.now(UTC)),
            arrived=lambda: receiver.bodies,
            wait=receiver.wait_until_idle,
            hopeless=replace(message(), id="1\r\nx: y"),
        )


@contextmanager
def fake_post(_folder: Path) -> Iterator[Post]:
    server = FakeMailServer()
    yield Post(
        channel=server,
        arrived=lambda: [mail.mime for mail in server.accepted],
        wait=lambda: None,
        hopeless=message(recipient="reader@example.org>\r\nRCPT TO:<x@y"),
    )


@pytest.fixture(
    params=[smtp_post, file_post, webhook_post, fake_post], ids=["by SMTP", "as files", "by webhook", "in memory"]
)
def post(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Post]:
    with request.param(tmp_path) as post:
        yield post


@pytest.mark.parametrize("body", DIFFICULT_BODIES.values(), ids=DIFFICULT_BODIES.keys())
def test_a_message_arrives_once_and_whole_byte_for_byte(post: Post, body: bytes) -> None:
    with post.channel.session() as session:
        receipt = session.send(message(body=body), on_phase=ignore_phase)

    assert post.arrived() == [message(body=body).mime]
    assert receipt.reply


def test_several_messages_go_through_one_session_in_order(post: Post) -> None:
    with post.channel.session() as session:
        for number in range(5):
            session.send(message(number), on_phase=ignore_phase)

    assert post.arrived() == [message(number).mime for number in range(5)]


def test_a_session_without_messages_leaves_nothing(post: Post) -> None:
    with post.channel.session():
        pass

    assert post.arrived() == []


def test_nothing_has_arrived_when_the_last_phase_is_announced(post: Post) -> None:
    arrived_at: dict[Phase, int] = {}

    with post.channel.session() as session:
        session.send(message(), on_phase=lambda phase: arrived_at.update({phase: len(post.arrived())}))

    assert list(arrived_at)[-1] is Phase.DOT
    assert set(arrived_at.values()) == {0}
    assert len(post.arrived()) == 1


@pytest.mark.parametrize("fatal", [Phase.DATA, Phase.DOT], ids=lambda phase: f"at {phase.value}")
def test_what_could_not_be_recorded_is_not_sent(post: Post, fatal: Phase) -> None:
    def record(phase: Phase) -> None:
        if phase is fatal:
            raise OSError("database is locked")

    with pytest.raises(OSError, match="database is locked"), post.channel.session() as session:
        session.send(message(), on_phase=record)

    post.wait()
    assert post.arrived() == []


def test_a_refused_message_does_not_stop_the_next(post: Post) -> None:
    with post.channel.session() as session:
        with pytest.raises(MessageRefused):
            session.send(post.hopeless, on_phase=ignore_phase)
        session.send(message(), on_phase=ignore_phase)

    assert post.arrived() == [message().mime]


def test_the_name_says_where_mails_go(post: Post) -> None:
    assert post.channel.name.startswith(("smtp 127.0.0.1:", "files in /", "webhook hook", "memory"))
