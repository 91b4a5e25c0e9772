"""The words of outcome measures: how they are told apart, and how much each of them says.  Pure.

"Number of patients with progression-free survival" and "Progression free survival, number of participants" are the
same outcome, "Overall survival" is another one: what counts is the few words that name what is measured.  The lists
below are of the registry's everyday language, not of any trial; what a word weighs within one record is decided in
``outcome_reading.py``.

Does not understand: a synonym that is not listed here is another word.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:\d+[^\W\d_]*)*")  # 12, 1.5, week, HbA1c, FEV1
_TAG = re.compile(r"</?[A-Za-z]+/?>")
_PREFIX = re.compile(r"\b(post|pre|peri|intra|inter|non|anti|re|multi)-(?=[a-z])", re.IGNORECASE)
_NAME_WITH_NUMBER = re.compile(r"\b([A-Za-z]{1,5})-(\d+)\b")  # IL-6 is IL6

# Weights, between a word that says nothing and one that names something.
_NAMING, _NAME_WITH_FIGURE, _BROAD, _FIGURE, _GENERIC, _TIME = 1.0, 0.5, 0.35, 0.2, 0.1, 0.04
NAMES_SOMETHING = _BROAD  # from this weight on

_STOP_WORDS = """
    a an and are as at be been both by can do does each either for from had has have if in into is it its of on only or
    order other per so such than that the their them then there these this those to up upon using use used versus via
    vs was we were whether when where which while who whom whose will with within also according based any all
"""
_TIME_WORDS = """
    about after approximately average baseline before cycle daily day during end first follow followup h hour hr last
    min minute mo month monthly period point post pre second start study through time timepoint until visit week
    weekly wk year yearly yr
"""
_GENERIC_WORDS = """
    absolute achieve amount analysis arm assess assessment associate between calculate change clinical cm compare
    comparison count criteria criterion data decrease define definition degree demonstrate describe determine
    difference dl dose drug effect effective effectiveness efficacy endpoint episode estimate evaluate evaluation
    examine experience explore final form frequency grade group improvement incidence increase index individual
    intensity intervention intraoperative inventory investigate kg least level maximum mean measure measurement median
    mg minimum ml mm ng number objective observe obtain occurrence one outcome parameter participant patient people
    percent percentage perform perioperative person population postoperative preoperative presence primary proportion
    questionnaire rate rating ratio receive record reduction related relative report result scale score secondary
    severity show standard status subject subscale success test therapy total treatment trial two type unit value
    variable variation version
"""
_BROAD_WORDS = """
    adverse blood body cancer care concentration disease duration event free function functional health life
    plasma pressure quality response serum serious survival symptom tumor use volume
"""
# Of one meaning in this language, or nearly: the first word of a line stands for all.
_SYNONYMS = """
    adverse toxicity tolerability safety toxic
    analog analogue
    bleeding hemorrhage haemorrhage
    duration length
    hba1c a1c
    mortality death died deaths dead
    recurrence relapse relapsed recurrent
    surgery operation operative surgical
    titer titre
    3 three
    4 four
    5 five
    6 six
    7 seven
    8 eight
    9 nine
    10 ten
    12 twelve
"""
_PHRASES = re.compile(
    r"\b(?:(gly(?:cat|cosylat)ed ha?emoglobin(?: a1c)?|ha?emoglobin a1c)|(side[ -]effects?)|(drug reactions?))\b",
    re.IGNORECASE,
)
_INSTEAD = ("HbA1c", "adverse events", "events")  # of each of the phrases
# What an abbreviation means where the record itself does not say.
KNOWN_ABBREVIATIONS: Mapping[str, tuple[str, ...]] = {
    short: tuple(long.split())
    for short, long in (
        line.strip().split(" ", 1)
        for line in """
            ae adverse event
            af atrial fibrillation
            ahi apnea hypopnea index
            auc area under the curve
            bcva best corrected visual acuity
            bdi beck depression inventory
            bmd bone mineral density
            bmi body mass index
            bp blood pressure
            cr complete response
            crp c reactive protein
            dbp diastolic blood pressure
            dcr disease control rate
            dfs disease free survival
            dlt dose limiting toxicity
            dor duration of response
            dvt deep vein thrombosis
            edss expanded disability status scale
            efs event free survival
            egfr estimated glomerular filtration rate
            fev forced expiratory volume
            fvc forced vital capacity
            hads hospital anxiety and depression scale
            hamd hamilton depression rating scale
            hf heart failure
            hrqol health related quality of life
            icu intensive care unit
            iop intraocular pressure
            los length of stay
            lvef left ventricular ejection fraction
            mace major adverse cardiovascular event
            madrs montgomery asberg depression rating scale
            mi myocardial infarction
            mri magnetic resonance imaging
            mrs modified rankin scale
            mtd maximum tolerated dose
            mwd minute walk distance
            mwt minute walk test
            nihss national institutes of health stroke scale
            nrs numeric rating scale
            odi oswestry disability index
            orr objective response rate
            os overall survival
            panss positive and negative syndrome scale
            pasi psoriasis area and severity index
            pcr pathological complete response
            pfs progression free survival
            pk pharmacokinetics
            ponv postoperative nausea and vomiting
            pr partial response
            psqi pittsburgh sleep quality index
            qol quality of life
            rfs relapse free survival
            rom range of motion
            sae serious adverse event
            sbp systolic blood pressure
            svr sustained virologic response
            teae treatment emergent adverse event
            ttp time to progression
            vas visual analog scale
            vte venous thromboembolism
            womac western ontario and mcmaster universities osteoarthritis index
        """.strip().splitlines()
    )
}
_SPELLINGS = (("ae", "e"), ("oe", "e"), ("isation", "ization"), ("yse", "yze"))  # British, American
_ENDINGS = """
    izations ization ations ation ating ated ates ators ator ative ate ments ment ities ity ions ion ives ive ing ed ies
    ally ely ly es al ia ic e s y
"""
_ENDINGS_IN_TURN = tuple(_ENDINGS.split())  # longer ones before those that they end in
_SHORTEST_STEM = 5  # letters


def plain(text: str) -> str:
    """Return text without what is only its form: entities, tags, Markdown escapes, look-alike characters."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = _TAG.sub(" ", text).replace("\\", "")
    text = _PHRASES.sub(lambda found: _INSTEAD[(found.lastindex or 1) - 1], text)
    return _PREFIX.sub(r"\1", _NAME_WITH_NUMBER.sub(r"\1\2", text)) if "-" in text else text


def split(text: str) -> list[str]:
    """Return the words and numbers of a plain text, as they are written."""
    return _WORD.findall(text)


def wording(text: str) -> str:
    """Return what remains when case, white space, punctuation and form do not count."""
    return " ".join(_WORD.findall(plain(text).casefold()))


def forms(word: str, abbreviations: Mapping[str, tuple[str, ...]], *, synonyms: bool = True) -> Iterator[str]:
    """Yield a word in lower case in the form in which it is compared; an abbreviation written out.

    Args:
        word: in lower case.
        abbreviations: what they stand for.
        synonyms: whether words of one meaning have one form.
    """
    letters = word if word[0].isdigit() else word.rstrip("0123456789")
    long = abbreviations.get(letters) or (abbreviations.get(letters[:-1]) if letters.endswith("s") else None)
    yield from map(stem if synonyms else _bare, long or (letters,))
    if letters != word:  # ACR20 is something else than ACR50, but "week12" only another week
        yield word if long or weight(stem(letters)) >= NAMES_SOMETHING else word.removeprefix(letters)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without its ending, in one of its spellings."""
    found = _bare(word)
    return _CANONICAL.get(found, found)


def _bare(word: str) -> str:
    if not word.isalpha():
        return word
    for british, american in _SPELLINGS:
        word = word.replace(british, american)
    if len(word) > 4 and word.endswith(("our", "ours")):
        word = word.replace("our", "or")
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in _ENDINGS_IN_TURN:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


_CANONICAL = {_bare(word): _bare(line.split()[0]) for line in _SYNONYMS.strip().splitlines() for word in line.split()}
STOP_WORDS = frozenset(_STOP_WORDS.split())
_WEIGHTS: Mapping[str, float] = {
    **{stem(word): _BROAD for word in _BROAD_WORDS.split()},
    **{stem(word): _GENERIC for word in _GENERIC_WORDS.split()},
    **{stem(word): _TIME for word in _TIME_WORDS.split()},
    **{stem(word): 0.0 for word in _STOP_WORDS.split()},
}


@lru_cache(maxsize=20_000)
def weight(stemmed: str) -> float:
    """Return how much a word says about what is measured, by itself: from 0, nothing, to 1."""
    if stemmed[0].isdigit():
        return _FIGURE
    if stemmed[-1].isdigit():
        return _NAME_WITH_FIGURE  # beside the name without it
    return _WEIGHTS.get(stemmed, _FIGURE if len(stemmed) == 1 else _NAMING)
