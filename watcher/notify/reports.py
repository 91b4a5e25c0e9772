"""Read a mail that came to the return address: is it a report about a message of ours, and what does it say?

Reads what its writer claims.  Does not judge whether that is to be believed, or what follows from it
(``core/bounces.py``), and does not fetch mails (``mailbox.py``).

The mail may be anything, cut off and hostile too.  Old ``email`` policy on purpose: the new one parses each header
when it is read, and fails on some.  Sources: RFC 3464, RFC 5965, RFC 3834, RFC 6522.
"""

import hashlib
import logging
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import Message
from email.utils import getaddresses

from watcher.core.bounces import TOKEN_BYTES, Form, Outcome, Report
from watcher.core.text import one_line

_TOKEN = f"[0-9a-f]{{{2 * TOKEN_BYTES}}}"
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,250}@[^<>\s@]{1,250}>")
# Where servers write whom they delivered to; the last two stand in what a report quotes or says of our message.
_DELIVERED_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "Cc", "Return-Path", "Original-Mail-From")
_ANSWERED = ("In-Reply-To", "References", "Original-Message-ID", "X-Original-Message-ID")
_QUOTED_ID = re.compile(r"(?im)^[> \t]*Message-ID:[ \t]*(<[^<>\s@]{1,250}@[^<>\s@]{1,250}>)")
_SERVERS_WORDS = re.compile(r"(?m)^.*(?<![\d.])[45]\d\d[ -].*$")
_BY_A_SERVER = re.compile(r"(?i)\b(mailer-daemon|postmaster)@|<>")
_HOLIDAY = re.compile(
    r"(?i)^\s*(out of (the )?office|automatic reply|auto(matic)?[- ]?reply|abwesenheit|automatische antwort)"
)
_ABUSE = frozenset({"abuse", "fraud", "virus", "other"})  # RFC 5965 and its registry; "not-spam" is the contrary
_LONGEST_WORDS = 500  # characters of a server's words that are kept
_LONGEST_TEXT = 20_000  # bytes of a text in which a server's words are looked for
_MOST_PARTS = 200  # that are looked at; a report has three
# What the parsers of the standard library and of flufl.bounce raise on mails that are malformed.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)

# It logs each of its detectors at a level that is shown, and what they fail on with the mail's content.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def read_report(raw: bytes, *, address: str, delimiter: str) -> Report:
    """Return what a mail reports.

    Args:
        raw: the mail, perhaps cut off.
        address: the one of ``[mail.bounces]``, to which return addresses add a word.
        delimiter: what stands between the two.
    """
    digest = hashlib.sha256(raw).hexdigest()
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        parts = _parts(mail)
        form, outcomes = _form(mail, parts)
        return Report(
            report_id=(_message_ids([_header(mail, "Message-ID")]) or (digest,))[0],
            form=form,
            tokens=_tokens(parts, _return_addresses(address, delimiter)),
            quoted=_quoted(mail, parts),
            outcomes=outcomes,
        )
    except _MALFORMED:
        return Report(report_id=digest, form=Form.OTHER, tokens=(), quoted=(), outcomes=())


def _return_addresses(address: str, delimiter: str) -> re.Pattern[str]:
    local, _, domain = address.rpartition("@")
    return re.compile(f"(?i)(?<![^\\s<,;:]){re.escape(local + delimiter)}({_TOKEN})@{re.escape(domain)}(?![\\w.-])")


def _parts(mail: Message) -> list[Message]:
    """Return the mail and everything in it, the blocks of a delivery status and a returned message included."""
    found: list[Message] = []
    waiting = [mail]
    while waiting and len(found) < _MOST_PARTS:
        part = waiting.pop(0)
        found.append(part)
        if part.get_content_type() == "text/rfc822-headers":
            waiting.append(message_from_bytes(_content(part), policy=policy.compat32))
        elif part.is_multipart():
            inner = [one for one in part.get_payload() if isinstance(one, Message)]
            waiting += inner
            if part.get_content_type() == "message/global-delivery-status":  # which the parser takes for one block
                blocks = [block for one in inner for block in re.split(rb"\r?\n\r?\n", _content(one))]
                waiting += [message_from_bytes(block, policy=policy.compat32) for block in blocks]
    return found


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _header(part: Message, name: str) -> str:
    """Return a header's first value as text, on one line; "" when it has none."""
    value = part.get(name)
    return "" if value is None else " ".join(str(value).split())


# --- which message it is about ----------------------------------------------------------------------------------------


def _tokens(parts: Iterable[Message], pattern: re.Pattern[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for part in parts:
        for name in _DELIVERED_TO:
            for value in part.get_all(name, []):
                found.update(dict.fromkeys(word.lower() for word in pattern.findall(str(value))))
    return tuple(found)


def _quoted(mail: Message, parts: list[Message]) -> tuple[str, ...]:
    """Return the Message-IDs of returned messages, and those that the report says it answers."""
    named = [_header(part, "Message-ID") for part in parts if part is not mail]
    named += [_header(part, name) for part in parts for name in _ANSWERED]
    # Reports of old forms quote the message as text.
    named += [line for part in parts for line in _QUOTED_ID.findall(_text(part))]
    own = set(_message_ids([_header(mail, "Message-ID")]))
    return tuple(one for one in _message_ids(named) if one not in own)


def _message_ids(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for value in values for one in _MESSAGE_ID.findall(value)))


# --- what it says -----------------------------------------------------------------------------------------------------


def _form(mail: Message, parts: list[Message]) -> tuple[Form, tuple[Outcome, ...]]:
    kinds = {part.get_content_type() for part in parts}
    # A report goes before an automatic reply, because servers say of their reports, too, that they are automatic.
    if "message/feedback-report" in kinds:
        return _complaint(parts)
    if kinds & {"message/delivery-status", "message/global-delivery-status"}:
        return Form.DELIVERY_STATUS, tuple(_delivery_status(parts))
    if _is_automatic_reply(mail, kinds):
        return Form.AUTOMATIC_REPLY, ()
    outcomes = tuple(_old_bounce(mail, parts))
    return (Form.OLD_BOUNCE, outcomes) if outcomes else (Form.OTHER, ())


def _delivery_status(parts: Iterable[Message]) -> Iterator[Outcome]:
    """Yield the blocks about addresses; the block about the message names none."""
    for part in parts:
        named = [_header(part, name) for name in ("Original-Recipient", "Final-Recipient")]
        if not any(named):
            continue
        yield Outcome(
            addresses=tuple(filter(None, map(_address, named))),
            action=_header(part, "Action").partition(" ")[0] or None,
            status=_header(part, "Status").partition(" ")[0][:20] or None,
            diagnostic=_words(_header(part, "Diagnostic-Code")),
        )


def _address(value: str) -> str:
    """Return the address of "rfc822; reader@example.org", or of one without its type."""
    return value.rpartition(";")[2].strip().strip("<>")


def _words(value: str) -> str | None:
    return one_line(value, _LONGEST_WORDS) or None


def _complaint(parts: Iterable[Message]) -> tuple[Form, tuple[Outcome, ...]]:
    reports = [part for part in parts if part.get("Feedback-Type") is not None]
    if not any(_header(part, "Feedback-Type").casefold() in _ABUSE for part in reports):
        return Form.OTHER, ()
    named = [_address(str(one)) for part in reports for one in part.get_all("Original-Rcpt-To", [])]
    if not named:
        return Form.COMPLAINT, ()
    return Form.COMPLAINT, (Outcome(addresses=tuple(named), action=None, status=None, diagnostic=None),)


def _is_automatic_reply(mail: Message, kinds: set[str]) -> bool:
    if "message/disposition-notification" in kinds:
        return True  # "your message was read"
    automatic = _header(mail, "Auto-Submitted").casefold() not in {"", "no"}
    if automatic or any(mail.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From")):
        return mail.get("X-Failed-Recipients") is None  # Exim's reports of old
    return _header(mail, "Precedence").casefold() == "auto_reply" or bool(_HOLIDAY.match(_header(mail, "Subject")))


def _old_bounce(mail: Message, parts: Iterable[Message]) -> Iterator[Outcome]:
    """Yield what the detectors of flufl.bounce find, in a mail that a server wrote."""
    written_by = [_header(mail, "From"), _header(mail, "Return-Path")]
    if not any(map(_BY_A_SERVER.search, written_by)) and mail.get("X-Failed-Recipients") is None:
        return
    from flufl.bounce import all_failures  # loads every detector

    delayed: Collection[bytes] = ()
    failed: Collection[bytes] = ()
    with suppress(*_MALFORMED):
        delayed, failed = all_failures(mail)
    said = [line for part in parts for line in _SERVERS_WORDS.findall(_text(part))]
    for found, action in ((failed, "failed"), (delayed, "delayed")):
        for name in sorted(found):
            yield Outcome(
                addresses=tuple(address for _, address in getaddresses([name.decode("utf-8", "replace")])),
                action=action,
                status=None,
                diagnostic=_words(said[0]) if said else None,
            )


def _text(part: Message) -> str:
    """Return the beginning of a plain text."""
    return _content(part)[:_LONGEST_TEXT].decode("ascii", "replace") if part.get_content_type() == "text/plain" else ""
