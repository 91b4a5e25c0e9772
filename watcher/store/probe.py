"""Can anything be recorded now?  The service sends nothing while it cannot, and no mail can say so.

Writes, and takes it back in the same transaction: a disk that is full, or that fails, shows that only when it is
written to.  Waits its turn as every transaction does; that others write for too long is not what is looked for.
"""

from datetime import datetime

from sqlalchemy import delete, insert

from watcher.errors import StoreError
from watcher.store.database import Database
from watcher.store.tables import lease

_PROBE = "probe"  # not the name under which the work is leased


def why_not_recordable(database: Database, *, now: datetime) -> str | None:
    """Return why nothing can be recorded now; None = it can."""
    row = {"name": _PROBE, "token": _PROBE, "host": _PROBE, "pid": 0, "acquired_at": now, "expires_at": now}
    try:
        with database.writing() as db:
            db.execute(insert(lease).values(row))
            db.execute(delete(lease).where(lease.c.name == _PROBE))
    except StoreError as error:
        return None if "locked" in str(error) else str(error)
    return None
