"""Digest: turn the notices of each window that has closed into one mail, and put it into the outbox.

Finds what is due, and sees to it that a mail that cannot be written holds up no other; ``composing.py`` writes and
records, outside and inside of transactions.  Does not send.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from watcher.core.fields import FieldTable
from watcher.errors import OvertakenError, StoreError
from watcher.render.letters import Coverage, IncidentLine, Letter, letter_to_operator
from watcher.render.links import Links
from watcher.stages.all_clear import AllClears
from watcher.stages.bounces import MAILBOX_INCIDENT, directed
from watcher.stages.check import RECORDS_INCIDENT, REGISTRY_INCIDENT
from watcher.stages.composing import WINDOW_INCIDENT, Composer, incident_of, note_template
from watcher.stages.content import Content
from watcher.stages.copies import Copies
from watcher.stages.deliver import CHANNEL_INCIDENT, JOURNAL_INCIDENT, TARGET_INCIDENT
from watcher.stages.writing import Writer
from watcher.store.database import Database
from watcher.store.incidents import (
    OVER,
    Incident,
    close_incident,
    mark_target_told,
    mark_told,
    open_incident,
    open_incidents,
    untold_incidents,
)
from watcher.store.notices import Due, Window, single_windows, together
from watcher.store.outbox import add_message
from watcher.store.suspensions import fold_stranded, stranded_messages, suspensions

# The registry and the mail server are down for minutes every now and then; nobody needs a mail about that.
PATIENCE = timedelta(hours=1)
_TOGETHER = 200  # windows that are told in one transaction: enough to spare work, and few to be done again
_OPERATOR_INCIDENT = "mail about incidents"
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
        stopping: Callable[[], bool] = lambda: False,
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
            stopping: whether the service is ending; what is left is composed by the next run.
        """
        self._all_clears = all_clears
        self._fallbacks = fallbacks
        self._database = database
        self._operator_channel = operator_channel
        self._table = table
        self._writer = writer
        self._composer = Composer(database, table, fallbacks=fallbacks, links=links)
        self._operator = operator
        self._stopping = stopping

    def run(self, *, now: datetime) -> list[str]:
        """Compose every digest that is due, and a mail to the operator if something new is wrong.

        Return the IDs of the messages: what they say is in the outbox.
        """
        self._fold_stranded(now)
        copies = Copies(self._writer, now=now)
        with self._database.reading() as db:
            due = together(single_windows(db, now=now))
            ended = self._all_clears.due(db, now=now) if self._all_clears else []
        composed = self._compose_due(due, copies, now)
        for one in ended:
            if self._stopping():
                return composed
            all_clear = partial(self._composer.compose_all_clear, one, copies, now=now)
            composed += self._guarded(all_clear, one.window.address, incident=incident_of(one.window), now=now)
        to_operator = partial(self._tell_operator, now)
        return composed + self._guarded(to_operator, self._operator, incident=_OPERATOR_INCIDENT, now=now)

    def _compose_due(self, due: Sequence[Due], copies: Copies, now: datetime) -> list[str]:
        """Compose many mails at a time; where we fail, one by one, so that none holds up the others."""
        with self._database.reading() as db:
            failing = {one.key for one in open_incidents(db) if one.key.startswith(WINDOW_INCIDENT)}
        composed: list[str] = []
        for start in range(0, len(due), _TOGETHER):
            if self._stopping():
                break
            some = due[start : start + _TOGETHER]
            doubtful = [one for one in some if failing and failing.intersection(map(incident_of, one.parts))]
            well = [one for one in some if one not in doubtful]
            compose = partial(self._composer.compose, [one.whole for one in well], copies, now=now)
            ids = _tried(compose) if len(well) > 1 else None
            if isinstance(ids, list):
                composed += ids
            else:
                composed += [key for one in well for key in self._compose_alone(one, copies, now)]
            composed += [key for one in doubtful for part in one.parts for key in self._compose_one(part, copies, now)]
        return composed

    def _compose_alone(self, due: Due, copies: Copies, now: datetime) -> list[str]:
        """Compose one mail of all that is due to a reader; where we fail on it, one of each of its windows."""
        whole = self._compose_one(due.whole, copies, now)
        if whole or len(due.parts) == 1:
            return whole
        # As long as one of a reader's windows fails, their others are told one by one.
        return [key for part in due.parts for key in self._compose_one(part, copies, now)]

    def _compose_one(self, window: Window, copies: Copies, now: datetime) -> list[str]:
        compose = partial(self._composer.compose, [window], copies, now=now)
        return self._guarded(compose, window.address, incident=incident_of(window), now=now)

    def _guarded(self, compose: Callable[[], list[str]], recipient: str, *, incident: str, now: datetime) -> list[str]:
        """Compose one mail; one that we fail on must not hold up the others."""
        composed = _tried(compose)
        if isinstance(composed, list):
            return composed
        if isinstance(composed, OvertakenError):
            _log.warning("overtaken", why=str(composed))
            return []
        _log.error("failed on a mail", exc_info=composed)
        summary = f"A mail to {recipient} cannot be written ({type(composed).__name__}); see the log."
        with self._database.writing() as db:
            open_incident(db, incident, summary, now=now)
        return []

    def _fold_stranded(self, now: datetime) -> None:
        """Take back what waits for somebody whom mail does not reach: it is composed again, to who stands in."""
        with self._database.reading() as db:
            stranded = stranded_messages(db)
        if stranded:
            with self._database.writing() as db:
                fold_stranded(db, now=now)

    def _tell_operator(self, now: datetime) -> list[str]:
        with self._database.reading() as db:
            news = [incident for incident in untold_incidents(db) if _worth_a_mail(incident, now)]
            if not news:
                return []
            coverage = Content(db=db, table=self._table).coverage()
            news.sort(key=_is_over)  # the subject is the first one's
            recipient, letter = directed(suspensions(db), _letter_of(news, coverage), self._operator, self._fallbacks)
        outgoing = self._writer.write(letter, recipient, identity=f"operator|{news[0].id}", now=now)
        # A mail that came back is written again; what it told reached the target all the same.
        others = [incident for incident in news if incident.target_told_at is None]
        copy = None
        if self._operator_channel and others:
            identity = f"operator|{self._operator_channel}|{others[0].id}"
            copy = self._writer.write(_letter_of(others, coverage), self._operator_channel, identity=identity, now=now)
        with self._database.writing() as db:
            add_message(db, outgoing.message, digest_id=None, sizes=outgoing.sizes, now=now)
            mark_told(db, [incident.id for incident in news], now=now)
            if copy is not None:
                add_message(db, copy.message, digest_id=None, sizes=copy.sizes, now=now)
                mark_target_told(db, [incident.id for incident in others], now=now)
            close_incident(db, _OPERATOR_INCIDENT, now=now)
            note_template(db, outgoing, now=now)
        return [outgoing.message.id]


def _tried(compose: Callable[[], list[str]]) -> list[str] | Exception:
    """Compose, and return the IDs of the messages, or why that failed."""
    try:
        return compose()
    except OvertakenError as error:
        return error
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 whatever it is, it is told, and tried again at the next run
        return error


def _letter_of(incidents: Sequence[Incident], coverage: Coverage) -> Letter:
    lines = [IncidentLine(summary=one.summary, opened_at=one.opened_at, over=_is_over(one)) for one in incidents]
    return letter_to_operator(lines, coverage)


def _is_over(incident: Incident) -> bool:
    return incident.key.startswith(OVER)


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
