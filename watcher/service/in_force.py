"""The application in force, and those that it replaced while somebody was at work with them.

New settings mean a new application.  The old one is closed when nobody works with it any more; until then both do.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog

from watcher.app import Application
from watcher.errors import SettingsError, StoreError

_log = structlog.get_logger("service")

Reopen = Callable[[], Application]


@dataclass(slots=True)
class Term:
    """One application's time in force, and what the checks have to know of the last one."""

    app: Application
    next_check: float  # on the monotonic clock
    listed: frozenset[str] = frozenset()  # trials that were on a list when the last check began
    users: int = 0  # jobs that are at work with it


class InForce:
    """Gives the application in force to whoever works with it.  Threads may share it."""

    def __init__(self, app: Application, reopen: Reopen) -> None:
        """Put an application in force.

        Args:
            app: opened; the process's end closes it.
            reopen: reads the settings again and opens an application on them, best on the same open database; raises
                what that raises.
        """
        self._term = Term(app=app, next_check=app.monotonic())
        self._reopen = reopen
        self._lock = threading.Lock()  # of all that follows, of the term, and of the terms' users
        self._retired: list[Term] = []

    @property
    def app(self) -> Application:
        """The application in force, to ask it for its clocks and settings; to work with it, see ``at_work``."""
        return self._term.app

    @contextmanager
    def at_work(self) -> Iterator[Term]:
        """Give the term of the application in force, and keep that open until the block ends."""
        with self._lock:
            term = self._term
            term.users += 1
        try:
            yield term
        finally:
            with self._lock:
                term.users -= 1
                self._close_retired()

    def reload(self) -> None:
        """Put an application on the settings as they are now in force; log why not, if they are wrong."""
        old = self.app
        try:
            fresh = self._reopened(old)
        except (SettingsError, StoreError) as error:
            _log.error("new settings refused, the old ones stay in force", problems=str(error).splitlines())
            return
        with self._lock:
            self._retired.append(self._term)
            self._term = Term(app=fresh, next_check=fresh.monotonic())
            self._close_retired()
        _log.info("settings reloaded", mail=fresh.channel.name)

    def stop(self) -> None:
        """Stop every job where it stands."""
        with self._lock:
            apps = [term.app for term in (*self._retired, self._term)]
        for app in apps:
            app.stop.set()
            app.connection.abort()

    def _reopened(self, old: Application) -> Application:
        """Return an application on the new settings, its watch lists declared; or close it, and raise why not."""
        fresh = self._reopen()
        with ExitStack() as refused:
            refused.callback(_close, fresh, keep=old)
            if fresh.settings.database.url != old.settings.database.url:
                raise SettingsError(["database.url: it was changed; restart the service to work on another database"])
            fresh.declare_lists()
            refused.pop_all()
        return fresh

    def _close_retired(self) -> None:
        for term in [term for term in self._retired if term.users == 0]:
            self._retired.remove(term)
            _close(term.app, keep=self.app)


def _close(app: Application, *, keep: Application) -> None:
    """Close an application, but not what it shares with another."""
    app.connection.close()
    if app.database is not keep.database:
        app.database.close()
