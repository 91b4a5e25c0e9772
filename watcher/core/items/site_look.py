"""A location as it is compared with others, and how much of it that does not name it is the same.  Pure.

Does not decide which location is which: see ``sites.py``.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from watcher.core.fields import text_of
from watcher.core.items.names import folded
from watcher.core.items.places import country_key
from watcher.core.items.site_names import is_placeholder, split_token
from watcher.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A location as it is compared; texts are folded, "" = not given."""

    item: Json
    facility: str  # without the sponsor's number; a placeholder with it
    token: str | None  # the sponsor's number of the site
    nameless: bool  # no name, or a placeholder for one
    city: str
    state: str
    zip: str
    country: str
    point: Hashable  # latitude and longitude, to about a kilometre; None = not given


def read_site(item: dict[str, Json]) -> Site:
    """Return a location as it is compared."""
    facility, token = split_token(text_of(item, "facility"))
    nameless = is_placeholder(facility)
    return Site(
        item=item,
        facility=f"{facility} {token or ''}" if nameless else facility,
        token=token,
        nameless=nameless,
        city=folded(text_of(item, "city")),
        state=folded(text_of(item, "state")),
        zip=folded(text_of(item, "zip")).replace(" ", ""),
        country=country_key(text_of(item, "country")),
        point=_point(item.get("geoPoint")),
    )


def _point(value: Json) -> Hashable:
    if not isinstance(value, dict):
        return None
    lat, lon = value.get("lat"), value.get("lon")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    return round(lat, 2), round(lon, 2)


def likeness_of_the_rest(old: Site, new: Site) -> float:
    """Return how much of what does not name a site is the same, from 0 to 1; what says most about it first."""
    same = (
        old.token == new.token,
        old.zip == new.zip,
        old.point == new.point,
        share_a_contact(old, new),
        old.state == new.state,
        bool(old.item.get("status") == new.item.get("status")),
    )
    return sum(2.0**-place for place, found in enumerate(same, start=1) if found)


def share_a_contact(old: Site, new: Site) -> bool:
    """Return whether somebody answers for both."""
    if not old.item.get("contacts") or not new.item.get("contacts"):
        return False
    return not _contacts(old).isdisjoint(_contacts(new))


def _contacts(site: Site) -> set[str]:
    contacts = site.item.get("contacts")
    people = (contact for contact in contacts if isinstance(contact, dict)) if isinstance(contacts, list) else ()
    return {folded(found) for contact in people for key in ("name", "email") if (found := text_of(contact, key))}


def zips_differ(old: Site, new: Site) -> bool:
    """Return whether both have a ZIP, and not the same."""
    return bool(old.zip and new.zip and old.zip != new.zip)
