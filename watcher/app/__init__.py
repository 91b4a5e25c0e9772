"""The composition root: from settings to a wired application on an open database."""

from watcher.app.application import Application
from watcher.app.stop import Stopped, StopSignal
from watcher.app.wiring import links_of, open_application

__all__ = ["Application", "StopSignal", "Stopped", "links_of", "open_application"]
