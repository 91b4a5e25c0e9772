"""Write the header lines of a mail so that no text, whatever it holds, can become more than one header.

Pure: text in, bytes out.  Does not know which headers a mail needs (``mime.py``), and does not check that an address
exists or takes mail.  Nothing here goes through ``EmailMessage``: on Python before 3.11.10 and 3.12.5 it turns an
encoded word that hides a line end into a new header (CVE-2024-6923), and on any version it changes the spacing of
subjects that mix scripts.

Sources: RFC 5322 (lines, addresses), RFC 2047 (encoded words), RFC 5890 (domain names), RFC 6857 section 3 (addresses
that ASCII cannot write), Unicode 15 DerivedCoreProperties (Default_Ignorable_Code_Point).
"""

import re
import unicodedata
from email.header import Header

from watcher.core.domains import a_labels
from watcher.core.text import UNSEEN

TEXT_LIMIT = 200  # characters of one cleaned text; what is cut off ends in an ellipsis
LINE_AIM = 76  # octets of a line that is written as it is, without its line end
LINE_LIMIT = 998  # octets: RFC 5322 section 2.1.1
ENCODED_LINE = 74  # octets: leaves room for the space that begins a folded line

# Beside what has a category of the unseen, among it the bidirectional controls, which make "gpj.exe" read "exe.jpg".
_INVISIBLE_OTHERS = frozenset(
    [
        *map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0)),
        *map(chr, range(0x180B, 0x1810)),
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xFFF0, 0xFFF9)),
        *map(chr, range(0xE0000, 0xE1000)),
    ]
)
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_ATOMS = re.compile(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")
_PRINTABLE_ASCII = re.compile(r"[ -~]*")
_ASCII_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_LOCAL_SPECIALS = frozenset('()<>[]:;@\\,"')


def clean_header_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return ``text`` as one visible line of at most ``limit`` characters.

    White space of any kind, line ends included, becomes single spaces; what cannot be seen is dropped; ``=?``, which
    begins an encoded word, is broken up, so that no reader decodes what a registry's text only pretends to be.
    Cleaning twice changes nothing more.

    Args:
        text: anything, also with halves of surrogate pairs.
        limit: characters, more than zero; a longer text ends in an ellipsis, which counts.
    """
    visible = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _is_invisible(char))
    line = " ".join(visible.split()).replace("=?", "= ?")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def header_line(name: str, text: str) -> bytes:
    """Write one header of free text, cleaned, encoded where it must be, with its CRLF.

    Raises:
        ValueError: ``name`` is no header name: a bug in the caller.
    """
    _check_name(name)
    cleaned = clean_header_text(text)
    if not cleaned:
        return f"{name}:\r\n".encode("ascii")
    if cleaned.isascii() and len(name) + 2 + len(cleaned) <= LINE_AIM:
        return f"{name}: {cleaned}\r\n".encode("ascii")
    return f"{name}: {_encoded_words(name, cleaned)}\r\n".encode("ascii")


def structured_header(name: str, value: str) -> bytes:
    """Write one header whose value has a grammar of its own, as it is and on a single line.

    Identifiers, dates and links may be neither encoded nor, for the sake of signatures on their way, folded.

    Raises:
        ValueError: not printable ASCII, or too long for a line: such a value must not have got here.
    """
    _check_name(name)
    if not value.strip(" ") or not _PRINTABLE_ASCII.fullmatch(value):
        raise ValueError(
            f"header {name}: {value!r} is not printable ASCII; it would need to be, to be written as it is"
        )
    line = f"{name}: {value}"
    if len(line) > LINE_LIMIT:
        raise ValueError(f"header {name}: {len(line)} octets; a line may have {LINE_LIMIT}")
    return f"{line}\r\n".encode("ascii")


def address_header(name: str, display_name: str, address: str) -> bytes:
    """Write one header that names one mailbox.

    An address whose local part is not ASCII cannot be written in a 7-bit header; a group without members, named like
    the address, stands in its place, which shows it to the reader (RFC 6857, section 3.2.1).

    Args:
        display_name: any text; empty = none.
        address: ``local@domain``; a domain in another script is written as its A-label.

    Raises:
        ValueError: no such address can be written: control characters, spaces, quotes, no domain.
    """
    _check_name(name)
    mailbox = ascii_domain(address)
    if not mailbox.isascii():
        return f"{name}: {_encoded_words(name, mailbox)} :;\r\n".encode("ascii")
    phrase = _phrase(name, display_name)
    if not phrase:
        return structured_header(name, mailbox)
    last_line = f"{name}: {phrase}".rpartition("\r\n")[2]
    fold = " " if len(last_line) + len(mailbox) + 3 <= LINE_AIM else "\r\n "
    return f"{name}: {phrase}{fold}<{mailbox}>\r\n".encode("ascii")


def list_header(description: str, identifier: str) -> bytes:
    """Write the List-Id header: what a list is called, and the identifier that mail programs sort by (RFC 2919).

    Args:
        description: any text.
        identifier: like a domain name, ASCII; never folded, so that it stands on one line.
    """
    # Programs that show the description show quotation marks with it, so there are none where none are needed.
    plain = _ATOMS.fullmatch(description) and len(description) <= ENCODED_LINE // 2
    phrase = description if plain else _phrase("List-Id", description)
    structured = structured_header("List-Id", f"<{identifier}>")  # which also refuses what is no identifier
    if not phrase:
        return structured
    fold = " " if "\r\n" not in phrase and len(phrase) + len(identifier) + 12 <= LINE_AIM else "\r\n "
    return f"List-Id: {phrase}{fold}<{identifier}>\r\n".encode("ascii")


def ascii_domain(address: str) -> str:
    """Return ``address`` with its domain in ASCII and lower case; the local part stays as it is.

    Raises:
        ValueError: it is not ``local@domain`` of plain characters.
    """
    local, at, domain = address.rpartition("@")
    plain = not any(char.isspace() or _is_invisible(char) or char in _LOCAL_SPECIALS for char in local)
    if not (at and local and plain):
        raise ValueError(f"address {address!r}: it should read local@domain, without spaces, quotes or controls")
    if _ASCII_DOMAIN.fullmatch(domain):
        return f"{local}@{domain.lower()}"
    try:
        return f"{local}@{a_labels(domain)}"
    except ValueError as error:
        raise ValueError(f"address {address!r}: {error}") from error


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in UNSEEN or char in _INVISIBLE_OTHERS


def _check_name(name: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"header name {name!r}: it should be letters, digits and hyphens")


def _encoded_words(name: str, cleaned: str) -> str:
    return Header(cleaned, "utf-8", header_name=name, maxlinelen=ENCODED_LINE).encode(linesep="\r\n")


def _phrase(name: str, display_name: str) -> str:
    """Return a display name as a quoted string where that is short and plain, else as encoded words."""
    cleaned = clean_header_text(display_name)
    quoted = cleaned.replace("\\", "\\\\").replace('"', '\\"')
    if not cleaned:
        return ""
    if cleaned.isascii() and len(name) + len(quoted) + 4 <= LINE_AIM:
        return f'"{quoted}"'
    return _encoded_words(name, cleaned)
