"""The settings: ``settings`` holds every option; the other modules read, judge and write them.

Imports run one way: settings → rules → sources → problems → places, changes, values.
"""

from watcher.config.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
