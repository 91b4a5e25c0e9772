"""Text from a record on one line of ours.  Pure."""

import unicodedata

# Unicode's categories of control and format characters (bidirectional marks too), surrogates, and line separators.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def one_line(text: str, limit: int | None = None) -> str:
    """Return ``text`` without line breaks and invisible characters, and cut to ``limit`` characters if it is given."""
    # What Python calls printable has none of the unseen characters, and nearly all texts are so.
    visible = text if text.isprintable() else "".join(map(_seen, text))
    line = " ".join(visible.split())
    if limit is None or len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def _seen(character: str) -> str:
    return " " if unicodedata.category(character) in UNSEEN else character
