"""The daemon: ``daemon`` wakes the ``jobs`` and hears signals; ``in_force`` holds the application that they work with.

What is due stands in the database; a wake-up that comes late, or twice, changes nothing.
"""

from watcher.service.daemon import Service, end_process, serve

__all__ = ["Service", "end_process", "serve"]
