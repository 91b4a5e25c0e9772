"""The tables.  Every column says what it means where its name does not.

Does not query.  The schema in force is what ``migrations/`` makes; a test holds the two against each other.
Moments are UTC.  Bodies are compressed, see ``bodies.py``.
"""

from watcher.store.tables.audience import listing, mute, opt_out, reader, route, route_scope, tag, token
from watcher.store.tables.history import acknowledgement, change, revision
from watcher.store.tables.mail import bounce, digest, message, notice, suspension
from watcher.store.tables.operations import beginning, hold, incident, lease
from watcher.store.tables.registry import release, snapshot, watch
from watcher.store.tables.types import metadata

__all__ = [
    "acknowledgement",
    "beginning",
    "bounce",
    "change",
    "digest",
    "hold",
    "incident",
    "lease",
    "listing",
    "message",
    "metadata",
    "mute",
    "notice",
    "opt_out",
    "reader",
    "release",
    "revision",
    "route",
    "route_scope",
    "snapshot",
    "suspension",
    "tag",
    "token",
    "watch",
]
