"""A location as it is compared with others, how much of it that does not name it is the same, and where it is.  Pure.

Does not decide which location is which: see ``sites.py``.
"""

from dataclasses import dataclass
from math import cos, hypot, radians

from watcher.core.fields import text_of
from watcher.core.items.names import folded
from watcher.core.items.places import country_key, similar_names
from watcher.core.items.site_names import is_placeholder, split_token
from watcher.model import Json

Point = tuple[float, float]  # latitude and longitude, degrees
_KM_PER_DEGREE = 111.2  # of latitude; of longitude at the equator
_NEAR, _FAR = 1.0, 50.0  # km


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
    point: Point | None  # None = not given


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


def _point(value: Json) -> Point | None:
    if not isinstance(value, dict):
        return None
    lat, lon = value.get("lat"), value.get("lon")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    return (float(lat), float(lon)) if abs(lat) <= 90 and abs(lon) <= 180 else None


def near(old: Site, new: Site) -> bool:
    """Return whether the map shows both within a kilometre."""
    if old.point is None or new.point is None:
        return False
    return old.point == new.point or _distance(old.point, new.point) <= _NEAR


def _distance(one: Point, other: Point) -> float:
    """Return the kilometres between two points, as exactly as short distances need."""
    east = (other[1] - one[1]) * cos(radians((one[0] + other[0]) / 2))
    return hypot(other[0] - one[0], east) * _KM_PER_DEGREE


def is_elsewhere(old: Json, new: Json) -> bool:
    """Return whether one location is in another place now, and not only its address in other words.

    That is so in another country, and in another city unless ZIP or map say that it is the same place.  Where they
    cannot tell, cities with names that are alike are one: "Napoli" is "Naples".
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    if all(old.get(key) == new.get(key) for key in ("city", "country")):  # nearly always; reading costs more
        return False
    was, now = read_site(old), read_site(new)
    if was.country and now.country and was.country != now.country:
        return True
    if not was.city or not now.city or was.city == now.city or near(was, now) or (was.zip and was.zip == now.zip):
        return False
    far = was.point is not None and now.point is not None and _distance(was.point, now.point) > _FAR
    return far or zips_differ(was, now) or not similar_names(was.city, now.city)


def likeness_of_the_rest(old: Site, new: Site) -> float:
    """Return how much of what does not name a site is the same, from 0 to 1; what says most about it first."""
    same = (
        old.token == new.token,
        old.zip == new.zip,
        near(old, new) or (old.point is None and new.point is None),
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
