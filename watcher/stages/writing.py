"""Write: a letter and an address become the message that is handed over.

The one place that knows headers: identity, thread, list, unsubscribing, signature.  Whoever composes gathers a letter
(``content.py``), lets it be written here, and puts the message into the outbox.

Does not read or write the database, choose readers, or send.  The same letter, address, identity and moment give the
same message, but for the moment in a DKIM signature.

Sources: RFC 2919 (List-Id), RFC 2369 and 8058 (List-Unsubscribe, one click), RFC 3834 (Auto-Submitted), RFC 5322
section 3.6.4 (References).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Protocol

from watcher.core.bounces import TOKEN_BYTES, return_address
from watcher.core.targets import channel_of, target_of
from watcher.model import Message
from watcher.render.attachments import dates_calendar
from watcher.render.letters import Letter, Letters, SubjectStyle, styled
from watcher.render.mime import compose_mime
from watcher.render.payload import payload
from watcher.render.templates import Rendered, TemplateFailed

DRILL_HEADER = "X-Trialwatch-Drill"


class Signs(Protocol):
    """Signs whole mails; ``render.signing.Signer`` is one."""

    def signed(self, mime: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPath:
    """Where reports about mails come back to."""

    address: str
    delimiter: str  # between it and the word that tells the mails apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who the mails come from, and what they look like wherever they are from."""

    address: str
    name: str
    reply_to: str | None
    domain: str  # of Message-IDs, threads, lists and events; kept when servers move
    subject_style: SubjectStyle = SubjectStyle.INFORMATIVE
    calendar: bool = False  # whether dates that moved are attached as events
    signer: Signs | None = None  # None = the relay signs, or nobody
    returns: ReturnPath | None = None  # None = to the sender's address, where nobody reads them


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to be put into the outbox, and what is to be recorded with it."""

    message: Message
    sizes: tuple[int, int]  # bytes of the text part and of the HTML part
    template: str
    failed: TemplateFailed | None  # the administrator's template, if it had to be replaced


class Writer:
    """Writes messages."""

    def __init__(self, letters: Letters, sender: Sender) -> None:
        self._letters = letters
        self._sender = sender

    def write(self, letter: Letter, address: str, *, identity: str, now: datetime) -> Outgoing:
        """Write a letter to one person, and sign it if the settings say so.

        Args, errors: as ``draft``.
        """
        return self.signed(self.draft(letter, address, identity=identity, now=now))

    def draft(self, letter: Letter, address: str, *, identity: str, now: datetime) -> Outgoing:
        """Write a letter to one person, without a signature.

        Args:
            letter: what it says.
            address: of a mailbox.
            identity: of this message among all that there ever were; the same whenever it is written again, so that a
                mail that arrives twice can be recognised by its Message-ID.
            now: the Date of the mail, UTC.

        Raises:
            TemplateFailed: the built-in template fails.
            ValueError: the address cannot stand in a header.
        """
        by_mail = target_of(address) is None
        letter = styled(letter, self._sender.subject_style)
        letter = self._with_calendar(letter, now) if by_mail else replace(letter, attachments=(), attached=())
        rendered, failed = self._letters.render(letter)
        message = replace(self.addressed(address, identity=identity), subject=rendered.subject)
        if by_mail:
            mime = self._mime(letter, rendered, address, message_id=message.message_id, now=now)
        else:
            mime = payload(letter, text=rendered.text, composed_at=now)
        sizes = (len(rendered.text.encode()), len(rendered.html.encode()))
        return Outgoing(message=replace(message, mime=mime), sizes=sizes, template=letter.template, failed=failed)

    def addressed(self, address: str, *, identity: str) -> Message:
        """Return a message to somebody that says nothing yet."""
        key = sha256(identity.encode()).hexdigest()[:32]
        token = token_hex(TOKEN_BYTES) if self._sender.returns else None
        return Message(
            id=key,
            message_id=f"<{key}@{self._sender.domain}>",
            sender=_envelope_sender(self._sender, token),
            return_token=token,
            recipient=address,
            subject="",
            mime=b"",
            channel=channel_of(address),
        )

    def signed(self, outgoing: Outgoing) -> Outgoing:
        """Return a message signed, if it is a mail and the settings say so."""
        message, signer = outgoing.message, self._sender.signer
        if signer is None or target_of(message.recipient) is not None:
            return outgoing
        return replace(outgoing, message=replace(message, mime=signer.signed(message.mime)))

    def _mime(self, letter: Letter, rendered: Rendered, address: str, *, message_id: str, now: datetime) -> bytes:
        sender = self._sender
        return compose_mime(
            text=rendered.text,
            html=rendered.html,
            headers=list(self._headers(letter)),
            sender=(sender.name, sender.address),
            recipient=address,
            subject=rendered.subject,
            message_id=message_id,
            date=now,
            mailing_list=self._mailing_list(letter),
            attachments=letter.attachments,
        )

    def _with_calendar(self, letter: Letter, now: datetime) -> Letter:
        if not (self._sender.calendar and letter.dates):
            return letter
        events = dates_calendar(letter.dates, domain=self._sender.domain, now=now)
        said = f"The dates that moved are attached for your calendar as {events.name}."
        attachments, attached = (*letter.attachments, events), (*letter.attached, said)
        return replace(letter, attachments=attachments, attached=attached)

    def _headers(self, letter: Letter) -> Iterator[tuple[str, str]]:
        """Yield the headers that not every mail has."""
        if self._sender.reply_to:
            yield "Reply-To", self._sender.reply_to
        if letter.about and not letter.drill:  # a drill does not belong among a trial's mails
            root = self._root_of(letter.about.nct_id)
            yield "In-Reply-To", root
            yield "References", root
        url = letter.unsubscribe_url
        if url and url.startswith("https://"):  # RFC 8058 takes no other
            yield "List-Unsubscribe", f"<{url}>"
            yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
        if self._is_for_readers(letter) and not letter.urgent:
            yield "Precedence", "bulk"  # which keeps old programs from answering that somebody is on holiday
        if letter.drill:
            yield DRILL_HEADER, "yes"

    def _root_of(self, nct_id: str) -> str:
        """Return the identity of a mail that is never sent, and that all mails about one trial answer.

        It is the same for all readers and at all times; another installation has another domain.
        """
        instance = sha256(self._sender.domain.encode()).hexdigest()[:8]
        return f"<{nct_id}.{instance}@{self._sender.domain}>"

    def _mailing_list(self, letter: Letter) -> tuple[str, str] | None:
        """Return what mail programs may sort a mail by: its trial, else its watch list, else that it is a digest."""
        if not self._is_for_readers(letter):
            return None
        if letter.about:
            nct_id = letter.about.nct_id
            return f"Trial {nct_id}", f"{nct_id.lower()}.trials.{self._sender.domain}"
        if letter.watchlist:
            return letter.watchlist, f"{_slug(letter.watchlist)}.lists.{self._sender.domain}"
        return "trialwatch digests", f"digests.{self._sender.domain}"

    @staticmethod
    def _is_for_readers(letter: Letter) -> bool:
        return letter.template != "operator"


def _slug(name: str) -> str:
    """Return a name as part of a domain name, with a sum where it had to change, so that no two names become one."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40].rstrip("-")
    return plain if plain == name else f"{plain or 'list'}-{sha256(name.encode()).hexdigest()[:6]}"


def _envelope_sender(sender: Sender, token: str | None) -> str:
    """Return the address that reports about one message come to."""
    if sender.returns is None or token is None:
        return sender.address
    return return_address(sender.returns.address, sender.returns.delimiter, token)
