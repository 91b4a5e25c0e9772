"""What trouble with messages and channels is filed under, so that the operator hears of each once."""

from hashlib import sha256

from watcher.core.targets import MAIL
from watcher.model import Delivery
from watcher.store.dead_letters import DEAD_LETTER, dead_letter

CHANNEL_INCIDENT = "mail server"  # is down
_REFUSAL_INCIDENT = "mail server refuses us"  # until somebody changes something
TARGET_INCIDENT = "down "  # with the name of a target
_TARGET_REFUSAL = "refuses us "  # the same
OPERATOR_INCIDENT = "mail to the operator"
JOURNAL_INCIDENT = "journal"  # cannot be asked
JOURNAL_REFUSAL = "journal is not taken"  # as a second recipient, by the mail server
DELAYED = "delayed "  # with the sum of an address
_LONGEST = 100  # characters that a key may have


def is_about_mail(key: str) -> bool:
    """Whether an incident is about mails that do not get through, so that no mail may be able to tell of it."""
    channels = (CHANNEL_INCIDENT, TARGET_INCIDENT, _TARGET_REFUSAL, JOURNAL_INCIDENT)
    return key.startswith((*channels, OPERATOR_INCIDENT, DEAD_LETTER, DELAYED))


def trouble_of(channel: str, *, refused: bool) -> str:
    """Return what a channel's own trouble is filed under: it is down, or it refuses us."""
    if channel == MAIL:
        return _REFUSAL_INCIDENT if refused else CHANNEL_INCIDENT
    return _fitting(_TARGET_REFUSAL if refused else TARGET_INCIDENT, channel)


def delayed(recipient: str) -> str:
    """Return what mail to one person that is delayed for days is filed under, however many mails that are."""
    return DELAYED + sha256(recipient.encode()).hexdigest()[:32]


def incident_of(delivery: Delivery, operator: str) -> str:
    """Return what the trouble with a message is filed under.

    A letter to the operator that fails is told to the operator: once, or each failure would lead to the next letter.
    """
    message = delivery.message
    if message.channel != MAIL and delivery.digest_id is None:
        return _fitting(f"{OPERATOR_INCIDENT}, ", message.channel)
    return OPERATOR_INCIDENT if message.recipient == operator else dead_letter(message.id)


def _fitting(beginning: str, name: str) -> str:
    key = beginning + name
    return key if len(key) <= _LONGEST else beginning + sha256(name.encode()).hexdigest()
