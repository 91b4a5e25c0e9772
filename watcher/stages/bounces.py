"""Bounces: read what came back about messages that a server had taken, and see to it that somebody hears.

    report → which message of ours → what it means → recorded with all that follows, in one transaction → marked as read

An address that mail does not reach is suspended (``suspending.py``).  A mail
that came back for another reason is told again a little later; when that happens too often, the address is suspended
too.  A complaint means that the reader hears no more.

Does not write mails: ``digest.py`` composes what is untold, and asks ``directed`` to whom.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from watcher.core.bounces import (
    RETURNED_TOO_OFTEN,
    RETURNED_WITHIN,
    Meaning,
    Report,
    Verdict,
    Why,
    judge,
    stand_in,
)
from watcher.core.text import one_line
from watcher.errors import ChannelDown, ChannelRefused, MailError
from watcher.notify.mailbox import Mailbox
from watcher.render.letters import Letter
from watcher.stages.suspending import GivenUp, give_up_address
from watcher.store.bounces import (
    Original,
    is_known,
    message_by_ids,
    message_by_tokens,
    opt_out_of_all,
    record_report,
    times_returned,
)
from watcher.store.database import Database
from watcher.store.incidents import close_incidents, open_incident
from watcher.store.suspensions import Suspension, fold

MAILBOX_INCIDENT = "mailbox of reports"  # does not answer
_REFUSAL_INCIDENT = "reports cannot be read"  # until somebody changes something
_AGAIN_AFTER = timedelta(hours=4)  # a mailbox that is full now may not be then
_LONGEST_REASON = 200  # characters
_log = structlog.get_logger("bounces")


@dataclass(slots=True)
class Read:
    """What one look into the mailbox found."""

    reports: Counter[Why] = field(default_factory=Counter)
    suspended: list[str] = field(default_factory=list)  # addresses
    trouble: MailError | None = None  # the mailbox cannot be read


class Bounces:
    """Reads reports.  Only the one instance that does the work may call it."""

    def __init__(
        self,
        database: Database,
        mailbox: Mailbox,
        read_report: Callable[[bytes], Report],
        *,
        fallbacks: Sequence[str],
        stopping: Callable[[], bool],
    ) -> None:
        """Wire the stage.

        Args:
            database: holds the outbox.
            mailbox: holds the reports.
            read_report: understands one of its mails.
            fallbacks: who gets the mail that does not reach its reader, the best first.
            stopping: whether the service is ending.
        """
        self._database = database
        self._mailbox = mailbox
        self._read_report = read_report
        self._fallbacks = tuple(fallbacks)
        self._stopping = stopping

    def run(self, *, now: datetime) -> Read:
        """Read what is unread; each mail is marked as read once what follows from it is recorded."""
        read = Read()
        try:
            with self._mailbox.reading() as reading:
                for key in reading.unread():
                    if self._stopping():
                        return read
                    mail = reading.fetch(key)
                    if mail is not None:
                        self._take(mail, read, now)
                        reading.settle(key)
        except (ChannelDown, ChannelRefused) as error:
            self._note_trouble(error, read, now)
            return read
        with self._database.writing() as db:
            close_incidents(db, [MAILBOX_INCIDENT, _REFUSAL_INCIDENT], now=now)
        return read

    def _note_trouble(self, error: ChannelDown | ChannelRefused, read: Read, now: datetime) -> None:
        read.trouble = error
        key = _REFUSAL_INCIDENT if isinstance(error, ChannelRefused) else MAILBOX_INCIDENT
        with self._database.writing() as db:
            open_incident(db, key, f"Reports of mail that came back cannot be read: {error.reply}", now=now)
        _log.error("the mailbox of reports does not work", mailbox=self._mailbox.name, reply=error.reply)

    def _take(self, mail: bytes, read: Read, now: datetime) -> None:
        """Record what one mail means, and what follows."""
        report = self._read_report(mail)
        with self._database.writing() as db:
            if is_known(db, report.report_id):
                return
            original = message_by_tokens(db, report.tokens)
            by_token = original is not None
            original = original or message_by_ids(db, report.quoted)
            verdict = judge(report, original.recipient if original else None, by_token=by_token)
            if original is not None and (verdict.outcome is not None or verdict.meaning is not Meaning.NOTHING):
                record_report(db, report.report_id, verdict, original=original, now=now)
                verdict = self._act(db, verdict, original, read, now)
        read.reports[verdict.why] += 1
        _log.info("report read", meaning=verdict.meaning, why=verdict.why, message=original.id if original else None)

    def _act(self, db: Connection, verdict: Verdict, original: Original, read: Read, now: datetime) -> Verdict:
        """Do what a report asks for; return the verdict that counts."""
        if verdict.meaning is Meaning.COMPLAINT:
            self._note_complaint(db, original, now)
        elif verdict.meaning is Meaning.LOST:
            self._give_up(db, verdict, original, read, now)
        elif verdict.meaning is Meaning.RETURNED:
            times = times_returned(db, original.recipient, since=now - RETURNED_WITHIN)
            if times >= RETURNED_TOO_OFTEN:
                verdict = replace(verdict, meaning=Meaning.LOST, why=Why.RETURNED_TOO_OFTEN)
                self._give_up(db, verdict, original, read, now)
            else:
                fold(db, original.id, reply=_words(verdict), now=now, again_at=now + _AGAIN_AFTER)
        return verdict

    def _give_up(self, db: Connection, verdict: Verdict, original: Original, read: Read, now: datetime) -> None:
        """Suspend the address that a message was sent to, and tell everybody whom it concerns."""
        address = original.recipient
        done = give_up_address(
            db, address, message_id=original.id, reason=_words(verdict), fallbacks=self._fallbacks, now=now
        )
        if done is GivenUp.SUSPENDED:
            read.suspended.append(address)

    def _note_complaint(self, db: Connection, original: Original, now: datetime) -> None:
        """Do as if the reader had used the link to hear no more."""
        if opt_out_of_all(db, original.recipient, now=now):
            summary = (
                f'{original.recipient} called the mail "{original.subject}" abuse, by a report of their mail provider. '
                "They hear no more of any trial: see to it that somebody else does."
            )
            open_incident(db, f"complaint {original.id}", summary, now=now)


def directed(
    suspended: Mapping[str, Suspension], letter: Letter, address: str, fallbacks: Sequence[str]
) -> tuple[str, Letter]:
    """Return where a letter goes, and the letter, which says for whom it was meant if that is somewhere else."""
    instead = stand_in(address, suspended=suspended, fallbacks=fallbacks)
    if instead == address:
        return address, letter
    reason = one_line(suspended[address].reason, _LONGEST_REASON)
    summary = f"Meant for {address}, whom mail does not reach ({reason}). {letter.summary}"
    # Whoever stands in must not end by accident what the reader hears.
    return instead, replace(letter, summary=summary, unsubscribe_url=None, why=None, opted_out=False)


def _words(verdict: Verdict) -> str:
    """Return why a message came back: the server's words, or ours."""
    said = verdict.outcome.diagnostic or verdict.outcome.status if verdict.outcome else None
    return one_line(said or verdict.why.value.replace("_", " "), _LONGEST_REASON)
