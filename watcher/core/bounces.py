"""What does a report mean that came back about a message: is the reader's address of no use any more?

Pure: no clock, no I/O.  Does not read mails (``notify/reports.py``) and does not act on what it finds
(``stages/bounces.py``).

Anybody can write to the address that reports come to.  A report is believed when it was sent to the return address of
one message, which holds a random word; or when it names a message of ours and the very address that it was sent to.

Sources: RFC 3463 (status codes), RFC 3464 (delivery status), RFC 3834 (automatic replies), RFC 5965 (complaints).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# A message that comes back may come back for its own sake, or because a mailbox is full.  So often in so long a time,
# and the address is given up: nobody hears anything there.
RETURNED_TOO_OFTEN = 3
RETURNED_WITHIN = timedelta(days=7)

# Permanent failures (5.x.y) that are no verdict on the address.
_MAILBOX_FULL = re.compile(r"[45]\.2\.2")
_GAVE_UP = re.compile(r"4\.\d+\.\d+|5\.4\.7")  # tried for as long as the server wanted to
_THIS_MESSAGE = re.compile(r"5\.1\.[78]|5\.2\.3|5\.3\.4|5\.6\.\d+|5\.7\.\d+")  # sender, size, content, policy
_NO_SUCH_ADDRESS = re.compile(r"5\.1\.\d+")
_UNKNOWN_USER = re.compile(r"55\d[ -]5\.1\.1(?![\d.])")  # a whole reply
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")


TOKEN_BYTES = 12  # of the random word in a return address, which stands there in hexadecimal digits


class Form(StrEnum):
    """What kind of mail it is."""

    DELIVERY_STATUS = "delivery_status"  # RFC 3464
    OLD_BOUNCE = "old_bounce"  # from a server that writes reports of its own form
    COMPLAINT = "complaint"  # RFC 5965: the reader called our mail abuse
    AUTOMATIC_REPLY = "automatic_reply"  # on holiday, received, read
    OTHER = "other"  # a person's answer, advertising


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a report says of one address."""

    addresses: tuple[str, ...]  # as it was written to, and where that led; empty = it does not say
    action: str | None  # RFC 3464: "failed", "delayed", "delivered", "relayed", "expanded"; None = it does not say
    status: str | None  # RFC 3463: "5.1.1"
    diagnostic: str | None  # the receiving server's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A mail that came to the return address, as far as it matters here."""

    report_id: str  # its own Message-ID, or the hash of its bytes
    form: Form
    tokens: tuple[str, ...]  # random words of our return addresses that it was sent to, or that it quotes
    quoted: tuple[str, ...]  # Message-IDs that it is about, with angle brackets
    outcomes: tuple[Outcome, ...]


class Meaning(StrEnum):
    LOST = "lost"  # mail does not reach the address
    RETURNED = "returned"  # this message came back; the next one may arrive
    COMPLAINT = "complaint"  # the reader wants no more
    NOTHING = "nothing"


class Why(StrEnum):
    NO_SUCH_ADDRESS = "no_such_address"
    REFUSED_FOR_GOOD = "refused_for_good"
    RETURNED_TOO_OFTEN = "returned_too_often"
    MAILBOX_FULL = "mailbox_full"
    MESSAGE_REFUSED = "message_refused"  # its size, its content or the sender, not the address
    GAVE_UP = "gave_up"  # the reader's server could not be reached for days
    CALLED_ABUSE = "called_abuse"
    STILL_TRYING = "still_trying"
    DELIVERED = "delivered"
    AUTOMATIC_REPLY = "automatic_reply"
    NOT_A_REPORT = "not_a_report"
    NOT_OURS = "not_ours"  # names no message of ours
    OTHER_ADDRESS = "other_address"  # names a message of ours, but not the address that it was sent to
    UNCLEAR = "unclear"  # a report that does not say what happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    meaning: Meaning
    why: Why
    outcome: Outcome | None = None  # what the verdict rests on


def judge(report: Report, recipient: str | None, *, by_token: bool) -> Verdict:
    """Return what a report means for the address that a message was sent to.

    Args:
        report: read.
        recipient: of the message that the report is about; None = no message of ours could be told from it.
        by_token: whether the message was told by its return address, and not only by a Message-ID, which others know.
    """
    if report.form is Form.AUTOMATIC_REPLY:
        return Verdict(meaning=Meaning.NOTHING, why=Why.AUTOMATIC_REPLY)
    if report.form is Form.OTHER:
        return Verdict(meaning=Meaning.NOTHING, why=Why.NOT_A_REPORT)
    if recipient is None:
        return Verdict(meaning=Meaning.NOTHING, why=Why.NOT_OURS)
    # By its return address a message is known for sure, and a failure where the reader forwards it to is one as well.
    outcomes = [one for one in report.outcomes if by_token or _is_about(one, recipient)]
    if report.outcomes and not outcomes:
        return Verdict(meaning=Meaning.NOTHING, why=Why.OTHER_ADDRESS)
    if report.form is Form.COMPLAINT:
        return _complaint(outcomes, by_token=by_token)
    verdicts = [_verdict(one) for one in outcomes]
    worst_first = list(Meaning)
    unclear = Verdict(meaning=Meaning.NOTHING, why=Why.UNCLEAR)
    return min(verdicts, key=lambda one: worst_first.index(one.meaning), default=unclear)


def _is_about(outcome: Outcome, recipient: str) -> bool:
    return same_address(recipient) in {same_address(address) for address in outcome.addresses}


def same_address(address: str) -> str:
    """Return the form in which two spellings of one mailbox are the same."""
    return address.strip().casefold()


def _complaint(outcomes: Sequence[Outcome], *, by_token: bool) -> Verdict:
    if not outcomes and not by_token:
        return Verdict(meaning=Meaning.NOTHING, why=Why.OTHER_ADDRESS)
    return Verdict(meaning=Meaning.COMPLAINT, why=Why.CALLED_ABUSE, outcome=outcomes[0] if outcomes else None)


def _verdict(outcome: Outcome) -> Verdict:
    meaning, why = _meaning(outcome)
    return Verdict(meaning=meaning, why=why, outcome=outcome)


def _meaning(outcome: Outcome) -> tuple[Meaning, Why]:
    action, status = (outcome.action or "").casefold(), precise_status(outcome)
    if action == "delayed":
        return Meaning.NOTHING, Why.STILL_TRYING
    if action in {"delivered", "relayed", "expanded"}:
        return Meaning.NOTHING, Why.DELIVERED
    if action != "failed" and not (status or "").startswith("5"):
        return Meaning.NOTHING, Why.UNCLEAR
    if status is None:
        code = _REPLY_CODE.search(outcome.diagnostic or "")
        gave_up = code is not None and code[1] == "4"
        return (Meaning.RETURNED, Why.GAVE_UP) if gave_up else (Meaning.LOST, Why.REFUSED_FOR_GOOD)
    if _MAILBOX_FULL.fullmatch(status):
        return Meaning.RETURNED, Why.MAILBOX_FULL
    if _GAVE_UP.fullmatch(status):
        return Meaning.RETURNED, Why.GAVE_UP
    if _THIS_MESSAGE.fullmatch(status):
        return Meaning.RETURNED, Why.MESSAGE_REFUSED
    return Meaning.LOST, Why.NO_SUCH_ADDRESS if _NO_SUCH_ADDRESS.fullmatch(status) else Why.REFUSED_FOR_GOOD


def precise_status(outcome: Outcome) -> str | None:
    """Return the status code, from the server's words where the report's own says only "failed" (5.0.0)."""
    own = _STATUS.fullmatch((outcome.status or "").strip())
    words = _STATUS.search(outcome.diagnostic or "")
    if own is None:
        return words[1] if words else None
    if own[1].endswith(".0.0") and words and words[1][0] == own[1][0]:
        return words[1]
    return own[1]


def is_unknown_user(words: str) -> bool:
    """Return whether a mail server that refuses a recipient says, in its reply, that there is no such mailbox.

    Only 5.1.1 says that.  Any other refusal (policy, a full mailbox, an address that it cannot read) may pass, or is
    about the mail or its sender; without an enhanced code nobody knows which it is.
    """
    return bool(_UNKNOWN_USER.match(words))


def return_address(address: str, delimiter: str, token: str) -> str:
    """Return the envelope sender of one message, to which reports about it come back."""
    local, _, domain = address.rpartition("@")
    return f"{local}{delimiter}{token}@{domain}"


def stand_in(address: str, *, suspended: Collection[str], fallbacks: Sequence[str]) -> str:
    """Return where mail for an address goes: there, or to the first of the fall-backs that mail reaches.

    Where none is left it goes where it was meant to go, for nothing is better than that.
    """
    if address not in suspended:
        return address
    return next((one for one in fallbacks if one not in suspended), address)
