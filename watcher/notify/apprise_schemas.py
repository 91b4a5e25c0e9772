"""Which of Apprise's services are not offered, and why.  Pure, and without Apprise, which takes seconds to import.

Apprise reaches some two hundred services.  Left out is what has no service at its other end: a desktop or a device of
the machine that runs this program, its log, and files.  ``docs/webhooks.md`` shows the list.
"""

import re

_SCHEME = re.compile(r"([a-z0-9]+)://", re.IGNORECASE)
_THIS_MACHINE = "it shows messages on the desktop, or a device, of the machine that runs trialwatch"
_NO_SERVICE = "it names a file or a program, not a service"
_LOG = "it writes to a log, which nobody reads as mail; trialwatch has its own log"

NOT_OFFERED = {
    **dict.fromkeys(("dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows", "blink1"), _THIS_MACHINE),
    **dict.fromkeys(("file", "exec", "cmd", "shell", "python", "memory"), _NO_SERVICE),
    **dict.fromkeys(("syslog", "rsyslog"), _LOG),
}


def scheme_of(url: str) -> str | None:
    """Return what a URL begins with, in lower case; None = it is no URL."""
    begins = _SCHEME.match(url.strip())
    return begins[1].lower() if begins else None


def why_not_offered(scheme: str) -> str | None:
    """Return why a service is not offered; None = it is, if Apprise knows it."""
    return NOT_OFFERED.get(scheme)
