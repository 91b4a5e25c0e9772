"""What is an NCT ID?  Pure: no clock, no randomness, no I/O.

People paste IDs from tables, mails and web pages, so what surrounds an ID and the case of its letters are forgiven;
what could be another trial's ID is not: nothing is padded, shortened, translated or cut out of a longer text.

Does not know whether the registry has such a record.

Source of the rule: the path pattern of ``GET /studies/{nctId}`` in the registry's OpenAPI document 2.0.3, narrowed to
the one form the registry writes itself: NCT and exactly 8 digits, of which one is not zero.
"""

import re
import unicodedata

NCT_ID = re.compile(r"NCT[0-9]{8}")  # with fullmatch only: "$" takes a line end, and "\d" takes full-width digits
FORM = "an NCT ID is NCT and 8 digits, as in NCT01234567"

# White space as Unicode has it, and the marks without width that travel with pasted text: zero-width space and joiners,
# word joiner, byte order mark, direction marks.
_SURROUNDINGS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
    "\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
_LONGEST_SHOWN = 60  # characters of a refused text that its reason repeats


def normalise_nct_id(text: str) -> str:
    """Return the NCT ID that ``text`` is, in the form in which the registry writes it.

    Args:
        text: as typed or pasted; surrounding white space and the case of ASCII letters do not matter.

    Raises:
        ValueError: it is not an NCT ID; the text of the error says what is wrong and what would be right.
    """
    stripped = text.strip(_SURROUNDINGS)
    candidate = stripped.upper() if stripped.isascii() else stripped
    if not NCT_ID.fullmatch(candidate):
        raise ValueError(_what_is_wrong(stripped))
    if candidate == "NCT00000000":
        raise ValueError(f"'{stripped}' has no digit but 0, and the registry counts from NCT00000001; {FORM}")
    return candidate


def _what_is_wrong(text: str) -> str:
    shown = repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")
    if not text:
        return f"the text is empty; {FORM}"
    if "/" in text:
        return f"{shown} is a web address or a path; give the ID alone: {FORM}"
    if re.search(r"[,;|]", text):
        return f"{shown} looks like several IDs; give each on its own: {FORM}"
    if any(character in _SURROUNDINGS for character in text):
        return f"{shown} has white space inside; {FORM}"
    if not text.isascii():
        return _what_is_not_ascii(text, shown)
    return _what_is_wrong_in_ascii(text.upper(), shown)


def _what_is_not_ascii(text: str, shown: str) -> str:
    culprit = next(character for character in text if not character.isascii())
    name = unicodedata.name(culprit, "a character without a name")
    return f"{shown} holds {culprit!r} ({name}), where only the letters NCT and the digits 0 to 9 may stand; {FORM}"


def _what_is_wrong_in_ascii(text: str, shown: str) -> str:
    if not text.startswith("NCT"):
        return f"{shown} does not begin with NCT; {FORM}"
    rest = text.removeprefix("NCT")
    foreign = re.search(r"[^0-9]", rest)
    if foreign:
        return f"{shown} has {foreign[0]!r} where only digits may stand; {FORM}"
    return f"{shown} has {len(rest) or 'no'} digit{'' if len(rest) == 1 else 's'}; {FORM}"
