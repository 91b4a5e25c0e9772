"""The pages that links in mails lead to, from ``templates/web/``.

Undefined names are errors, HTML is escaped, and an administrator's broken template gives way to the built-in one, as
in mails.  Does not know who asks, or for what.
"""

import threading
from collections.abc import Mapping

import structlog

from watcher.render.templates import TemplateFailed, Templates

_log = structlog.get_logger("web")


class Pages:
    """Renders pages; threads may share it."""

    def __init__(self, own: Templates, built_in: Templates) -> None:
        """Take the administrator's templates, and the ones to fall back to."""
        self._own = own
        self._built_in = built_in
        self._lock = threading.Lock()  # a bounded environment renders one template at a time

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """Return ``web/<name>.html`` with these facts.

        Raises:
            TemplateFailed: the built-in template fails as well.
        """
        with self._lock:
            try:
                return self._own.page(f"web/{name}.html", facts)
            except TemplateFailed as error:
                _log.error("the built-in template is used instead", error=str(error))
                return self._built_in.page(f"web/{name}.html", facts)

    def style(self) -> str:
        """Return the style sheet."""
        with self._lock:
            try:
                return self._own.page("web/style.css", {})
            except TemplateFailed as error:
                _log.error("the built-in style sheet is used instead", error=str(error))
                return self._built_in.page("web/style.css", {})
