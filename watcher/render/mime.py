"""Put a mail together: headers, a plain text and an HTML part, attachments, as the bytes that are handed over.

Pure: the same input gives the same bytes, so that a repeated attempt can be recognised as one.  Does not write the
text, choose the subject or sign anything, and does not clean the bodies: what a template wrote arrives as it was.

Only 7-bit bytes leave here (bodies are quoted-printable, attachments base64): a relay that had to convert
8-bit text would break signatures.

Sources: RFC 5322, RFC 2045 section 6.7, RFC 2046 section 5.1.4, RFC 2183, RFC 3834 (Auto-Submitted).
"""

import hashlib
import re
from base64 import encodebytes
from collections.abc import Sequence
from datetime import datetime
from email import quoprimime
from email.utils import format_datetime

from watcher.render.attachments import Attachment
from watcher.render.headers import address_header, header_line, list_header, structured_header

# Headers whose values have a grammar, and are therefore written as they are; all others are treated as free text.
STRUCTURED = frozenset(
    {
        "archived-at",
        "feedback-id",
        "in-reply-to",
        "list-archive",
        "list-help",
        "list-owner",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "precedence",
        "references",
        "reply-to",
    }
)
# Headers that every mail of this program has once, written here.
_OWN = frozenset(
    {
        "auto-submitted",
        "bcc",  # never: one recipient to a message
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "list-id",
        "message-id",
        "mime-version",
        "subject",
        "to",
        "x-auto-response-suppress",
    }
)
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")  # printable, without angle brackets and @ within
_LINE_END = re.compile(r"\r\n|\r|\n")


def compose_mime(
    *,
    text: str,
    html: str,
    headers: Sequence[tuple[str, str]],
    sender: tuple[str, str],
    recipient: str,
    subject: str,
    message_id: str,
    date: datetime,
    mailing_list: tuple[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """Compose one mail to one person, with CRLF line ends and no byte above 127.

    Args:
        text: the plain text; any line ends.
        html: the same for readers that show HTML.
        headers: further headers by name: ``STRUCTURED`` ones are written as they are, on one line; the rest is
            cleaned and encoded like a subject.
        sender: display name (may be empty) and address.
        recipient: an address.
        subject: as text; cleaned here.
        message_id: with its angle brackets; also decides the boundary between the parts.
        date: timezone-aware.
        mailing_list: what List-Id says: a description and an identifier like a domain name.
        attachments: what goes with the text, in this order.

    Raises:
        ValueError: an address, identifier, date or further header that cannot be written, or one header twice.
    """
    _check(message_id, date, sender_address=sender[1])
    lines = [
        structured_header("Date", format_datetime(date)),
        address_header("From", *sender),
        address_header("To", "", recipient),
        structured_header("Message-ID", message_id),
        header_line("Subject", subject),
        *([list_header(*mailing_list)] if mailing_list else []),
        *_further_headers(headers),
        structured_header("Auto-Submitted", "auto-generated"),
        structured_header("X-Auto-Response-Suppress", "All"),
        structured_header("MIME-Version", "1.0"),
    ]
    between_texts, between_attachments = boundaries(message_id)
    body = _alternatives(text, html, boundary=between_texts)
    if attachments:
        body = _mixed(body, attachments, boundary=between_attachments)
    return b"".join(lines) + body


def _check(message_id: str, date: datetime, *, sender_address: str) -> None:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"Message-ID {message_id!r}: it should read <unique@domain>, in printable ASCII")
    if date.tzinfo is None:
        raise ValueError(f"date {date.isoformat()}: it should carry a time zone")
    if not sender_address.rpartition("@")[0].isascii():
        raise ValueError(
            f"sender {sender_address!r}: the part before the @ should be ASCII, so that anybody can answer"
        )


def _further_headers(headers: Sequence[tuple[str, str]]) -> list[bytes]:
    seen = set(_OWN)
    lines = []
    for name, value in headers:
        key = name.lower()
        if key in seen:
            raise ValueError(f"header {name}: it is given twice, or is one that every mail has already")
        seen.add(key)
        lines.append(structured_header(name, value) if key in STRUCTURED else header_line(name, value))
    return lines


def boundaries(message_id: str) -> tuple[str, str]:
    """Derive the lines between the two texts, and between these and what is attached."""
    return _boundary(message_id), _boundary(f"{message_id} with attachments")


def _boundary(identity: str) -> str:
    """Derive a line between parts; ``=_`` occurs neither in quoted-printable nor in base64 (RFC 2045, 6.7)."""
    return f"=_{hashlib.sha256(identity.encode('ascii')).hexdigest()[:32]}"


def _mixed(body: bytes, attachments: Sequence[Attachment], *, boundary: str) -> bytes:
    """Write the text and what goes with it."""
    pieces = [f'Content-Type: multipart/mixed;\r\n boundary="{boundary}"\r\n\r\n--{boundary}\r\n'.encode("ascii"), body]
    for one in attachments:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {one.media_type}\r\nContent-Transfer-Encoding: base64\r\n"
            f'Content-Disposition: attachment; filename="{one.name}"\r\n\r\n'
        )
        pieces += [head.encode("ascii"), encodebytes(one.content).replace(b"\n", b"\r\n")]
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return b"".join(pieces)


def _alternatives(text: str, html: str, *, boundary: str) -> bytes:
    """Write the two parts, the one that shows most last (RFC 2046, section 5.1.4)."""
    return b"".join(
        [
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii"),
            f"--{boundary}\r\n".encode("ascii"),
            _part("plain", text),
            f"\r\n--{boundary}\r\n".encode("ascii"),
            _part("html", html),
            f"\r\n--{boundary}--\r\n".encode("ascii"),
        ]
    )


def _part(subtype: str, content: str) -> bytes:
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode("ascii") + _quoted_printable(content)


def _quoted_printable(content: str) -> bytes:
    # Not binascii.b2a_qp: it writes lines of 77 octets where a space ends a full line (Python 3.11.7, tried).
    octets = _LINE_END.sub("\n", content).encode("utf-8", "replace")  # half a surrogate pair becomes "?"
    return quoprimime.body_encode(octets.decode("latin-1"), eol="\r\n").encode("ascii")
