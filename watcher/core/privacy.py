"""Contacts' names, telephone numbers and addresses never leave the trial's own page.  Pure.

Officials and responsible investigators are not contacts: who answers for a study is public matter of the record.
"""

from dataclasses import replace
from functools import lru_cache

from watcher.core.paths import PATHS_REMEMBERED
from watcher.model import Difference, Json

_CONTACT_KEYS = frozenset({"centralContacts", "contacts", "pointOfContact"})
_PACKED_KEYS = tuple(f'"{key}":'.encode() for key in sorted(_CONTACT_KEYS))
_IN_ALL_KEYS = b"ontact"  # one look for what all keys share; most items have none of it


@lru_cache(maxsize=PATHS_REMEMBERED)
def is_contact_path(path: str) -> bool:
    """Return whether a path leads to contacts or into one, wherever in a record they stand."""
    return not _CONTACT_KEYS.isdisjoint(path.replace("[]", "").split("."))


def without_contacts(difference: Difference) -> Difference:
    """Return the difference as everybody may read it."""
    if is_contact_path(difference.path):
        return replace(difference, item=None, old=None, new=None)
    return replace(difference, old=_blank_contacts(difference.old), new=_blank_contacts(difference.new))


def may_show_contacts(path: str, *written: bytes) -> bool:
    """Return False only where there are none for sure: a look at the bytes, as most items are large and have none.

    Args:
        path: where the values stand.
        written: the values, as orjson writes them.
    """
    if is_contact_path(path):
        return True
    return any(_IN_ALL_KEYS in value and any(key in value for key in _PACKED_KEYS) for value in written)


def _blank_contacts(value: Json) -> Json:
    if isinstance(value, dict):
        return {
            key: _blanked(below) if key in _CONTACT_KEYS else _blank_contacts(below) for key, below in value.items()
        }
    if isinstance(value, list):
        return [_blank_contacts(below) for below in value]
    return value


def _blanked(value: Json) -> Json:
    """Keep how many contacts there are; take away what they hold."""
    if isinstance(value, list):
        return [_blanked(below) for below in value]
    if isinstance(value, dict):
        return dict.fromkeys(value)
    return None
