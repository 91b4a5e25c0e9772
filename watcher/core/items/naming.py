"""What does not name a thing: degrees after a person, legal forms after a company, the dress of an ID.  Pure.

Each function returns a key that is the same for spellings of one name.  The keys are for comparing, never for showing.

Does not say which list is matched by which key: see ``lists.py``.
"""

import re

from watcher.core.items.names import folded


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DEGREES = _words(
    "md phd mbbs mbchb msc mph mba mhs mscr mscs dds dmd dnp dphil dpt drph dsc dvm edd facc facp facs faan fasco fracp"
    " fracs frcp frcpc frcs lcsw mmed mrcp otd pharmd psyd rph scd dr prof professor doctor associate assistant"
)
# These are family names as well, so they are degrees only behind a comma.
_SHORT_DEGREES = _DEGREES | _words("ba bm bs bsc do jd jr ma med mr mrs ms nd np od pa pd rd rn rpt scm sm sr ii iii")
_LEGAL_FORMS = _words(
    "inc incorporated llc llp lp ltd limited co company corp corporation gmbh ag kg kgaa sa sas sarl srl spa sl slu bv"
    " nv ab as aps oy oyj plc pty pte kk sro doo sp zoo the"
)
_EU_NUMBER = re.compile(r"\b20\d\d-[05]\d{5}-\d\d\b")  # EudraCT and EU CT; what follows in the latter is a version
_WHO_NUMBER = re.compile(r"\bU1111-\d{4}-\d{4}\b", re.IGNORECASE)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>;,]+")
_WEB_PREFIX = re.compile(r"^(?:https?:)?//(?:www\.)?", re.IGNORECASE)


def person_key(name: str) -> str:
    """Return a person's names without degrees and titles, in the order of the alphabet.

    Whether the family name comes first differs from sponsor to sponsor.
    """
    first, *others = (folded(part).split() for part in name.replace(".", "").split(","))  # "Ph.D." is one word
    words = [word for word in first if word not in _DEGREES]
    words += [word for part in others for word in part if word not in _SHORT_DEGREES]
    return " ".join(sorted(words)) or folded(name)


def company_key(name: str) -> str:
    """Return an organisation's name without its legal form."""
    words = folded(name.replace(".", "").replace("&", " and ")).split()
    return " ".join([word for word in words if word not in _LEGAL_FORMS] or words)


def identifier_key(text: str) -> str:
    """Return an ID as it is compared: only letters and digits; of a European or WHO number only the number."""
    found = _EU_NUMBER.search(text) or _WHO_NUMBER.search(text)
    return folded(found[0] if found else text).replace(" ", "")


def doi_key(citation: str) -> str | None:
    """Return the DOI that a citation holds."""
    found = _DOI.search(citation)
    return found[0].rstrip(".)]").casefold() if found else None


def citation_key(citation: str) -> str:
    """Return a citation's words: punctuation differs from one formatting to the next."""
    return folded(citation)


def link_key(url: str) -> str:
    """Return an address without what leads to the same page with or without it."""
    path = _WEB_PREFIX.sub("", url.strip()).rstrip("/")
    host, slash, rest = path.partition("/")
    return host.casefold() + slash + rest
