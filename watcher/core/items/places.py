"""Spellings of places that the registry has changed, or may change, on its own.  Pure.

Not a gazetteer: cities are only ever compared when the facility's name is the same.

Source: country names in records of 2022 to 2026; the registry's "Napoli" → "Naples" and "Padua" → "Padova" of 2026.
"""

from functools import lru_cache

from rapidfuzz.fuzz import ratio

from watcher.core.fields import value_at
from watcher.core.items.names import folded
from watcher.model import Json

LOCATIONS = "protocolSection.contactsLocationsModule.locations"
_SAME_PLACE = 60  # percent of two spellings: "Napoli" and "Naples" share 67, "Wien" and "Vienna" 60
_COUNTRIES = {
    "bolivia plurinational state of": "bolivia",
    "bosnia and herzegowina": "bosnia and herzegovina",
    "cabo verde": "cape verde",
    "congo the democratic republic of the": "democratic republic of the congo",
    "czech republic": "czechia",
    "former yugoslavia": "serbia",
    "holland": "netherlands",
    "iran islamic republic of": "iran",
    "korea democratic peoples republic of": "north korea",
    "korea republic of": "south korea",
    "lao peoples democratic republic": "laos",
    "libyan arab jamahiriya": "libya",
    "macedonia the former yugoslav republic of": "north macedonia",
    "former yugoslav republic of macedonia": "north macedonia",
    "macedonia": "north macedonia",
    "moldova republic of": "moldova",
    "palestinian territories occupied": "palestine",
    "palestinian territory occupied": "palestine",
    "russian federation": "russia",
    "serbia and montenegro": "serbia",
    "swaziland": "eswatini",
    "syrian arab republic": "syria",
    "taiwan province of china": "taiwan",
    "tanzania united republic of": "tanzania",
    "the netherlands": "netherlands",
    "turkey turkiye": "turkey",
    "turkiye": "turkey",
    "venezuela bolivarian republic of": "venezuela",
    "viet nam": "vietnam",
}


@lru_cache(maxsize=512)
def country_key(country: str) -> str:
    """Return a country's name as it is compared: the same for all spellings that the registry has used."""
    name = folded(country)
    return _COUNTRIES.get(name, name)


def countries_of(record: Json) -> frozenset[str]:
    """Return the countries in which a decoded record has a site, as they are written there."""
    locations = value_at(record, LOCATIONS)
    listed = locations if isinstance(locations, list) else []
    found = (location.get("country") for location in listed if isinstance(location, dict))
    return frozenset(name for name in found if isinstance(name, str))


def similar_names(one: str, other: str) -> bool:
    """Return whether two folded names may be spellings of one city, or of one country."""
    return one in other or other in one or ratio(one, other) >= _SAME_PLACE
