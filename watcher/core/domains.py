"""Write a mail domain of any script in ASCII.  Pure.

Does not look a domain up, and does not judge one that is ASCII already.

Source: RFC 5891, with the mapping of UTS 46, which browsers and mail programs use.
"""

import idna


def a_labels(domain: str) -> str:
    """Return a domain in ASCII: its labels in other scripts as A-labels ("xn--…").

    Raises:
        ValueError: it is not a domain name.
    """
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"its domain is not a domain name ({error})") from error
