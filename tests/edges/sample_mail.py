"""Messages to hand over in the tests of the channels, and where to."""

from datetime import timedelta

from tests.smtp_server import MailServer
from watcher.model import Message
from watcher.notify.smtp import Security, SmtpServer

MINUTE = timedelta(minutes=1)

ID = "0123456789abcdef0123456789abcdef"
# Line starts, line lengths and last lines that a careless sender or receiver would change.
DIFFICULT_BODIES = {
    "plain lines": b"Study terminated.\r\n",
    "a lone dot": b".\r\n",
    "dots at line starts": b"a\r\n.\r\n..\r\n.b\r\n...\r\n",
    "a second message smuggled in": b"a\r\n.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\n\r\nhello\r\n.\r\n",
    "commands as text": b"QUIT\r\nRSET\r\n",
    "empty lines at the end": b"a\r\n\r\n\r\n",
    "a dot at the end": b"a\r\n.\r\n",
    "no body": b"",
    "the longest line": b"x" * 998 + b"\r\n",
    "a large body": b"0123456789abcdef.\r\n" * 50_000,
}


def message(
    number: int = 0,
    *,
    body: bytes = b"Study terminated.\r\n",
    sender: str = "watcher@example.org",
    recipient: str = "reader@example.org",
) -> Message:
    """Return one message; another ``number`` is another message."""
    identifier = f"{int(ID, 16) + number:032x}"
    headers = (
        f"Date: Mon, 02 Mar 2026 12:00:00 +0000\r\nMessage-ID: <{identifier}@example.org>\r\n"
        f"Subject: [NCT00000001] Study terminated\r\nFrom: watcher@example.org\r\nTo: reader@example.org\r\n\r\n"
    )
    return Message(
        id=identifier,
        message_id=f"<{identifier}@example.org>",
        sender=sender,
        recipient=recipient,
        subject="[NCT00000001] Study terminated",
        mime=headers.encode("ascii") + body,
    )


def ignore_phase(_phase: object) -> None:
    """Take no notice of how far a conversation has gone."""


def plain_settings(server: MailServer, *, patience: timedelta = MINUTE) -> SmtpServer:
    """Return the settings for a test's server, without TLS and login."""
    return SmtpServer(
        host=server.host,
        port=server.port,
        security=Security.NONE,
        connect_timeout=patience,
        command_timeout=patience,
        dot_timeout=patience,
        local_hostname="client.test",
    )
