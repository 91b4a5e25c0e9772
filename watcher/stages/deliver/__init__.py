"""Deliver: hand the outbox's messages over, one at a time on each channel, and record what became of each.

The order of events is the promise.  A message is marked before it is touched; the final dot is recorded before it is
written; the receipt is recorded after it was read.  Whatever dies in between, the row says what is known.

    stage      every channel has a turn of its own; recovery
    line       one channel: its sessions, its pauses, who is to blame
    records    writes what became of a message
    trouble    writes what is wrong with a channel as a whole
    doubts     messages that were perhaps taken: the journal is asked
    incidents  what trouble is filed under

Does not compose, and holds no transaction open while it talks to a server.
"""

from watcher.stages.deliver.handed import Conditions, Handed, Patience
from watcher.stages.deliver.incidents import (
    CHANNEL_INCIDENT,
    JOURNAL_INCIDENT,
    OPERATOR_INCIDENT,
    TARGET_INCIDENT,
    is_about_mail,
)
from watcher.stages.deliver.stage import Deliver

__all__ = [
    "CHANNEL_INCIDENT",
    "JOURNAL_INCIDENT",
    "OPERATOR_INCIDENT",
    "TARGET_INCIDENT",
    "Conditions",
    "Deliver",
    "Handed",
    "Patience",
    "is_about_mail",
]
