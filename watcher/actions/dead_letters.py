"""What is in the outbox, and what the operator decides about messages that were given up.

Changes rows only: whoever delivers finds them, the service within a minute or the next `trialwatch check`.
"""

from watcher.app import Application
from watcher.errors import SettingsError
from watcher.store import dead_letters, outbox
from watcher.store.outbox import Unfinished


def messages_of(app: Application, *, everything: bool) -> list[Unfinished]:
    """Return what waits, is uncertain or was given up, oldest first; ``everything``: also what is done."""
    with app.database.reading() as db:
        return outbox.all_messages(db) if everything else outbox.unfinished(db)


def line_of(one: Unfinished) -> str:
    """Return a message's state for people."""
    tried = f"tried {one.attempts} times, as far as {one.phase}" if one.phase else "not tried yet"
    reply = f": {one.reply}" if one.reply else ""
    return f"{one.id}  {one.state:<9}  {one.composed_at:%Y-%m-%d %H:%M} UTC  to {one.recipient}  {tried}{reply}"


def as_json(one: Unfinished) -> dict[str, object]:
    """Return a message's state for programs."""
    return {
        "kind": "message",
        "id": one.id,
        "channel": one.channel,
        "to": one.recipient,
        "subject": one.subject,
        "state": one.state,
        "phase": one.phase,
        "attempts": one.attempts,
        "composed_at": one.composed_at.isoformat(),
        "next_attempt_at": one.next_attempt_at.isoformat(),
        "reply": one.reply,
    }


def try_again(app: Application, beginning: str) -> str:
    """Put a message that was given up back into the queue, and return its ID.

    Raises:
        SettingsError: none, or more than one, begins so.
    """
    with app.database.writing() as db:
        message_id = _only(dead_letters.given_up(db, beginning), beginning)
        dead_letters.try_again(db, message_id, now=app.now())
    return message_id


def dismiss(app: Application, beginning: str) -> str:
    """Let nothing be done about a message that was given up, and return its ID.

    Raises:
        SettingsError: none, or more than one, begins so.
    """
    with app.database.writing() as db:
        message_id = _only(dead_letters.given_up(db, beginning), beginning)
        dead_letters.dismiss(db, message_id, now=app.now())
    return message_id


def _only(found: list[str], beginning: str) -> str:
    if len(found) == 1 and beginning:
        return found[0]
    if not found:
        raise SettingsError([f"{beginning}: no message that was given up begins so; `trialwatch outbox` lists them"])
    raise SettingsError([f"{beginning or 'nothing'}: {len(found)} messages begin so; give more of the ID"])
