"""The words that stand around numbers in records: comparisons, units, labels, numbers in words.  Tables only.

Units come in the spellings that records use, each with the one that it is compared as.  What is not listed is no unit
but a thing that is counted ("200 patients").  Collected from the texts of a thousand records.
"""

_LESS = r"(?:less|lower|fewer|younger|shorter|smaller)"
_MORE = r"(?:more|greater|higher|older|longer|larger)"

# Before a number.  The first that fits counts, so the longer ones come first.
COMPARISONS: tuple[tuple[str, str], ...] = (
    (rf"\b(?:{_MORE}(?: than)? or equal(?: to)?|equal(?: to)? or {_MORE}(?: than)?)", "≥"),
    (rf"\b(?:{_LESS}(?: than)? or equal(?: to)?|equal(?: to)? or {_LESS}(?: than)?)", "≤"),
    (rf"\bnot? {_LESS} than", "≥"),
    (rf"\b(?:not? {_MORE} than|not exceed(?:ing)?)", "≤"),
    (r"\b(?:at least|minimum(?: of)?)", "≥"),
    (r"\b(?:at most|up to|within|maximum(?: of)?)", "≤"),
    (rf"\b(?:{_MORE} than|over|above|exceed(?:s|ing)?)", ">"),
    (rf"\b(?:{_LESS} than|under|below)", "<"),
    (r">\s?/?=|=\s?>|[≥≧⩾]", "≥"),
    (r"<\s?/?=|=\s?<|[≤≦⩽]", "≤"),
    (r"[>˃]", ">"),
    (r"[<˂]", "<"),
    (r"\+\s?/\s?[-−–]|±", "±"),
)
# After a number and its unit: "18 years of age or older".
COMPARISONS_AFTER: tuple[tuple[str, str], ...] = (
    (rf"(?:or|and) (?:{_MORE}|over|above|up(?:wards?)?)", "≥"),
    (rf"(?:or|and) (?:{_LESS}|under|below)", "≤"),
)
_UNITS: dict[str, str] = {  # spellings without their plural
    "year": "year yr y yo y/o year-old",
    "month": "month mo mth",
    "week": "week wk w",
    "day": "day d",
    "hour": "hour hr h",
    "minute": "minute min",
    "second": "second sec s",
    "ms": "ms msec millisecond",
    "mg": "mg milligram",
    "µg": "µg μg ug mcg microgram",
    "ng": "ng nanogram",
    "pg": "pg",
    "g": "g gm gram",
    "kg": "kg kilogram",
    "lb": "lb pound",
    "l": "l liter litre",
    "dl": "dl",
    "ml": "ml milliliter millilitre cc",
    "µl": "µl μl ul mcl microliter microlitre",
    "m": "m meter metre",
    "cm": "cm centimeter centimetre",
    "mm": "mm millimeter millimetre",
    "µm": "μm micrometer",
    "mmhg": "mmhg",
    "mmol": "mmol millimole",
    "µmol": "µmol μmol umol micromole",
    "nmol": "nmol",
    "pmol": "pmol",
    "meq": "meq",
    "iu": "iu",
    "u": "u unit",
    "gy": "gy gray",
    "cgy": "cgy",
    "kcal": "kcal",
    "cell": "cell",
    "beat": "beat bpm",
    "%": "% percent percentage",
    "degree": "°c °f ºc ºf ° degree ℃",
    "hz": "hz",
    "fold": "fold",
    "times": "time x ×",
    "million": "million",
}
UNITS: dict[str, str] = {
    spelling: unit
    for unit, spellings in _UNITS.items()
    for word in spellings.split()
    for spelling in (word, word + "s")
}
# Another case makes these another unit; they are looked up as they are written, before the others.
_CASED = "MBq GBq kBq mCi MCi µCi μCi uCi nM mM µM μM uM pM"
CASED_UNITS = frozenset(_CASED.split())
TWO_WORD_UNITS = {"mm hg": "mmhg", "per cent": "%", "years old": "year", "international units": "iu"}
# Multiples of the upper limit of normal: "1.5 x ULN", "3 times the upper limit of normal".
UPPER_LIMIT = (
    r"(?:(?:x|×|\*|times|-?\s?fold)\s?)?(?:above |of )?(?:the )?(?:institutional |laboratory |local )?"
    r"(?:\(?ULN\b\)?|upper (?:limits?|normal limits?)(?: of (?:the )?normal)?(?: range)?(?: \(ULN\))?)"
)

_ONE_TO_TWELVE = "one two three four five six seven eight nine ten eleven twelve"
NUMBER_WORDS: dict[str, int] = {word: value for value, word in enumerate(_ONE_TO_TWELVE.split(), start=1)}
_A_DAY = r"\s(?:daily|(?:a|per|each|every)\sday)"
FREQUENCIES: tuple[tuple[str, int], ...] = (  # times a day
    (rf"once{_A_DAY}|q\.?d\.?", 1),
    (rf"twice{_A_DAY}|b\.?i\.?d\.?", 2),
    (rf"(?:three\stimes|thrice){_A_DAY}|t\.?i\.?d\.?", 3),
    (rf"four\stimes{_A_DAY}|q\.?i\.?d\.?", 4),
)
# Before its number: "week 24" is compared as "24 weeks", "grade 3" is a grade.
LABELS: tuple[tuple[str, str], ...] = (
    (r"days?", "day"),
    (r"(?:weeks?|wks?)", "week"),
    (r"months?", "month"),
    (r"years?", "year"),
    (r"(?:grades?|gr)", "grade"),
    (r"stages?", "stage"),
    (r"phases?", "phase"),
    (r"class(?:es)?", "class"),
    (r"cycles?", "cycle"),
    (r"visits?", "visit"),
    (r"parts?", "part"),
    (r"cohorts?", "cohort"),
    (r"types?", "type"),
    (r"(?:versions?|ver\.?|v\.?)", "version"),
    (r"levels?", "level"),
)
ROMAN_NUMERALS: dict[str, int] = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
