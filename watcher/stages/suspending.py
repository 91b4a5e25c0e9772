"""Suspend an address that mail does not reach, with all that follows, in one transaction.

The operator is told, the others who hear of the same trials are told, and what the mail told goes to the fall-back
reader, as does all that is meant for the address from then on.

Does not decide that an address is lost: a report does (``bounces.py``), or the mail server that was to take a mail.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from watcher.core.bounces import stand_in
from watcher.model import NoticeKind
from watcher.store.incidents import open_incident
from watcher.store.noting import notify_readers
from watcher.store.suspensions import (
    fold,
    fold_stranded,
    is_loss_told,
    suspend,
    suspension_incident,
    suspensions,
    trials_told,
)


class GivenUp(StrEnum):
    """What became of an address that a message does not reach."""

    SUSPENDED = "suspended"
    KNOWN = "known"  # it was suspended before
    NOBODY_LEFT = "nobody_left"  # it stays in use: what would be kept back would reach nobody either


def give_up_address(
    db: Connection,
    address: str,
    *,
    message_id: str,
    reason: str,
    what: str = "comes back",
    under_way: bool = False,
    fallbacks: Sequence[str],
    now: datetime,
) -> GivenUp:
    """Suspend the address that a message was sent to, and tell everybody whom it concerns.

    Args:
        db: a transaction.
        address: of the mailbox.
        message_id: of the outbox; waiting, or taken by a server that sent it back.
        reason: the receiving server's words, on one line.
        what: becomes of mail to the address, in words.
        under_way: whether the message is being sent, by the caller.
        fallbacks: who gets the mail that does not reach its reader, the best first.
        now: the moment.
    """
    instead = stand_in(address, suspended={*suspensions(db), address}, fallbacks=fallbacks)
    if instead == address:
        summary = f"Mail to {address} {what} ({reason}), and there is nobody else to send it to."
        open_incident(db, suspension_incident(address), summary, now=now)
        return GivenUp.NOBODY_LEFT
    told = trials_told(db, message_id)
    is_new = suspend(db, address, reason=reason, message_id=message_id, now=now)
    if is_new:
        summary = (
            f"Mail to {address} {what} ({reason}); it goes to {instead} from now on. When the address works "
            f"again: trialwatch resume {address}"
        )
        open_incident(db, suspension_incident(address), summary, now=now)
    since = suspensions(db)[address].since
    fold(db, message_id, reply=reason, now=now, under_way=under_way)
    fold_stranded(db, now=now)
    for nct_id in told:
        if not is_loss_told(db, nct_id, address, since=since):
            notify_readers(db, nct_id, NoticeKind.READER_LOST, now=now, detail=address, but=address)
    return GivenUp.SUSPENDED if is_new else GivenUp.KNOWN
