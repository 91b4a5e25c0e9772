"""How a target is named where people are named: ``target:NAME``.  Pure.

A target is another place than a mailbox that hears of changes: a chat, a telephone, a program of the house's own.  In
the database the same words name the reader and the channel.
"""

MAIL = "mail"  # the channel of everybody who is not a target
TARGET = "target:"


def target_of(reader: str) -> str | None:
    """Return the name of the target that a reader is; None = the reader has a mail address."""
    return reader.removeprefix(TARGET) if reader.startswith(TARGET) else None


def channel_of(reader: str) -> str:
    """Return the name of the channel by which a reader is told."""
    return MAIL if target_of(reader) is None else reader
