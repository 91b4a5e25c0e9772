"""Is what the program made of a hostile text only text?  One judge for each kind of output; each yields what is wrong.

What a mail may hold of elements and attributes is read from the templates themselves.
"""

import csv
import json
import unicodedata
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
from icalendar import Calendar

from tests.smtp_conversation import Accepted

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
HEADERS = ("Date", "From", "To", "Message-ID", "Subject")  # these in this order, then some of the others
OTHERS = frozenset(
    {
        "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type", "List-Id", "In-Reply-To",
        "References", "Precedence", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding",
    }
)  # fmt: skip
LINKS = ("https://clinicaltrials.gov/study/NCT", "https://trials.example.org/watch/")
_ATOM = "{http://www.w3.org/2005/Atom}"
_ATOM_ELEMENTS = frozenset(
    _ATOM + name
    for name in (
        "feed", "id", "title", "updated", "link", "author", "name", "rights", "entry", "published", "category",
        "content",
    )
)  # fmt: skip
_ICS_LINES = frozenset(
    {
        "BEGIN", "END", "VERSION", "PRODID", "METHOD", "UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY",
        "DESCRIPTION", "URL", "TRANSP", "STATUS",
    }
)  # fmt: skip
_TEMPLATES = Path(__file__).parents[2] / "templates" / "mail"


class Elements(HTMLParser):
    """Notes elements with their attributes, and where links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pairs: set[tuple[str, str]] = set()
        self.links: list[str] = []
        self.odd: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pairs |= {(tag, ""), *((tag, name) for name, _ in attrs)}
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action", "background"}]

    def handle_comment(self, data: str) -> None:
        self.odd.append(f"comment {data[:40]!r}")

    def handle_pi(self, data: str) -> None:
        self.odd.append(f"instruction {data[:40]!r}")


@cache
def elements_of_templates() -> frozenset[tuple[str, str]]:
    found = Elements()
    for template in _TEMPLATES.glob("*.html"):
        found.feed(template.read_text(encoding="utf-8"))
    inlined = {(tag, "style") for tag, _ in found.pairs}
    made = {
        ("tbody", ""),
        ("tbody", "style"),
        ("span", ""),
        ("span", "class"),
        ("span", "style"),
    }  # by parser and filter
    return frozenset(found.pairs | inlined | made)


def invisible(text: str) -> list[str]:
    """Return what is not a character that can be seen, but for line feeds."""
    return sorted({repr(char) for char in text if char != "\n" and unicodedata.category(char) in INVISIBLE})


def wrong_in_mail(mail: Accepted) -> Iterator[str]:
    message = mail.message
    yield from (f"defect {defect!r}" for part in message.walk() for defect in part.defects)
    yield from _wrong_headers(mail, message)
    if not mail.mime.isascii() or max(map(len, mail.mime.split(b"\r\n"))) > 998:
        yield "bytes above 127, or a line that is too long"
    if b"\n" in mail.mime.replace(b"\r\n", b"") or b"\r" in mail.mime.replace(b"\r\n", b"") or b"\x00" in mail.mime:
        yield "a bare CR, LF or NUL"
    yield from (f"{char} in the text" for char in invisible(mail.text))
    yield from wrong_in_html(mail.html)
    for part in message.iter_attachments():
        yield from _wrong_in_attachment(part)


def _wrong_headers(mail: Accepted, message: EmailMessage) -> Iterator[str]:
    names = list(message.keys())
    if tuple(names[: len(HEADERS)]) != HEADERS or not set(names[len(HEADERS) :]) <= OTHERS:
        yield f"headers {names}"
    if len(set(names)) < len(names):
        yield f"a header twice: {names}"
    yield from (f"{char} in {name}" for name, value in message.items() for char in invisible(str(value)))
    if message["To"] != mail.recipient:
        yield f"To: {message['To']}"
    if len(mail.subject) > 200:
        yield f"a subject of {len(mail.subject)} characters"


def wrong_in_html(html: str) -> Iterator[str]:
    yield from (f"{char} in the HTML" for char in invisible(html))
    elements = Elements()
    elements.feed(html)
    elements.close()
    yield from (f"element or attribute {pair}" for pair in sorted(elements.pairs - elements_of_templates()))
    yield from (f"a link to {link[:60]!r}" for link in elements.links if not link.startswith(LINKS))
    yield from elements.odd


def _wrong_in_attachment(part: Any) -> Iterator[str]:
    content = part.get_payload(decode=True)
    kind = part.get_content_type()
    if kind == "text/csv":
        yield from wrong_in_csv(content)
    elif kind == "text/calendar":
        yield from wrong_in_calendar(content)
    else:
        yield f"an attachment of {kind}"


def wrong_in_csv(content: bytes) -> Iterator[str]:
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    width = len(rows[0])
    for row in rows:
        if len(row) not in {width, 1}:
            yield f"a row of {len(row)} cells"
        for cell in row:
            if cell.startswith(FORMULA) or unicodedata.normalize("NFKC", cell).startswith(FORMULA):
                yield f"a formula {cell[:40]!r}"
            yield from (f"{char} in a cell" for char in (*invisible(cell), *(["a line end"] if "\n" in cell else [])))


def wrong_in_calendar(content: bytes) -> Iterator[str]:
    text = content.decode("utf-8")
    unfolded = text.replace("\r\n ", "")
    lines = unfolded.removesuffix("\r\n").split("\r\n")
    names = {line.partition(":")[0].partition(";")[0] for line in lines}
    if not names <= _ICS_LINES:
        yield f"calendar lines {sorted(names - _ICS_LINES)}"
    yield from (f"{char} in the calendar" for char in invisible("\n".join(lines)))
    found = {component.name for component in Calendar.from_ical(content).walk()}
    if found != {"VCALENDAR", "VEVENT"}:
        yield f"calendar components {found}"


def wrong_in_feed(content: bytes) -> Iterator[str]:
    parsed = feedparser.parse(content, response_headers={"content-type": "application/atom+xml; charset=utf-8"})
    if parsed.bozo:
        yield f"a feed that is not well-formed: {parsed.get('bozo_exception')}"
    root = ET.fromstring(content)  # noqa: S314 what the program wrote
    for element in root.iter():
        if element.tag not in _ATOM_ELEMENTS:
            yield f"element {element.tag}"
        if element.get("type", "text") not in {"text", "text/html", "application/atom+xml"}:
            yield f"type {element.get('type')}"
        href = element.get("href")
        if href is not None and not href.startswith(LINKS):
            yield f"a link to {href[:60]!r}"
        yield from (f"{char} in {element.tag}" for char in invisible(element.text or ""))


def wrong_in_document(body: bytes) -> Iterator[str]:
    """Judge what a webhook is sent."""
    for key, text in _strings(json.loads(body), ""):
        yield from (f"{char} in {key}" for char in invisible(text))


def _strings(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, below in value.items():
            yield f"a key below {key}", name
            yield from _strings(below, name)
    elif isinstance(value, list):
        for below in value:
            yield from _strings(below, key)


def wrong_in_terminal(printed: str) -> Iterator[str]:
    yield from (f"{char} at the terminal" for char in invisible(printed))
