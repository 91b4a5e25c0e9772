"""Take the text of the eligibility criteria apart: sections, and the criteria in each.  Pure.

The registry keeps all criteria in one Markdown text.  A heading such as "Inclusion Criteria:" begins a section; each
list item, nested ones too, is a criterion of its own, and so is a sentence of plain text.  What introduces a list ("one
of the following:") is a criterion itself and the context of those below it.

Does not compare: ``criteria_changes.py``.  Does not understand a criterion: sections are told apart by the words of
their headings, which were collected from a thousand records.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from watcher.core.texts.lines import Line, lines_of

_LONGEST_HEADING = 160  # characters; what is longer is a criterion that speaks of inclusion


class SectionKind(StrEnum):
    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"
    OTHER = "other"  # before the first heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the criteria; two parts of one text may have the same heading, and are then one section."""

    kind: SectionKind
    title: str | None  # as written, without its colon; None = no heading stands above


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    section: Section
    under: str | None  # the line that introduces its list, as a reader should see it; None = it stands alone
    text: str  # as a reader should see it: one line, without bullet or number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    section: Section
    rest: str  # what stands on the same line after the colon: the first criterion
    plain: bool  # a sentence that only implies a section: "Subjects will be excluded if they:"


_FEW_WORDS = r"(?:[^\s:;]+\s){0,7}?"
_KIND = r"[\w-]*?(?:inclusion|exclusion)s?"
_CRITERIA_WORD = r"\s(?:criteria|criterion|requirements?)"
# "Key Inclusion Criteria - Arms 1 and 2:", "Exclusion criteria: none"; the first colon ends the heading.
_WITH_COLON = re.compile(
    rf"(?P<title>{_FEW_WORDS}{_KIND}(?:{_CRITERIA_WORD}\b[^:：]*?)?|criteria\sfor\s{_KIND}[^:：]*?)\s?[:：]\s?(?P<rest>.*)",
    re.IGNORECASE,
)
_WITHOUT_COLON = re.compile(
    rf"(?P<title>{_FEW_WORDS}{_KIND}{_CRITERIA_WORD}"
    r"(?:\s?[-–—(].{0,80}|\s(?:for|in|to|prior|of|at|determined|specific)\b.{0,80})?)\.?(?P<rest>)",
    re.IGNORECASE,
)
_EXCLUDES = re.compile(r"(?<!non-)\bexclusion|\bnon-inclusion", re.IGNORECASE)
_BOTH = re.compile(r"\binclusion\b.*\bexclusion\b|\bexclusion\b.*\binclusion\b", re.IGNORECASE)
_BARE_TITLE = re.compile(
    rf"(?:(?:key|main|major|general|specific)\s)?(?:inclusion|exclusion){_CRITERIA_WORD}(?:\s\([^)]*\))?", re.IGNORECASE
)
_IMPLIES_EXCLUSION = re.compile(
    r"^exclu(?:ded|sions?)\b|\b(?:be|are|is|was|were)\sexcluded\b|\bineligible\b|\bnot\s(?:be\s)?(?:eligible|included|enrolled)\b",
    re.IGNORECASE,
)
_IMPLIES_INCLUSION = re.compile(
    r"^included\b|\b(?:be|are|is|was|were)\s(?:included|eligible|enrolled)\b", re.IGNORECASE
)
# A sentence ends before a capital or a number, but not after "e.g." or a genus.
_SENTENCE_END = re.compile(
    r"(?<=[.;])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bNo\.)(?<!\b[A-Za-z]\.)(?<!\b[ivx]{2}\.)"
    r"(?<!\b[ivx]{3}\.)(?<!\d\.)\s(?=[A-Z\d≥≤<>(])"
)


def criteria_of(text: str) -> tuple[Criterion, ...]:
    """Return the criteria of a text in their order; its headings are in their sections."""
    return tuple(_Reader().read(lines_of(text)))


class _Reader:
    """Goes through the lines of a text and knows where in it it is."""

    def __init__(self) -> None:
        self._section = Section(kind=SectionKind.OTHER, title=None)
        self._introduction: str | None = None  # a line of plain text that ends in a colon: the list below belongs to it
        self._open: list[tuple[int, str]] = []  # the list items around the current line: indentation, words

    def read(self, lines: tuple[Line, ...]) -> Iterator[Criterion]:
        for line in lines:
            heading = _heading(line)
            if heading and not (heading.plain and heading.section.kind is self._section.kind):
                self._section, self._introduction, self._open = heading.section, None, []
                if heading.rest:
                    yield from self._plain(heading.rest)
            elif line.marker:
                yield self._item(line)
            else:
                self._open = [(indent, words) for indent, words in self._open if indent < line.indent]
                yield from self._plain(line.words)

    def _item(self, line: Line) -> Criterion:
        self._open = [(indent, words) for indent, words in self._open if indent < line.indent]
        under = self._open[-1][1] if self._open else self._introduction
        self._open.append((line.indent, line.words))
        return Criterion(section=self._section, under=under, text=line.words)

    def _plain(self, words: str) -> Iterator[Criterion]:
        under = self._open[-1][1] if self._open else None
        for sentence in _SENTENCE_END.split(words):
            yield Criterion(section=self._section, under=under, text=sentence)
        if not self._open:
            self._introduction = words if words.endswith((":", "：")) else None


def _heading(line: Line) -> _Heading | None:
    """Return what a line says of the section that it begins; None for a line that begins none."""
    words = line.words
    if len(words) > _LONGEST_HEADING and not _BARE_TITLE.match(words):
        return None
    match = _WITH_COLON.fullmatch(words) or _WITHOUT_COLON.fullmatch(words)
    if match and not _BOTH.search(match["title"]) and _may_begin_section(line, match):
        kind = SectionKind.EXCLUSION if _EXCLUDES.search(match["title"]) else SectionKind.INCLUSION
        return _Heading(section=Section(kind=kind, title=match["title"].strip()), rest=match["rest"], plain=False)
    return _implied(line)


def _may_begin_section(line: Line, match: re.Match[str]) -> bool:
    """A list item begins a section only where it clearly is a heading: "* INCLUSION CRITERIA:"."""
    title = match["title"].strip()
    return not line.marker or bool(_BARE_TITLE.fullmatch(title)) or (title.isupper() and not match["rest"])


def _implied(line: Line) -> _Heading | None:
    words = line.words
    if line.marker or not words.endswith((":", "：")) or len(words) > _LONGEST_HEADING or _BOTH.search(words):
        return None
    if _IMPLIES_EXCLUSION.search(words):
        kind = SectionKind.EXCLUSION
    elif _IMPLIES_INCLUSION.search(words):
        kind = SectionKind.INCLUSION
    else:
        return None
    return _Heading(section=Section(kind=kind, title=words.rstrip(":： ")), rest="", plain=True)
