"""A reader whom the mail server does not know: the address is suspended, as it is when a mail comes back.

Only for mails, and only when the server says that there is no such mailbox; whatever else it refuses is given up, and
the operator decides.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from watcher.core.bounces import is_unknown_user, stand_in
from watcher.core.targets import MAIL
from watcher.core.text import one_line
from watcher.errors import MailError, MessageRefused
from watcher.model import Delivery, Phase
from watcher.stages.suspending import give_up_address
from watcher.store.suspensions import suspensions

_LONGEST_REASON = 200  # characters
_log = structlog.get_logger("deliver")


def is_lost(delivery: Delivery, error: MailError) -> bool:
    """Whether a server said of a mail's reader that there is no such mailbox.

    Not of a drill, which nobody else should get, nor of a mail that was perhaps taken before.
    """
    alone = delivery.message.channel == MAIL and not delivery.drill and not delivery.unanswered
    refused = isinstance(error, MessageRefused) and error.phase is Phase.RCPT
    return alone and refused and is_unknown_user(error.reply)


def give_up_reader(db: Connection, delivery: Delivery, reply: str, *, fallbacks: Sequence[str], now: datetime) -> bool:
    """Suspend the address of a mail that is being sent, and let who stands in be told what it told.

    Return False, and change nothing, when nobody is left who could stand in.
    """
    address = delivery.message.recipient
    if stand_in(address, suspended={*suspensions(db), address}, fallbacks=fallbacks) == address:
        return False
    give_up_address(
        db,
        address,
        message_id=delivery.message.id,
        reason=one_line(reply, _LONGEST_REASON),
        what="is refused",
        under_way=True,
        fallbacks=fallbacks,
        now=now,
    )
    _log.error("address suspended", message=delivery.message.id, reply=reply)
    return True
