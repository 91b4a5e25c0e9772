"""One mail to see whether mails arrive: through the real channel, past the outbox; and into the journal mailbox."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from watcher.app import Application
from watcher.config.values import format_duration, normalise_address
from watcher.errors import MailError, SettingsError
from watcher.model import Message, Receipt
from watcher.render.mime import compose_mime

_TEXT = """This is a test of trialwatch's mail settings.

If you can read it, digests will arrive here too. Nothing changed in any trial.
"""
_LOOK_EVERY = timedelta(seconds=1)  # a mail is in the journal within a second of its receipt, or takes long


class InJournal(StrEnum):
    """Whether the journal mailbox got a mail."""

    NO_JOURNAL = "no_journal"  # there is none, or it is no second recipient of this mail
    ARRIVED = "arrived"
    NOT_NAMED = "not_named"  # the mail server did not take it as a second recipient
    MISSING = "missing"  # it was not there in time
    UNREACHABLE = "unreachable"  # it cannot be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """A test mail that the mail server has taken."""

    message: Message
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look into the journal mailbox showed."""

    found: InJournal
    words: str | None  # for the operator; None = there is nothing to say


def send_test_mail(app: Application, address: str) -> SentMail:
    """Hand a test mail over now.

    Raises:
        SettingsError: not an address.
        MailError: it was not taken; the server's words are in it.
    """
    try:
        recipient = normalise_address(address)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    mail = app.settings.mail
    key = secrets.token_hex(16)
    message_id = f"<{key}@{mail.domain}>"
    subject = "trialwatch: test mail"
    mime = compose_mime(
        text=_TEXT,
        html=f"<!DOCTYPE html><html lang='en'><head><title>{subject}</title></head><body><p>{_TEXT}</p></body></html>",
        headers=[],
        sender=(mail.sender_name, mail.sender),
        recipient=recipient,
        subject=subject,
        message_id=message_id,
        date=app.now(),
    )
    message = Message(
        id=key, message_id=message_id, sender=mail.sender, recipient=recipient, subject=subject, mime=mime
    )
    with app.channel.session() as session:
        receipt = session.send(message, on_phase=lambda _phase: None)
    return SentMail(message=message, receipt=receipt)


def look_in_journal(app: Application, sent: SentMail, *, wait: Callable[[timedelta], None]) -> Look:
    """Look whether a test mail arrives in the journal mailbox, for as long as the settings give it.

    Args:
        app: with the journal that its channel names.
        sent: what was taken.
        wait: lets time go by between two looks.
    """
    journal, section = app.journal, app.settings.mail.journal
    if journal is None or section is None or sent.message.recipient == journal.address:
        return Look(found=InJournal.NO_JOURNAL, words=None)
    if sent.receipt.journal_refusal is not None:
        words = f"The mail server does not take the journal mailbox {journal.address}: {sent.receipt.journal_refusal}"
        return Look(found=InJournal.NOT_NAMED, words=words)
    looks = section.wait // _LOOK_EVERY + 1
    for number in range(looks):
        if number:
            wait(_LOOK_EVERY)
        try:
            if journal.holds(sent.message.message_id):
                words = f"It has arrived in the journal mailbox {journal.address} as well."
                return Look(found=InJournal.ARRIVED, words=words)
        except MailError as error:
            words = f"The journal mailbox {journal.address} cannot be asked: {error.reply}; see [mail.journal.imap]"
            return Look(found=InJournal.UNREACHABLE, words=words)
    words = (
        f"It has not arrived in the journal mailbox {journal.address} within {format_duration(section.wait)}: as long "
        "as that is so, a mail whose answer is lost may be sent twice. Does that address lead to the mailbox of "
        "[mail.journal.imap], and does your mail server keep Message-IDs? If it is only slow, raise mail.journal.wait"
    )
    return Look(found=InJournal.MISSING, words=words)
