"""Copy a mail for further readers: what is a reader's own is put in, everything else stays as it was written.

A reader's own are the words in their links, the line that names them, the Message-ID, and the lines between the parts
that follow from it.  Words take the place of words of the same length: quoted-printable breaks its lines by counting,
so they fall where they would have fallen, also in the middle of a word.

Pure.  Does not know whether two mails differ in nothing else: ``stages/copies.py`` makes sure of that.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from watcher.render.headers import address_header
from watcher.render.mime import boundaries

_SOFT_BREAK = b"=\r\n"  # RFC 2045, section 6.7: a line of quoted-printable goes on with the next one
_PLAIN = re.compile(rb"[A-Za-z0-9_-]+")  # what every part of a mail holds as it is, HTML and headers included


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What of a mail is its reader's own."""

    recipient: str
    message_id: str  # with its angle brackets
    words: tuple[str, ...]  # of the links, in the same order for all readers; letters, digits, "-" and "_"

    def parts(self) -> list[bytes]:
        """Return the texts that stand for them, always in the same order."""
        words = [word.encode("ascii") for word in self.words]
        wrong = [word for word in words if not _PLAIN.fullmatch(word)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} cannot stand in a link as it is: it should be letters, digits, - and _")
        return [
            address_header("To", "", self.recipient),
            self.message_id.encode("ascii"),
            *(boundary.encode("ascii") for boundary in boundaries(self.message_id)),
            *words,
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """Where a part of a reader's own goes, or a piece of it, if a soft line break divides it."""

    part: int
    begins: int
    ends: int | None  # None = with the part


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A mail without what is its reader's own."""

    pieces: tuple[bytes, ...]  # one more than there are gaps, which lie between them
    gaps: tuple[_Gap, ...]
    sizes: tuple[int, ...]  # of the parts that it was made of; the first, with the address, may have another one

    def filled(self, own: Own) -> bytes:
        """Return the mail as it is for another reader.

        Raises:
            ValueError: their words are not as long or as many as those that they replace.
        """
        parts = own.parts()
        if tuple(map(len, parts[1:])) != self.sizes[1:]:
            raise ValueError(f"words of {list(map(len, parts))} bytes cannot replace words of {list(self.sizes)}")
        written = [self.pieces[0]]
        for gap, piece in zip(self.gaps, self.pieces[1:], strict=True):
            written += (parts[gap.part][gap.begins : gap.ends], piece)
        return b"".join(written)


def form_of(mime: bytes, own: Own) -> Form:
    """Return a mail without what is its reader's own, none of which may be found in what others write."""
    parts = own.parts()
    pieces, gaps, end = [], [], 0
    for found in _pattern(parts).finditer(mime):
        part, begins, place = int(found.lastgroup[1:]) if found.lastgroup else 0, 0, found.start()
        whole = found[0] == parts[part]
        for fragment in [found[0]] if whole else found[0].split(_SOFT_BREAK):
            pieces.append(mime[end:place])
            gaps.append(_Gap(part=part, begins=begins, ends=None if whole else begins + len(fragment)))
            begins, end = begins + len(fragment), place + len(fragment)
            place = end + len(_SOFT_BREAK)
    return Form(pieces=(*pieces, mime[end:]), gaps=tuple(gaps), sizes=tuple(map(len, parts)))


def _pattern(parts: Sequence[bytes]) -> re.Pattern[bytes]:
    broken = b"(?:" + re.escape(_SOFT_BREAK) + b")?"
    each = [broken.join(re.escape(bytes([byte])) for byte in part) for part in parts]
    return re.compile(b"|".join(b"(?P<p%d>%b)" % (number, one) for number, one in enumerate(each)))
