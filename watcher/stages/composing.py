"""Compose: windows become messages in the outbox, many in one transaction; all of them, or none.

    read      what each window holds, and what letters depend on of its reader; readers who hear the same get one letter
    write     outside any transaction: the letter with each reader's own words, see ``copies.py``
    record    windows, messages and tokens together, or nothing, if another instance has taken any of it

Does not decide which windows are due, and does not hold others up for one that fails: ``digest.py`` does.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog
from sqlalchemy import Connection

from watcher.core.fields import FieldTable
from watcher.errors import OvertakenError
from watcher.render.letters import Letter
from watcher.render.links import Links
from watcher.stages.all_clear import EndedWeek, letter_of_week
from watcher.stages.bounces import directed
from watcher.stages.content import Content
from watcher.stages.copies import Copies
from watcher.stages.linking import Drawn, Linker
from watcher.stages.writing import Outgoing
from watcher.store.database import Database
from watcher.store.folding import Waiting, all_times_folded, all_waiting_digests
from watcher.store.incidents import close_incident, open_incident, open_incidents
from watcher.store.notices import CHANGES, Window, all_notices_in
from watcher.store.suspensions import suspensions
from watcher.store.telling import Told, add_digests
from watcher.store.tokens import add_tokens

WINDOW_INCIDENT = "digest "  # with a window's sum: its mail cannot be written
_TEMPLATE_INCIDENT = "template "  # with the kind of mail that it is for
_log = structlog.get_logger("digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addressed:
    """A letter, and to whom it goes."""

    window: Window
    letter: Letter
    recipient: str  # the window's reader, or who stands in
    drawn: Sequence[Drawn]
    identity: str
    notice_ids: Sequence[int] = ()
    taking: Sequence[Waiting] = ()


class Composer:
    """Composes what it is told to."""

    def __init__(
        self, database: Database, table: FieldTable, *, fallbacks: tuple[str, ...], links: Links | None
    ) -> None:
        """Wire it.

        Args:
            database: holds notices and the outbox.
            table: what fields are called.
            fallbacks: who gets the mail that does not reach its reader, the best first.
            links: that mails hold; None = there are no pages to lead to.
        """
        self._database = database
        self._table = table
        self._fallbacks = fallbacks
        self._links = links

    def compose(self, windows: Sequence[Window], copies: Copies, *, now: datetime) -> list[str]:
        """Compose one message for each of some windows, each of another reader or subject matter; return their IDs.

        Raises:
            OvertakenError: another instance has told one of them; nothing was written.
        """
        with self._database.reading() as db:
            addressed = self._gathered(db, windows, now)
        return self._recorded(addressed, copies, now)

    def compose_all_clear(self, ended: EndedWeek, copies: Copies, *, now: datetime) -> list[str]:
        """Compose an all-clear.

        Raises:
            OvertakenError: another instance has.
        """
        window, linker = ended.window, Linker(links=self._links)
        with self._database.reading() as db:
            content = Content(db=db, table=self._table, linker=linker)
            letter = letter_of_week(db, ended, content.coverage(window.address), now=now)
            letter = content.subscribed(letter, window.address, ())
            recipient, letter = directed(suspensions(db), letter, window.address, self._fallbacks)
        drawn = linker.drawn_for(letter, recipient)
        identity = _identity(recipient, window)
        one = _Addressed(window=window, letter=letter, recipient=recipient, drawn=drawn, identity=identity)
        return self._recorded([one], copies, now)

    def _gathered(self, db: Connection, windows: Sequence[Window], now: datetime) -> list[_Addressed]:
        addresses = {window.address for window in windows}
        linker = Linker(links=self._links)
        content = Content(db=db, table=self._table, linker=linker)
        content.know(addresses)
        suspended = suspensions(db)
        folded, waiting = all_times_folded(db, addresses), all_waiting_digests(db, addresses, now=now)
        addressed = []
        for window, notices in zip(windows, all_notices_in(db, windows, now=now), strict=True):
            if not notices:
                raise OvertakenError(f"the digest for {window.address} was composed by another instance in between")
            # What waits of joining and leaving is not put together: who joined and left since would read both.
            of_changes = window.subject_matter == CHANGES
            taking = waiting.get((window.address, window.subject_matter), []) if of_changes else []
            told = [*(notice for one in taking for notice in one.notices), *notices]
            letter = content.letter(window.address, told, of_changes=of_changes, now=now)
            recipient, letter = directed(suspended, letter, window.address, self._fallbacks)
            again = folded[window.address, window.subject_matter, window.closes_at]
            addressed.append(
                _Addressed(
                    window=window,
                    letter=letter,
                    recipient=recipient,
                    drawn=linker.drawn_for(letter, recipient),
                    identity=_identity(recipient, window, notices[0].id, *([again] if again else [])),
                    notice_ids=[notice.id for notice in notices],
                    taking=taking,
                )
            )
        return addressed

    def _recorded(self, addressed: Sequence[_Addressed], copies: Copies, now: datetime) -> list[str]:
        """Write the messages, and record them."""
        written = []
        for one in addressed:
            words = {each.stand_in: each.word for each in one.drawn}
            written.append(copies.write(one.letter, one.recipient, identity=one.identity, words=words))
        told = [
            Told(
                window=one.window,
                notice_ids=one.notice_ids,
                message=outgoing.message,
                sizes=outgoing.sizes,
                taking=one.taking,
            )
            for one, outgoing in zip(addressed, written, strict=True)
        ]
        with self._database.writing() as db:
            add_digests(db, told, now=now)
            add_tokens(db, [(each.word, each.grant) for one in addressed for each in one.drawn], now=now)
            _settle_incidents(db, addressed, written, now)
        matters = Counter(one.window.subject_matter for one in addressed)
        _log.info("composed", messages=len(told), notices=sum(len(one.notice_ids) for one in addressed), **matters)
        return [one.message.id for one in told]


def incident_of(window: Window) -> str:
    """Return what it is filed under that a window's mail cannot be written."""
    # Each window has its own: a later digest that succeeds says nothing of the one that does not.
    window_key = f"{window.address}|{window.subject_matter}|{window.closes_at.isoformat()}"
    return f"{WINDOW_INCIDENT}{sha256(window_key.encode()).hexdigest()[:32]}"


def note_template(db: Connection, outgoing: Outgoing, *, now: datetime) -> None:
    """Tell the operator that a template of theirs is broken, once; and notice that it is mended."""
    key = _TEMPLATE_INCIDENT + outgoing.template
    if outgoing.failed is None:
        close_incident(db, key, now=now)
    else:
        open_incident(db, key, f"Your {outgoing.failed}. The built-in template is used instead.", now=now)


def _settle_incidents(
    db: Connection, addressed: Sequence[_Addressed], written: Sequence[Outgoing], now: datetime
) -> None:
    if any(one.key.startswith(WINDOW_INCIDENT) for one in open_incidents(db)):
        for one in addressed:
            close_incident(db, incident_of(one.window), now=now)
    for outgoing in {one.template: one for one in written}.values():
        note_template(db, outgoing, now=now)


def _identity(recipient: str, window: Window, *more: int) -> str:
    """Return what tells a window's message from all others: the same when it is composed again.

    Args:
        recipient: whom it goes to.
        window: which.
        more: its first notice, and how many of its messages were folded, if any: the next one is another message.
    """
    parts = (recipient, window.subject_matter, window.closes_at.isoformat(), *map(str, more))
    return "|".join(parts)
