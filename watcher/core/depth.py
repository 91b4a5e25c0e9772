"""Cut a record off at a depth that no real record reaches.  Pure.

A real record is nested 12 levels deep.  What a broken or hostile answer nests deeper would exhaust the stack of
whatever walks through it, here, in DeepDiff and in the JSON encoder, which stops at 254.  So below ``DEEPEST`` a
subtree is compared as one value: a difference in it is seen and told, but not taken apart.
"""

from functools import cache
from hashlib import sha256
from itertools import chain

import orjson

from watcher.model import Json

DEEPEST = 50  # levels
_HOLDERS = (dict, list)
_MOST_PROBED = 2_000  # levels


def cut_off(value: Json) -> Json:
    """Return ``value``, with a text that stands for its content in place of what is nested deeper than ``DEEPEST``."""
    return _cut(value, DEEPEST) if not _is_flat(value) and _is_deeper(value, DEEPEST) else value


def _is_flat(value: Json) -> bool:
    """Return True only for what is not deeper than ``DEEPEST`` for sure: the quick look.

    The encoder refuses what is nested deeper than its limit.  Wrapped in as many lists as bring that limit down to
    ours, a record tells its depth at the speed of the encoder: a tenth of a look at each of its values.
    """
    wrappings = _encoder_limit() - DEEPEST
    if wrappings < 0:
        return False
    for _ in range(wrappings):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


@cache
def _encoder_limit() -> int:
    """Return how many levels the encoder takes, by trying; -1 where it seems to take any."""
    value: Json = ""
    for levels in range(_MOST_PROBED):
        value = [value]
        try:
            orjson.dumps(value)
        except orjson.JSONEncodeError:
            return levels
    return -1


def _is_deeper(value: Json, levels: int) -> bool:
    """Tell it level by level, because that costs least for the records there are: all of them flat."""
    holders = [value] if isinstance(value, _HOLDERS) else []
    while holders and levels:
        below = chain.from_iterable(holder.values() if isinstance(holder, dict) else holder for holder in holders)
        holders = [value for value in below if isinstance(value, _HOLDERS)]
        levels -= 1
    return bool(holders)


def _cut(value: Json, levels: int) -> Json:
    if not isinstance(value, _HOLDERS):
        return value
    if not levels:
        return f"(nested deeper than {DEEPEST} levels; content {_fingerprint(value)})"
    if isinstance(value, dict):
        return {key: _cut(below, levels - 1) for key, below in value.items()}
    return [_cut(below, levels - 1) for below in value]


def _fingerprint(value: Json) -> str:
    """Return a name for the content, the same for the same content, without recursion."""
    digest = sha256()
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            keys = sorted(node)
            digest.update(b"{" + orjson.dumps(keys))
            pending.extend(node[key] for key in keys)
        elif isinstance(node, list):
            digest.update(b"[%d," % len(node))
            pending.extend(node)
        else:
            digest.update(orjson.dumps(node) + b",")
    return digest.hexdigest()[:16]
