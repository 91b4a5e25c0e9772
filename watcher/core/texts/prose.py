"""Do two versions of a text say the same in other characters?  Pure.

Rule M9: entities, Markdown escapes, Unicode's compatibility forms, white space, bullets and numbering, case,
typographic signs and trailing punctuation make no difference; two texts that are equal without them differ in
appearance only.

What does make a difference, because it can change who may take part or what is measured: a comparison (``≥``, ``>``),
a minus or plus sign, a decimal point or comma, an exponent (``10²`` is not ``102``), the letter case that tells two
units apart (``nM``, ``nm``), a comma, a bracket, every word, and the order of the words.  A line that moved is
therefore a difference; ``criteria_changes.py`` knows whether it matters.

Does not say what differs (``worddiff.py``) and does not weigh it.
"""

import re
import unicodedata

from watcher.core.texts.lines import lines_of

_SIGNS = str.maketrans(
    dict.fromkeys("‐‑‒–—―−﹣－﹘", "-")
    | dict.fromkeys("‘’‚‛ʼ′`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("≧⩾", "≥")
    | dict.fromkeys("≦⩽", "≤")
    | {"˃": ">", "˂": "<", "×": "x", "✕": "x", "˚": "°", "。": ".", "、": ",", "⁄": "/", "∕": "/", "ǀ": "|"}
    | dict.fromkeys("™®©℠", None)
)
_SUPERSCRIPTS, _SUBSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "₀₁₂₃₄₅₆₇₈₉"
# These patterns look back from their first character instead of beginning with it: that makes them ten times as fast.
_RAISED = re.compile(rf"[{_SUPERSCRIPTS}](?<=\d.)[{_SUPERSCRIPTS}]*")
_LOWERED = re.compile(rf"[{_SUBSCRIPTS}](?<=\d.)[{_SUBSCRIPTS}]*|[{_SUBSCRIPTS}]+(?=\d)")
_FRACTION = re.compile(r"[¼½¾⅐-⅞](?<=\d.)")
_RAISED_UNIT = re.compile(r"\^(?<=[A-Za-zµμ].)(?=[23](?!\d))")
_DEGREE = re.compile(r"º(?=\s?[CF]\b)")
_SPELLED_SIGNS = (
    (re.compile(r">\s?=|=\s?>(?=\s?\d)"), "≥"),
    (re.compile(r"<\s?=|=\s?<"), "≤"),
    (re.compile(r"\+\s?/\s?-"), "±"),
    (re.compile(r",(?<=\d,)(?=\d{3}(?!\d))"), ""),  # between thousands
)
# Units that another case makes another unit: mega- and milli-, -molar and -metre.
_CASED_UNIT = re.compile(
    r"[Mpnumµμ](?:(?<=\d.)|(?<=\d .))(?:(?<=M)(?:Bq|Ci|Hz|W|V|eV|Pa|J)|(?<=[pnumµμ])M)(?![A-Za-z])"
)
_CASE_MARK = "\ue000"  # for private use: stands in no text
# A hyphen between two words is as good as a space, but in "ER-PR+" it is a result: before two or three capitals.
_JOINING_HYPHEN = re.compile(r"-(?<=[^\W\d_].)(?=[^\W\d_]{2})(?![A-Z]{2,3}(?![^\W\d_]))")
_RANGE = re.compile(r"-(?<=\d.) ?(?=\d)| -(?<=\d -) ?(?=\d)")
_SENTENCE_END = re.compile(r"[.;:](?= (?!\d))|[.;:](?= )(?<!\d[.;:])")
_TRAILING = ".,;: "
# White space that separates nothing: between a letter and a digit, and beside punctuation.  Kept beside a sign, which
# belongs to one side ("ER- PR"), and in "1. 5", which is not "1.5".
_LOOSE_SPACE = re.compile(
    r" (?:(?<=[^\W\d_] )(?=\d)|(?<=\d )(?=[^\W\d_])|(?<=[^\w\s+.,:;-] )(?![+-])|(?<![+-] )(?=[^\w\s+-])"
    r"|(?<=[^\d\s][.,:;] )(?![+-])|(?<=[.,:;] )(?![\d+-]))"
)


def is_cosmetic(old: str, new: str) -> bool:
    """Return whether two texts differ in appearance only; also true for equal ones.

    Args:
        old, new: as the record holds them; Markdown, or HTML on both sides.
    """
    if old == new or old.split() == new.split():
        return True
    before, after = _where_they_differ(old, new)
    return comparable(before) == comparable(after)


def _where_they_differ(old: str, new: str) -> tuple[str, str]:
    """Return both texts from the line before the first difference to the line after the last one.

    A typical edit leaves most of a long text alone, and looking at what is alike costs as much as the rest.
    """
    before, after = old.splitlines(), new.splitlines()
    shorter = min(len(before), len(after))
    begin = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    end = next((at for at in range(shorter - begin) if before[-1 - at] != after[-1 - at]), shorter - begin)
    begin, end = max(begin - 1, 0), max(end - 1, 0)
    return "\n".join(before[begin : len(before) - end]), "\n".join(after[begin : len(after) - end])


def comparable(text: str) -> str:
    """Return a text as it is compared: texts with the same result differ in appearance only.  Not for readers."""
    unified = _unified("\n".join(line.words for line in lines_of(text)))
    joined = " ".join(line.strip(_TRAILING) for line in unified.split("\n"))
    joined = _RANGE.sub("-", joined)
    return _LOOSE_SPACE.sub("", _SENTENCE_END.sub("", joined)).strip(_TRAILING)


def _unified(text: str) -> str:
    """Return a text with one character for each meaning, in lower case where case means nothing."""
    if not text.isascii():
        text = _LOWERED.sub(r"_\g<0>", _RAISED.sub(r"^\g<0>", _FRACTION.sub(r" \g<0>", text)))
        text = _DEGREE.sub("°", text).translate(_SIGNS)
        text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("⁄", "/")  # from "⁻" and "½"
    else:
        text = text.replace("`", "'")
    for spelled, sign in _SPELLED_SIGNS:
        text = spelled.sub(sign, text)
    text = _RAISED_UNIT.sub("", text)
    text = _CASED_UNIT.sub(_marked, text)
    return _JOINING_HYPHEN.sub(" ", text).casefold()


def _marked(unit: re.Match[str]) -> str:
    """Keep the case of a unit in sight: the capital gets a mark that ``casefold`` leaves alone."""
    return "".join(f"{char}{_CASE_MARK}" if char.isupper() else char for char in unit[0])
