"""Logs on standard error, for people or for programs.  Configured once, by the command that starts the process."""

import logging
import sys
from typing import Literal

import structlog


def configure_logs(level: str, form: Literal["text", "json"]) -> None:
    """Send structured logs to standard error from ``level`` on; libraries from "warning" on."""
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        # Not the default, which shows local variables: a password may be among them.
        exception_formatter=structlog.dev.plain_traceback,
    )
    if form == "json":
        renderer = structlog.processors.JSONRenderer()
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s", force=True)
    # It warns whenever a job still runs when its next turn comes, which is as it should be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # It prints a traceback for a head that was cut off; what came of that, the registry's client says itself.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
