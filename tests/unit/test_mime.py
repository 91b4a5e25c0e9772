"""Whole mails: composed, then read back by the standard library's parser."""

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.render.mime import compose_mime

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HEADERS = [
    "Date",
    "From",
    "To",
    "Message-ID",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]


def composed(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "text": "Study terminated.\n",
        "html": "<p>Study terminated.</p>\n",
        "headers": [],
        "sender": ("Trial watch", "watcher@example.org"),
        "recipient": "reader@example.org",
        "subject": "[NCT00000001] Study terminated",
        "message_id": "<0123456789abcdef@example.org>",
        "date": NOON,
    }
    return compose_mime(**(arguments | changes))


def parsed(mime: bytes) -> EmailMessage:
    return message_from_bytes(mime, policy=policy.default)


def bodies(mime: bytes) -> list[str]:
    return [part.get_content() for part in parsed(mime).iter_parts()]


def test_a_mail_has_both_parts_and_exactly_the_headers_it_should_have() -> None:
    mail = parsed(composed())

    assert mail.keys() == HEADERS
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in mail.iter_parts()] == ["utf-8", "utf-8"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"] == "<0123456789abcdef@example.org>"
    assert str(mail["From"]) == "Trial watch <watcher@example.org>"
    assert str(mail["To"]) == "reader@example.org"


def test_the_date_carries_its_offset() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert b"Date: Mon, 02 Mar 2026 12:00:00 +0000\r\n" in composed()
    assert b"Date: Mon, 02 Mar 2026 17:30:00 +0530\r\n" in composed(date=NOON.astimezone(india))


def test_the_same_input_gives_the_same_bytes() -> None:
    assert composed() == composed()


def test_another_message_has_another_boundary() -> None:
    boundaries = {parsed(composed(message_id=f"<{name}@example.org>")).get_boundary() for name in "ab"}
    assert len(boundaries) == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(".\n", id="a lone dot"),
        pytest.param("a\n.\nb\n..\n.c\n", id="lines that begin with dots"),
        pytest.param("a\r.\rb", id="bare carriage returns around a dot"),
        pytest.param("a\n.\r\nMAIL FROM:<x@y>\r\n", id="an attempt to smuggle a second message"),
        pytest.param("trailing space \nand tab\t\n", id="white space at line ends"),
        pytest.param("From here\n", id="a line that begins like a mailbox separator"),
        pytest.param("x" * 5_000, id="a line longer than lines may be"),
        pytest.param("é→臨👩" * 200, id="long text in several scripts"),
        pytest.param("", id="nothing"),
        pytest.param("--=_0123\n", id="what looks like a boundary"),
        pytest.param("a\x00b\x1b[31m\x0c\u2028", id="control characters"),
    ],
)
def test_a_body_arrives_as_it_was_but_for_its_line_ends(text: str) -> None:
    mime = composed(text=text, html=f"<p>{text}</p>")
    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")

    assert bodies(mime) == [expected, f"<p>{expected}</p>"]
    assert_wire_format(mime)


def test_a_boundary_written_into_the_text_does_not_end_its_part() -> None:
    boundary = parsed(composed()).get_boundary()
    text = f"a\n--{boundary}--\nb\n"

    assert bodies(composed(text=text))[0] == text.replace("\n", "\r\n")


@given(st.text(st.characters(), max_size=300), st.text(st.characters(), max_size=300), st.text(st.characters()))
def test_whatever_the_texts_the_mail_is_well_formed(text: str, html: str, subject: str) -> None:
    mime = composed(text=text, html=html, subject=subject, sender=(subject, "watcher@example.org"))
    mail = parsed(mime)

    assert mail.keys() == HEADERS
    assert [mail.defects, *(part.defects for part in mail.iter_parts())] == [[], [], []]
    assert_wire_format(mime)


def assert_wire_format(mime: bytes) -> None:
    assert mime.isascii()
    assert mime.count(b"\r") == mime.count(b"\n") == mime.count(b"\r\n")
    assert max(map(len, mime.split(b"\r\n"))) <= 78


def test_further_headers_follow_the_subject_and_links_stay_on_one_line() -> None:
    link = f"<https://watch.example.org/u/{'t' * 120}>"
    mime = composed(headers=[("List-Unsubscribe", link), ("X-Trials", "Studie über Ödeme")])
    mail = parsed(mime)

    assert mail.keys() == [*HEADERS[:5], "List-Unsubscribe", "X-Trials", *HEADERS[5:]]
    assert f"List-Unsubscribe: {link}\r\n".encode() in mime
    assert mail["X-Trials"] == "Studie über Ödeme"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"headers": [("bcc", "x@y")]}, "header bcc", id="a hidden recipient"),
        pytest.param({"headers": [("SUBJECT", "x")]}, "header SUBJECT", id="a second subject"),
        pytest.param({"headers": [("X-A", "1"), ("x-a", "2")]}, "header x-a", id="a header given twice"),
        pytest.param({"headers": [("References", "<a@b>\r\nBcc: x@y")]}, "References", id="a line end in a reference"),
        pytest.param({"headers": [("X-A: 1\r\nBcc", "2")]}, "header name", id="a line end in a header name"),
        pytest.param({"message_id": "no brackets@example.org"}, "Message-ID", id="an identifier without brackets"),
        pytest.param({"message_id": "<a@b>\r\nBcc: <x@y>"}, "Message-ID", id="a line end in the identifier"),
        pytest.param({"date": NOON.replace(tzinfo=None)}, "time zone", id="a date without a time zone"),
        pytest.param({"recipient": "reader@example.org\nBcc: x@y"}, "address", id="a line end in the recipient"),
        pytest.param({"sender": ("", "wächter@example.org")}, "sender", id="a sender that nobody could answer"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        composed(**changes)
