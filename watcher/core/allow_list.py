"""Who may get mail, where not everybody may: outside production.  Pure."""

import re
from collections.abc import Iterable


def allowed(address: str, patterns: Iterable[str]) -> bool:
    """Return whether an address is one that the patterns allow.

    Args:
        address: of a recipient.
        patterns: addresses, in which ``*`` stands for any characters; capitals do not matter.
    """
    return any(_form_of(pattern).fullmatch(address.casefold()) for pattern in patterns)


def _form_of(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", pattern.casefold())), re.DOTALL)
