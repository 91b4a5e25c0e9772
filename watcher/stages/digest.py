"""Digest: turn the notices of each window that has closed into one mail, and put it into the outbox.

The mail is made outside the transaction; the transaction then takes the notices, or finds that another instance has.
Does not send.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

import structlog
from sqlalchemy import Connection

from watcher.core.fields import FieldTable
from watcher.errors import OvertakenError, StoreError
from watcher.model import Message
from watcher.render.letters import IncidentLine, letter_to_operator
from watcher.render.links import Links
from watcher.stages.all_clear import AllClears, EndedWeek, letter_of_week
from watcher.stages.bounces import MAILBOX_INCIDENT, directed
from watcher.stages.check import RECORDS_INCIDENT, REGISTRY_INCIDENT
from watcher.stages.content import Content
from watcher.stages.deliver import CHANNEL_INCIDENT, JOURNAL_INCIDENT, TARGET_INCIDENT
from watcher.stages.linking import Linker
from watcher.stages.writing import Outgoing, Writer
from watcher.store.database import Database
from watcher.store.folding import times_folded, waiting_digests
from watcher.store.incidents import (
    Incident,
    close_incident,
    mark_told,
    open_incident,
    open_incidents,
    untold_incidents,
)
from watcher.store.notices import CHANGES, Window, due_windows, notices_in, single_windows
from watcher.store.outbox import add_digest, add_message
from watcher.store.suspensions import fold_stranded, stranded_messages
from watcher.store.tokens import add_tokens

# The registry and the mail server are down for minutes every now and then; nobody needs a mail about that.
PATIENCE = timedelta(hours=1)
_OPERATOR_INCIDENT = "mail about incidents"
_TEMPLATE_INCIDENT = "template "  # with the kind of mail that it is for
_log = structlog.get_logger("digest")


class Digest:
    """The second stage."""

    def __init__(
        self,
        database: Database,
        table: FieldTable,
        writer: Writer,
        *,
        operator: str,
        operator_channel: str | None = None,
        fallbacks: tuple[str, ...] = (),
        all_clears: AllClears | None = None,
        links: Links | None = None,
    ) -> None:
        """Wire the stage.

        Args:
            database: holds notices and the outbox.
            table: what fields are called.
            writer: makes messages of letters.
            operator: address that is told what is wrong.
            operator_channel: by which the operator gets letters as well, for when mail fails.
            fallbacks: who gets the mail that does not reach its reader, the best first.
            all_clears: finds who is due one; None = nobody gets any.
            links: that mails hold; None = there are no pages to lead to.
        """
        self._links = links
        self._all_clears = all_clears
        self._fallbacks = fallbacks
        self._database = database
        self._operator_channel = operator_channel
        self._table = table
        self._writer = writer
        self._operator = operator

    def run(self, *, now: datetime) -> list[Message]:
        """Compose every digest that is due, and a mail to the operator if something new is wrong; return the mails."""
        self._fold_stranded(now)
        with self._database.reading() as db:
            windows = due_windows(db, now=now)
            ended = self._all_clears.due(db, now=now) if self._all_clears else []
        composed = [message for window in windows for message in self._compose_all(window, now)]
        composed += [
            self._guarded(
                partial(self._compose_all_clear, one), one.window.address, incident=incident_of(one.window), now=now
            )
            for one in ended
        ]
        composed.append(self._guarded(self._tell_operator, self._operator, incident=_OPERATOR_INCIDENT, now=now))
        return [message for message in composed if message is not None]

    def _compose_all(self, window: Window, now: datetime) -> list[Message | None]:
        """Compose one mail of all that is due; where we fail on it, one of each window, so that one holds up no other.

        As long as one of a reader's windows fails, their others are told one by one.
        """
        alone = partial(self._compose_guarded, now=now)
        if window.first_closes_at is None:
            return [alone(window)]
        with self._database.reading() as db:
            parts = [part for part in single_windows(db, now=now) if part.within(window)]
            failing = {one.key for one in open_incidents(db)}.intersection(map(incident_of, parts))
        whole = None if failing else alone(window)
        return [whole] if whole is not None else [alone(part) for part in parts]

    def _compose_guarded(self, window: Window, *, now: datetime) -> Message | None:
        compose = partial(self._compose, window)
        return self._guarded(compose, window.address, incident=incident_of(window), now=now)

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

    def _fold_stranded(self, now: datetime) -> None:
        """Take back what waits for somebody whom mail does not reach: it is composed again, to who stands in."""
        with self._database.reading() as db:
            stranded = stranded_messages(db)
        if stranded:
            with self._database.writing() as db:
                fold_stranded(db, now=now)

    def _compose(self, window: Window, now: datetime) -> Message:
        with self._database.reading() as db:
            notices = notices_in(db, window, now=now)
            if not notices:
                raise OvertakenError(f"the digest for {window.address} was composed by another instance in between")
            linker = Linker(links=self._links, address=window.address)
            content = Content(db=db, table=self._table, linker=linker)
            gather = content.of_changes if window.subject_matter == CHANGES else content.of_watching
            # What waits of joining and leaving is not put together: who joined and left since would read both.
            taking = waiting_digests(db, window, now=now) if window.subject_matter == CHANGES else []
            told = [*(notice for one in taking for notice in one.notices), *notices]
            letter = gather(window.address, told, now=now)
            recipient, letter = directed(db, letter, window.address, self._fallbacks)
            again = times_folded(db, window)
        ids = [notice.id for notice in notices]
        identity = f"{recipient}|{window.subject_matter}|{window.closes_at.isoformat()}|{ids[0]}"
        identity += f"|{again}" if again else ""  # another message tells the same: it is not the same message
        outgoing = self._writer.write(letter, recipient, identity=identity, now=now)
        with self._database.writing() as db:
            add_digest(db, window, ids, outgoing.message, sizes=outgoing.sizes, now=now, taking=taking)
            add_tokens(db, linker.drawn_in(letter, recipient), now=now)
            close_incident(db, incident_of(window), now=now)
            _note_template(db, outgoing, now)
        _log.info("composed", recipient_notices=len(ids), subject_matter=window.subject_matter)
        return outgoing.message

    def _compose_all_clear(self, ended: EndedWeek, now: datetime) -> Message:
        window = ended.window
        with self._database.reading() as db:
            coverage = Content(db=db, table=self._table).coverage(window.address)
            linker = Linker(links=self._links, address=window.address)
            letter = linker.subscribed(letter_of_week(db, ended, coverage, now=now), db, ())
            recipient, letter = directed(db, letter, window.address, self._fallbacks)
        identity = f"{recipient}|{window.subject_matter}|{window.closes_at.isoformat()}"
        outgoing = self._writer.write(letter, recipient, identity=identity, now=now)
        with self._database.writing() as db:
            add_digest(db, window, [], outgoing.message, sizes=outgoing.sizes, now=now)
            add_tokens(db, linker.drawn_in(letter, recipient), now=now)
            close_incident(db, incident_of(window), now=now)
            _note_template(db, outgoing, now)
        _log.info("composed", recipient_notices=0, subject_matter=window.subject_matter)
        return outgoing.message

    def _tell_operator(self, now: datetime) -> Message | None:
        with self._database.reading() as db:
            news = [incident for incident in untold_incidents(db) if _worth_a_mail(incident, now)]
            if not news:
                return None
            coverage = Content(db=db, table=self._table).coverage()
            lines = [IncidentLine(summary=incident.summary, opened_at=incident.opened_at) for incident in news]
            letter = letter_to_operator(lines, coverage)
            recipient, letter = directed(db, letter, self._operator, self._fallbacks)
        outgoing = self._writer.write(letter, recipient, identity=f"operator|{news[0].id}", now=now)
        with self._database.writing() as db:
            add_message(db, outgoing.message, digest_id=None, sizes=outgoing.sizes, now=now)
            if self._operator_channel is not None:
                copy = by_channel(outgoing.message, self._operator_channel)
                add_message(db, copy, digest_id=None, sizes=outgoing.sizes, now=now)
            mark_told(db, [incident.id for incident in news], now=now)
            close_incident(db, _OPERATOR_INCIDENT, now=now)
            _note_template(db, outgoing, now)
        return outgoing.message


def by_channel(message: Message, channel: str) -> Message:
    """Return the same for another channel: a message of its own, with an identity of its own."""
    key = sha256(f"{message.id}|{channel}".encode()).hexdigest()[:32]
    message_id = f"<{key}@{message.message_id.rpartition('@')[2]}"
    return replace(message, id=key, message_id=message_id, recipient=channel, channel=channel)


def incident_of(window: Window) -> str:
    """Return what it is filed under that a window's mail cannot be written."""
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
    if incident.key == JOURNAL_INCIDENT or incident.key.startswith(
        (REGISTRY_INCIDENT, RECORDS_INCIDENT, MAILBOX_INCIDENT, TARGET_INCIDENT)
    ):
        return incident.closed_at is None and abs(now - incident.opened_at) >= PATIENCE
    if incident.key == CHANNEL_INCIDENT:
        return abs((incident.closed_at or now) - incident.opened_at) >= PATIENCE
    return True
