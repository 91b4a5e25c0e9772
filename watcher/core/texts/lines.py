"""Take a long text of a record apart: its lines, what each begins with, its words as a reader should see them.  Pure.

The API writes long texts as Markdown: ``* `` and ``1. `` for lists, indentation for lists within lists, and a
backslash before whatever could be taken for markup (``\\>``, ``\\[``).  The registry's record history writes HTML.
Both are read here, no more of either than occurs in records; nothing is rendered.

Does not compare and does not judge.  What stands in the record is kept but for escapes, entities, markup, white space
and characters that cannot be seen.

Sources: the registry's records as the API v2 serves them; CommonMark 0.31 section 2.4 (backslash escapes).
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

BULLET = "•"  # what stands for a list's marker where a text is shown on one line

_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_TAG = re.compile(r"(?<!\\)<(/?)(p|br|ul|ol|li|div|span|b|i|u|em|strong|sup|sub)\s*/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_ROMAN = r"(?:[ivx]{1,5}|[IVX]{2,5})"
# A capital letter with a full stop may be a genus (E. coli): a list's letter is followed by another capital.
_MARKER = re.compile(
    rf"""(?P<sign>[*•◦▪■●○·∙‣➢➤✓]+|--+|[-–—]|°(?=\s?[A-Z]))(?:\s+|(?=[^\W\d_]))
    | (?P<number>\(?\d{{1,2}}\)|\d{{1,2}}(?:\.\d{{1,2}}){{0,2}}\.)(?:\s+|(?=[^\W\d_]))
    | (?P<circled>[①-⑳])\s*
    | (?P<letter>\(?(?:[A-Za-z]|{_ROMAN})\)|(?:[a-z]|{_ROMAN})\.)\s+
    | (?P<capital>[A-Z]\.)\s+(?=[A-Z≥≤<>\d])
    | (?P<o>o)\s+(?=[A-Z])""",
    re.VERBOSE,
)
_RULE = "*•◦▪■●○·-–—_=. "  # a line of these says nothing
_DEEPEST_LIST = 20
_MOST_MARKERS = 3  # "* 1. a) words": a number typed by hand after the registry's own bullet


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line with words on it."""

    indent: int  # columns before the marker or the first word
    marker: str | None  # the bullet or number before the words, as it was written; None = a line of plain text
    words: str  # as a reader should see them, without the marker; not empty


def lines_of(text: str) -> tuple[Line, ...]:
    """Return the lines of a text that have words on them; a bullet or a rule alone is no line, a number is."""
    if _TAG.search(text):
        text = _without_tags(text)
    return tuple(line for raw in text.splitlines() if (line := _line(raw)) is not None)


def readable(text: str) -> str:
    """Return a text on one line as a reader should see it, with the same bullet for whatever began a list item."""
    return " ".join(f"{BULLET} {line.words}" if line.marker else line.words for line in lines_of(text))


def _line(raw: str) -> Line | None:
    seen = words = _seen(raw)
    markers: list[str] = []
    while len(markers) < _MOST_MARKERS and (match := _MARKER.match(words)):
        markers.append(match[0].strip())
        words = words[match.end() :]
    if not any(map(str.isalnum, words)):
        markers, words = [], seen  # what looked like a marker is all that the line says: "1.", "- ++"
    if not words.strip(_RULE):
        return None
    columns = raw.expandtabs(4)
    return Line(indent=len(columns) - len(columns.lstrip()), marker=" ".join(markers) or None, words=words)


def _seen(raw: str) -> str:
    """Return one line without escapes, entities, invisible characters and white space that says nothing."""
    words = raw
    if "\\" in words:
        words = _ESCAPE.sub(r"\1", words)
    if "&" in words:
        # Twice, because records have entities within entities; only with the semicolon: "R&D" is none.
        words = _ENTITY.sub(_character, _ENTITY.sub(_character, words))
    if not words.isprintable():
        words = "".join(char for char in words if char.isspace() or unicodedata.category(char) not in _UNSEEN)
    return " ".join(words.split())


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


def _without_tags(text: str) -> str:
    """Return HTML as the Markdown that would say the same."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    depth, end = 0, 0
    for tag in _TAG.finditer(text):
        yield text[end : tag.start()]
        end = tag.end()
        closes, name = bool(tag[1]), tag[2].lower()
        if name in {"ul", "ol"}:
            depth = min(max(depth + (-1 if closes else 1), 0), _DEEPEST_LIST)
            yield "\n"
        elif name == "li" and not closes:
            yield "\n" + "  " * max(depth - 1, 0) + "* "
        elif name in {"p", "br", "div", "li"}:
            yield "\n"
        elif name == "sup" and not closes:
            yield "^"
    yield text[end:]
