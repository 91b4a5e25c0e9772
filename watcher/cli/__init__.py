"""The commands: parse, call, print.  No rule lives here.

Heavy imports wait until a command needs them, all in ``wiring.py``, so that ``--help`` answers at once.
"""

import sys

from watcher.cli.root import app
from watcher.cli.wiring import reported, speak_any_encoding

__all__ = ["main"]


def main() -> None:
    """Run the command line; the exit codes are those of ``ExitCode``."""
    speak_any_encoding()
    sys.exit(reported(lambda: app(prog_name="trialwatch")))
