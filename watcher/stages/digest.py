"""Digest: turn the notices of each window that has closed into one mail, and put it into the outbox.

The mail is made outside the transaction; the transaction then takes the notices, or finds that another instance has.
Does not send.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

import structlog
from sqlalchemy import Connection

from watcher.core.fields import FieldTable
from watcher.errors import OvertakenError, StoreError
from watcher.model import Message
from watcher.render.letters import IncidentLine, Letter, Letters, letter_to_operator
from watcher.render.links import Links
from watcher.render.mime import compose_mime
from watcher.render.templates import TemplateFailed
from watcher.stages.check import RECORDS_INCIDENT, REGISTRY_INCIDENT
from watcher.stages.content import Content
from watcher.stages.deliver import CHANNEL_INCIDENT
from watcher.stages.linking import Linker
from watcher.store.database import Database
from watcher.store.incidents import Incident, close_incident, mark_told, open_incident, untold_incidents
from watcher.store.notices import CHANGES, Window, due_windows, notices_in
from watcher.store.outbox import add_digest, add_message
from watcher.store.tokens import add_tokens

# The registry and the mail server are down for minutes every now and then; nobody needs a mail about that.
PATIENCE = timedelta(hours=1)
_OPERATOR_INCIDENT = "mail about incidents"
_TEMPLATE_INCIDENT = "template "  # with the kind of mail that it is for
_log = structlog.get_logger("digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who the mails come from."""

    address: str
    name: str
    reply_to: str | None
    domain: str  # of Message-IDs
    operator: str  # address


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    message: Message
    sizes: tuple[int, int]  # bytes of the text part and of the HTML part
    template: str
    failed: TemplateFailed | None  # the administrator's template, if it had to be replaced


class Digest:
    """The second stage."""

    def __init__(
        self, database: Database, table: FieldTable, *, letters: Letters, sender: Sender, links: Links | None = None
    ) -> None:
        self._database = database
        self._table = table
        self._letters = letters
        self._sender = sender
        self._links = links

    def run(self, *, now: datetime) -> list[Message]:
        """Compose every digest that is due, and a mail to the operator if something new is wrong; return the mails."""
        with self._database.reading() as db:
            windows = due_windows(db, now=now)
        composed = [
            self._guarded(partial(self._compose, window), window.address, incident=_incident_of(window), now=now)
            for window in windows
        ]
        operator = self._sender.operator
        composed.append(self._guarded(self._tell_operator, operator, incident=_OPERATOR_INCIDENT, now=now))
        return [message for message in composed if message is not None]

    def _guarded(
        self, compose: Callable[[datetime], Message | None], recipient: str, *, incident: str, now: datetime
    ) -> Message | None:
        """Compose one mail; one that we fail on must not hold up the others."""
        try:
            return compose(now)
        except OvertakenError as error:
            _log.warning("overtaken", why=str(error))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 whatever it is, it is told, and tried again at the next run
            _log.exception("failed on a mail")
            summary = f"A mail to {recipient} cannot be written ({type(error).__name__}); see the log."
            with self._database.writing() as db:
                open_incident(db, incident, summary, now=now)
        return None

    def _compose(self, window: Window, now: datetime) -> Message:
        with self._database.reading() as db:
            notices = notices_in(db, window)
            if not notices:
                raise OvertakenError(f"the digest for {window.address} was composed by another instance in between")
            linker = Linker(links=self._links, address=window.address)
            content = Content(db=db, table=self._table, linker=linker)
            gather = content.of_changes if window.subject_matter == CHANGES else content.of_watching
            letter = gather(window.address, notices)
        ids = [notice.id for notice in notices]
        identity = f"{window.address}|{window.subject_matter}|{window.closes_at.isoformat()}|{ids[0]}"
        outgoing = self._write(letter, window.address, identity, now)
        with self._database.writing() as db:
            add_digest(db, window, ids, outgoing.message, sizes=outgoing.sizes, now=now)
            add_tokens(db, linker.drawn_in(letter), now=now)
            close_incident(db, _incident_of(window), now=now)
            _note_template(db, outgoing, now)
        _log.info("composed", recipient_notices=len(ids), subject_matter=window.subject_matter)
        return outgoing.message

    def _tell_operator(self, now: datetime) -> Message | None:
        with self._database.reading() as db:
            news = [incident for incident in untold_incidents(db) if _worth_a_mail(incident, now)]
            if not news:
                return None
            coverage = Content(db=db, table=self._table).coverage()
        lines = [IncidentLine(summary=incident.summary, opened_at=incident.opened_at) for incident in news]
        letter = letter_to_operator(lines, coverage)
        outgoing = self._write(letter, self._sender.operator, f"operator|{news[0].id}", now)
        with self._database.writing() as db:
            add_message(db, outgoing.message, digest_id=None, sizes=outgoing.sizes, now=now)
            mark_told(db, [incident.id for incident in news], now=now)
            close_incident(db, _OPERATOR_INCIDENT, now=now)
            _note_template(db, outgoing, now)
        return outgoing.message

    def _write(self, letter: Letter, recipient: str, identity: str, now: datetime) -> Outgoing:
        """Render a letter and make a message of it, with an identity that is the same whenever it is repeated."""
        rendered, failed = self._letters.render(letter)
        sender = self._sender
        message_key = sha256(identity.encode()).hexdigest()[:32]
        message_id = f"<{message_key}@{sender.domain}>"
        mime = compose_mime(
            text=rendered.text,
            html=rendered.html,
            headers=[("Reply-To", sender.reply_to)] if sender.reply_to else [],
            sender=(sender.name, sender.address),
            recipient=recipient,
            subject=rendered.subject,
            message_id=message_id,
            date=now,
        )
        message = Message(
            id=message_key,
            message_id=message_id,
            sender=sender.address,
            recipient=recipient,
            subject=rendered.subject,
            mime=mime,
        )
        sizes = (len(rendered.text.encode()), len(rendered.html.encode()))
        return Outgoing(message=message, sizes=sizes, template=letter.template, failed=failed)


def _incident_of(window: Window) -> str:
    # Each window has its own: a later digest that succeeds says nothing of the one that does not.
    window_key = f"{window.address}|{window.subject_matter}|{window.closes_at.isoformat()}"
    return f"digest {sha256(window_key.encode()).hexdigest()[:32]}"


def _note_template(db: Connection, outgoing: Outgoing, now: datetime) -> None:
    """Tell the operator that a template of theirs is broken, once; and notice that it is mended."""
    key = _TEMPLATE_INCIDENT + outgoing.template
    if outgoing.failed is None:
        close_incident(db, key, now=now)
    else:
        open_incident(db, key, f"Your {outgoing.failed}. The built-in template is used instead.", now=now)


def _worth_a_mail(incident: Incident, now: datetime) -> bool:
    """Whether the operator must hear of it: trouble with another machine only when it lasts.

    Of the mail server's trouble no mail can tell before it is over.  ``abs``: the clock may have been ahead then.
    """
    if incident.key.startswith((REGISTRY_INCIDENT, RECORDS_INCIDENT)):
        return incident.closed_at is None and abs(now - incident.opened_at) >= PATIENCE
    if incident.key == CHANNEL_INCIDENT:
        return abs((incident.closed_at or now) - incident.opened_at) >= PATIENCE
    return True
