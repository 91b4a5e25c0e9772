"""What an official title says of a study's design: its phase, who is blinded, what it is compared with.  Pure.

Two titles that say the same of it in other words give the same set.  Does not weigh a difference, and does not know
what is tested in the study.

Source: the modifiers of the official title in the field table.
"""

import re

from watcher.core.items.names import folded

_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
_PHASE = re.compile(r"\bphases? ?((?:[0-4]|iv|i{1,3})[abc]?(?: (?:and |to )?(?:[0-4]|iv|i{1,3})[abc]?\b)*)\b")
_NUMBER = re.compile(r"\b([0-4]|iv|i{1,3})([abc]?)\b")
_BLINDING = re.compile(
    r"\b(?:(open|unblinded|unmasked)(?: label(?:led|ed)?)?"
    r"|(single|double|triple|quadruple|observer|assessor|evaluator|investigator|participant|patient|sponsor)"
    r" (?:blind(?:ed)?|mask(?:ed)?)"
    r"|(?:blind(?:ed)?|mask(?:ed)?))\b"
)
_OPEN = "open"
_CONTROL = re.compile(
    r"\b(placebo|sham|vehicle|dummy|standard of care|usual care|best supportive care|historical control"
    r"|active control|active comparator|single arm|uncontrolled|non ?controlled)\b"
)
_COMPARED = re.compile(
    r"\b(?:versus|vs|compar(?:ed|ing|ison) (?:to|with|of)|against)\b (.+?)"
    r"(?= (?:in|for|among|on|as|when|followed|versus|vs|of|during|after|before)\b|$)"
)


def design_words(title: str) -> frozenset[str]:
    """Return what a title says of phase, blinding and comparators, each in one spelling."""
    words = folded(title)
    found = {f"phase {number}{letter}" for number, letter in _phases(words)}
    for blinding in _BLINDING.finditer(words):
        found.add(f"blinding {_OPEN if blinding[1] else blinding[2] or ''}")
    found |= {f"control {control[1].replace(' ', '')}" for control in _CONTROL.finditer(words)}
    return frozenset(found | {f"compared with {compared[1]}" for compared in _COMPARED.finditer(words)})


def _phases(words: str) -> list[tuple[str, str]]:
    numbers = [number for phase in _PHASE.finditer(words) for number in _NUMBER.findall(phase[1])]
    return [(_ROMAN.get(number, number), letter) for number, letter in numbers]
