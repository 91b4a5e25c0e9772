"""What a facility's name says: the sponsor's number of the site, a placeholder or a real name.  Pure.

Does not compare anything: see ``sites.py``.

Source: 17,241 locations of real records, read 2026-11-22.  A quarter of them are placeholders.
"""

import re
from functools import lru_cache

from watcher.core.items.names import folded


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A site's number has a digit; sponsors put letters before it ("DE12", "ORG-0012").
_NUMBER = r"([a-z]{0,4}-?\d[\w-]*)"
_SOME_CENTER = r"(?:investigational|investigative|clinical|research|study) cent(?:er|re)"
_NUMBERED = re.compile(
    # As in "/ID# 123456".
    rf"/\s*id\s*[#:]+\s*{_NUMBER}"
    # As in "( Site 0062)", "Site Number : 1234", "Research Site 12" and "Site Reference ID/Investigator# 123456".
    rf"|\bsite\s*(?:number|no\.?|nr\.?|reference|ref\.?)?\s*(?:id)?\s*(?:/\s*investigator)?\s*[#:-]*\s*{_NUMBER}"
    # As in "Local Institution - 0062", "Research facility ID ORG-0012" and "Investigational Center 12".
    rf"|\b(?:local institution|research facility|{_SOME_CENTER})\s*(?:id)?\s*[#:-]*\s*{_NUMBER}",
    re.IGNORECASE,
)
_ONLY_A_CODE = re.compile(r"[a-z]{1,5}\d[\w-]*(?:\s+\d+)?|\d+", re.IGNORECASE)  # "USA77-0", "EX0012 345"
_SAYS_NOTHING = _words(
    """a an and at be call center centers centre centres clinical contact determined facility for id information
    institution investigational investigative investigator investigators local location locations many multiple no
    nr number of ref reference research see site sites study tbd the this to trial trials unknown various"""
)
_ANYBODY = re.compile(r"\b(?:investigat(?:ional|ive|or)|research|study|clinical(?: trials?)?) sites?\b")
_HOTLINE = re.compile(r"\b(?:call cent(?:er|re)|for (?:additional|more) information|investigati\w+ sites? for this)\b")
_WORDS_OF_A_SPONSOR = 4  # "Example Pharma Ltd Investigational Site"

# What facilities' names are full of; says little about which one is meant.
COMMON_WORDS = _words(
    """the of and for at in a an de la le les du des di da do dos del della dei et e y en und fur fuer der die das van
    het nr no
    hospital hospitals hopital hopitaux hospitalier hospitalario hospitalar ospedale ospedaliera ospedaliero
    krankenhaus klinikum klinik kliniken clinic clinics clinica clinique clinical clinico ziekenhuis szpital azienda
    policlinico chu
    university universite universita universidad universidade universitario universitaria universitaire universitari
    universitair universitat universitaet universitatsklinikum universitaetsklinikum uniwersytecki
    center centre centro centrum ctr medical medico medisch medicine medizin health healthcare care
    institute institut instituto istituto institution research school college department dept
    oncology oncologia oncologie hematology general national affiliated people peoples province provincial county city
    municipal foundation fondazione fundacion trust nhs group system services service site
    inc llc ltd limited pc pa pty srl gmbh"""
)
_SAYS_WHICH = _words("hospital clinic university center centre institute medical hospitals clinics")


@lru_cache(maxsize=4_096)  # sponsors repeat the same placeholder hundreds of times
def split_token(facility: str) -> tuple[str, str | None]:
    """Return a facility's name without the sponsor's number of the site, folded, and that number."""
    if _ONLY_A_CODE.fullmatch(facility.strip()):
        return "", _plain_number(facility)
    found = _NUMBERED.search(facility)
    if not found:
        return folded(facility), None
    number = next(group for group in found.groups() if group)
    before, after = facility[: found.start()], facility[found.end() :]
    name = folded(f"{before} {after}")
    if not before.rstrip().endswith("("):
        whole = folded(f"{before} {found[0][: found[0].rindex(number)]} {after}")
        name = whole if is_placeholder(whole) else name  # "Research Site", not "Research"
    return name, _plain_number(number)


def _plain_number(number: str) -> str:
    return "".join(character for character in number.casefold() if character.isalnum()).lstrip("0") or "0"


@lru_cache(maxsize=4_096)
def is_placeholder(name: str) -> bool:
    """Return whether a folded name stands for a facility that the sponsor does not name."""
    words = name.split()
    if all(word in _SAYS_NOTHING or word.isdigit() for word in words) or _HOTLINE.search(name):
        return True
    rest = _ANYBODY.sub(" ", name).split()
    return len(rest) < len(words) and len(rest) <= _WORDS_OF_A_SPONSOR and _SAYS_WHICH.isdisjoint(rest)
