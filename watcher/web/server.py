"""Listens beside the daemon's jobs: a server in a thread of its own, with an event loop of its own.

Hears no signals: the daemon stops it.  A place that cannot be listened on is told to the operator and tried again; it
does not end the daemon.  The libraries are imported when there is something to serve.
"""

import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from watcher.store.incidents import close_incident, open_incident, open_incidents

if TYPE_CHECKING:
    import uvicorn

    from watcher.app import Application
    from watcher.web.pages import AtWork

WEB_INCIDENT = "web"
_GRACE = timedelta(seconds=2)  # for requests that are being answered
_MOST_AT_ONCE = 64  # connections; what is more is answered 503
_LONGEST_HEAD = 16 * 1024  # bytes of a request line and headers
_WAITING = 128  # connections that the system keeps until they are taken
_log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Serving:
    settings: object  # those that the pages depend on
    listen: str
    server: "uvicorn.Server"
    thread: threading.Thread


class WebServer:
    """Serves as the settings in force say."""

    def __init__(self, at_work: "AtWork") -> None:
        """Take what gives the application in force.  Nothing listens before ``follow``."""
        self._at_work = at_work
        self._lock = threading.Lock()
        self._serving: _Serving | None = None
        self._stopped = False
        self._is_noted = False  # that nothing is wrong: an incident may be open from the process before

    @property
    def listens_on(self) -> str | None:
        """Where it listens; None = nowhere."""
        return self._serving.listen if self._serving and self._serving.thread.is_alive() else None

    def follow(self) -> None:
        """Listen where the settings in force say, or not at all; what is so already is left alone."""
        with self._lock, self._at_work() as app:
            if self._stopped:
                return
            web = app.settings.web
            wanted = (web, app.settings.templates) if web.public_url else None
            if wanted is None:
                self._end()
                self._note(app, None)
            elif self._serving is None or self._serving.settings != wanted or self.listens_on is None:
                self._begin(app, wanted)

    def stop(self) -> None:
        """Stop for good; what is being answered gets a moment."""
        with self._lock:
            self._stopped = True
            self._end()

    def _begin(self, app: "Application", wanted: object) -> None:
        listen = app.settings.web.listen
        if self.listens_on == listen:
            self._end()  # the place is ours, and is needed again
        try:
            place = _bound(listen)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            _log.error("the pages cannot be served; it is tried again", listen=listen, error=why)
            self._note(app, f"The pages that mails link to cannot be served on {listen}: {why}.")
            return
        self._end()
        self._serving = self._started(place, listen, wanted)
        self._note(app, None)
        _log.info("serving pages", listen=listen, public_url=app.settings.web.public_url)

    def _started(self, place: socket.socket, listen: str, wanted: object) -> _Serving:
        import uvicorn

        from watcher.web.pages import make_pages

        config = uvicorn.Config(
            make_pages(self._at_work),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,  # and none for requests: their paths hold tokens
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
            timeout_graceful_shutdown=int(_GRACE.total_seconds()),
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, name="web", daemon=True)
        thread.start()
        return _Serving(settings=wanted, listen=listen, server=server, thread=thread)

    def _end(self) -> None:
        if self._serving is None:
            return
        self._serving.server.should_exit = True
        self._serving.thread.join((2 * _GRACE).total_seconds())
        if self._serving.thread.is_alive():
            _log.warning("the pages are still being served; they end with the process")
        self._serving = None

    def _note(self, app: "Application", trouble: str | None) -> None:
        if trouble is None and (self._is_noted or not self._is_told(app)):
            self._is_noted = True
            return
        with app.database.writing() as db:
            if trouble is None:
                close_incident(db, WEB_INCIDENT, now=app.now())
            else:
                open_incident(db, WEB_INCIDENT, trouble, now=app.now())
        self._is_noted = trouble is None

    def _is_told(self, app: "Application") -> bool:
        with app.database.reading() as db:
            return any(incident.key == WEB_INCIDENT for incident in open_incidents(db))


def _bound(listen: str) -> socket.socket:
    parts = urlsplit(f"http://{listen}")
    family, kind, protocol, _, address = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)[0]
    place = socket.socket(family, kind, protocol)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart waits for connections that ended
        place.bind(address)
        place.listen(_WAITING)  # from here on, requests wait for the server
    except OSError:
        place.close()
        raise
    return place
