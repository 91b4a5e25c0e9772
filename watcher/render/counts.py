"""How numbers of things are written, in mails and by commands."""


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 trial`` or ``2,000 trials``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
