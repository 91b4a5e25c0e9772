"""Contacts' names, telephone numbers and addresses never leave the trial's own page.  Pure.

Officials and responsible investigators are not contacts: who answers for a study is public matter of the record.
"""

from dataclasses import replace

import orjson

from watcher.model import Difference, Json

_CONTACT_KEYS = frozenset({"centralContacts", "contacts", "pointOfContact"})
_PACKED_KEYS = tuple(f'"{key}":'.encode() for key in sorted(_CONTACT_KEYS))


def is_contact_path(path: str) -> bool:
    """Return whether a path leads to contacts or into one, wherever in a record they stand."""
    return not _CONTACT_KEYS.isdisjoint(path.replace("[]", "").split("."))


def without_contacts(difference: Difference) -> Difference:
    """Return the difference as everybody may read it."""
    if is_contact_path(difference.path):
        return replace(difference, item=None, old=None, new=None)
    old, new = difference.old, difference.new
    if not _may_hold_contacts(old) and not _may_hold_contacts(new):
        return difference
    return replace(difference, old=_blank_contacts(old), new=_blank_contacts(new))


def _may_hold_contacts(value: Json) -> bool:
    """Return False only where there are none for sure: a look at the bytes, as most items are large and have none."""
    if not isinstance(value, dict | list):
        return False
    packed = orjson.dumps(value)
    return any(key in packed for key in _PACKED_KEYS)


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
