"""Text from a record on one line of ours.  Pure."""

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format (bidirectional marks too), surrogates, separators


def one_line(text: str, limit: int | None = None) -> str:
    """Return ``text`` without line breaks and invisible characters, and cut to ``limit`` characters if it is given."""
    # What Python calls printable has none of the unseen characters, and nearly all texts are so.
    visible = text if text.isprintable() else "".join(map(_seen, text))
    line = " ".join(visible.split())
    if limit is None or len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def _seen(character: str) -> str:
    return " " if unicodedata.category(character) in _UNSEEN else character
