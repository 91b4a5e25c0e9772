"""Which location of a study is which location of its successor?  Pure.

Equal items are found by ``matching.py``.  What is left is matched by the facility's name in its place, by the sponsor's
number of the site, by the name where the place is spelt otherwise, by a similar name in one place, and last by a
placeholder: sponsors list "Research Site" until they name the hospital, and some never name it.  So a name that comes
to light is a rename, not a site lost and a site won.  One place is the same ZIP, the same city, or a kilometre.

Several placeholders in one city are paired by their ZIP, map point, contacts and status, and never merged: as many
sites come out as go in.

Does not judge whether a respelling is the registry's doing or the sponsor's.

Source: domain rules, section 3.5 and the cases of 3.3.  Thresholds measured 2026-11-22 on 51 renames, 24 real ones and
27 written by hand, and on 978 pairs of facilities that one record lists in one city: renames found and pairs wrongly
joined are 86 % and 12 % with the same ZIP (most of these are departments of one hospital), 84 % and 6 % with none,
67 % and 2 % with different ones.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from math import floor

from watcher.core.fields import text_of
from watcher.core.items.matching import Matching, canonical, match_items
from watcher.core.items.names import Name, name_likeness, name_of
from watcher.core.items.pairing import MOST_PAIRS, Candidate, choose, joined, paired
from watcher.core.items.places import similar_names
from watcher.core.items.site_look import Site, likeness_of_the_rest, near, read_site, share_a_contact, zips_differ
from watcher.core.items.site_names import COMMON_WORDS
from watcher.model import Json

_PLACE = ("facility", "city", "state", "zip", "country")
_SIMILAR_IN_ONE_ZIP, _SIMILAR_IN_ONE_CITY, _SIMILAR_IN_ANOTHER_ZIP = 0.45, 0.50, 0.65
_NAMED = 10.0  # more than any likeness of places: names decide before placeholders do
_Key = tuple[Hashable, ...]
_Sites = Mapping[int, Site]  # by their places in a list
_Step = Callable[[_Sites, _Sites], Iterator[Candidate]]
_Score = Callable[[Mapping[int, Name], Site, Site], float | None]
# Degrees: more than two kilometres, also in the east of the far north.
_CELL_HEIGHT, _CELL_WIDTH = 0.02, 0.06


def match_sites(before: Sequence[Json], after: Sequence[Json]) -> Matching:
    """Return which locations correspond, which went and which came; equal ones are left out of all three.

    Args:
        before, after: ``contactsLocationsModule.locations``; items of any JSON type.
    """
    different = match_items(before, after, ())
    if not different.removed or not different.added:
        return different
    same_place = paired(different.removed, different.added, _alone_in_place(different.removed, different.added))
    if not same_place.removed or not same_place.added:
        return same_place
    return joined(same_place, _match_further(same_place.removed, same_place.added))


def _alone_in_place(removed: Sequence[Json], added: Sequence[Json]) -> dict[int, int]:
    """Return the sites whose name and place stand to the letter and are no other site's: nearly all there are."""
    olds, news = _by_place(removed), _by_place(added)
    return {
        places[0]: news[key][0]
        for key, places in olds.items()
        if len(places) == 1 and key in news and len(news[key]) == 1
    }


def _by_place(items: Sequence[Json]) -> dict[_Key, list[int]]:
    found: dict[_Key, list[int]] = {}
    for place, item in enumerate(items):
        if isinstance(item, dict):
            key = tuple(text_of(item, field) for field in _PLACE)
            found.setdefault(key, []).append(place)
    return found


def _match_further(removed: Sequence[Json], added: Sequence[Json]) -> Matching:
    olds = {place: read_site(item) for place, item in enumerate(removed) if isinstance(item, dict)}
    news = {place: read_site(item) for place, item in enumerate(added) if isinstance(item, dict)}
    partners: dict[int, int] = {}
    for step in (*map(_by, _IDENTITIES), _in_another_city, _alike_in(_zip), _alike_in(_city), _alike_nearby):
        found = choose(removed, added, step(olds, news))
        partners |= found
        for old, new in found.items():
            del olds[old], news[new]
        if not olds or not news:
            break
    return paired(removed, added, partners)


def _facility_in_place(site: Site) -> _Key | None:
    """For placeholders too, so they are told apart by more than a city."""
    return (site.facility, site.city, site.zip, site.country) if site.city or site.zip else None


def _token_in_city(site: Site) -> _Key | None:
    return (site.token, site.country, site.city) if site.token else None


def _facility_in_city(site: Site) -> _Key | None:
    return None if site.nameless or not site.city else (site.facility, site.city, site.country)


def _facility_in_zip(site: Site) -> _Key | None:
    return None if site.nameless or not site.zip else (site.facility, site.zip, site.country)


def _token_in_country(site: Site) -> _Key | None:
    return (site.token, site.country) if site.token else None


def _facility_abroad(site: Site) -> _Key | None:
    """A country that is spelt in a way that ``places.py`` does not know."""
    return None if site.nameless or not site.city else (site.facility, site.city, site.zip)


# Sponsors renumber their sites: a number means less than a name in its place, and more than a name alone.
_IDENTITIES = (
    _facility_in_place,
    _token_in_city,
    _facility_in_city,
    _facility_in_zip,
    _token_in_country,
    _facility_abroad,
)


def _by(key: Callable[[Site], _Key | None]) -> _Step:
    def candidates(olds: _Sites, news: _Sites) -> Iterator[Candidate]:
        for group_of_olds, group_of_news in _groups(key, olds, news):
            yield from _within(group_of_olds, group_of_news, likeness_of_the_rest)

    return candidates


def _groups(key: Callable[[Site], _Key | None], olds: _Sites, news: _Sites) -> Iterator[tuple[_Sites, _Sites]]:
    """Yield the sites of both sides that share a key."""
    groups: dict[_Key, tuple[dict[int, Site], dict[int, Site]]] = {}
    for side, sites in enumerate((olds, news)):
        for place, site in sites.items():
            if (found := key(site)) is not None:
                groups.setdefault(found, ({}, {}))[side][place] = site
    for group_of_olds, group_of_news in groups.values():
        if group_of_olds and group_of_news:
            yield group_of_olds, group_of_news


def _within(olds: _Sites, news: _Sites, score: Callable[[Site, Site], float | None]) -> Iterator[Candidate]:
    """Yield who may be who in one group."""
    for old, new in _possible_pairs(olds, news):
        found = score(olds[old], news[new])
        if found is not None:
            yield Candidate(score=found, old=old, new=new)


def _possible_pairs(olds: _Sites, news: _Sites) -> Iterator[tuple[int, int]]:
    """Yield each with each; of a huge group one with one, in a lasting order, because all would take too long."""
    if len(olds) * len(news) <= MOST_PAIRS:
        yield from product(olds, news)
    else:
        in_order = (sorted(sites, key=lambda place: _order(sites[place])) for sites in (olds, news))
        yield from zip(*in_order, strict=False)


def _order(site: Site) -> tuple[str, str, bytes]:
    return site.zip, str(site.point), canonical(site.item)


def _in_another_city(olds: _Sites, news: _Sites) -> Iterator[Candidate]:
    """The same facility in a city that is spelt otherwise; a chain has houses in many, so the ZIP must not deny it."""

    def key(site: Site) -> _Key | None:
        return None if site.nameless else (site.facility, site.country)

    def score(old: Site, new: Site) -> float | None:
        if zips_differ(old, new) or not (near(old, new) or similar_names(old.city, new.city)):
            return None
        return likeness_of_the_rest(old, new)

    for group_of_olds, group_of_news in _groups(key, olds, news):
        yield from _within(group_of_olds, group_of_news, score)


def _zip(site: Site) -> _Key | None:
    return (site.zip, site.country) if site.zip else None


def _city(site: Site) -> _Key | None:
    return (site.city, site.country) if site.city else None


def _alike_in(place: Callable[[Site], _Key | None], score: _Score | None = None) -> _Step:
    """Sites in one place with names that are alike, or with one contact; or of which one has no name."""

    def candidates(olds: _Sites, news: _Sites) -> Iterator[Candidate]:
        for group_of_olds, group_of_news in _groups(place, olds, news):
            sites = (*group_of_olds.values(), *group_of_news.values())
            names = {id(site): _name(site) for site in sites if not site.nameless}
            yield from _within(group_of_olds, group_of_news, partial(score or _alike, names))

    return candidates


def _alike_nearby(olds: _Sites, news: _Sites) -> Iterator[Candidate]:
    """The same within a kilometre: the city is spelt otherwise, or a suburb is told as its city."""

    def score(names: Mapping[int, Name], old: Site, new: Site) -> float | None:
        return _alike(names, old, new) if near(old, new) else None

    for cell in _CELLS:
        yield from _alike_in(cell, score)(olds, news)


def _cell(north: float, east: float) -> Callable[[Site], _Key | None]:
    """Return the key of a site's cell in a grid that is shifted by a part of a cell."""

    def key(site: Site) -> _Key | None:
        if site.point is None:
            return None
        lat, lon = site.point
        return (floor(lat / _CELL_HEIGHT + north), floor(lon / _CELL_WIDTH + east), site.country)

    return key


# Any two points that are near each other share a cell of one of these grids at least.
_CELLS = tuple(_cell(north, east) for north in (0.0, 0.5) for east in (0.0, 0.5))


def _alike(names: Mapping[int, Name], old: Site, new: Site) -> float | None:
    if old.nameless or new.nameless:
        return likeness_of_the_rest(old, new) if _may_be_nameless(old, new) else None
    likeness = name_likeness(names[id(old)], names[id(new)])
    if likeness >= _threshold(old, new) or (old.zip and old.zip == new.zip and share_a_contact(old, new)):
        return likeness + _NAMED
    return None


def _name(site: Site) -> Name:
    return name_of(site.facility, common=COMMON_WORDS | {*site.city.split(), *site.state.split()}, folding=False)


def _threshold(old: Site, new: Site) -> float:
    if zips_differ(old, new):
        return _SIMILAR_IN_ANOTHER_ZIP
    return _SIMILAR_IN_ONE_ZIP if old.zip and new.zip else _SIMILAR_IN_ONE_CITY


def _may_be_nameless(old: Site, new: Site) -> bool:
    """Return whether nothing but a name says that these are two sites."""
    if old.token and new.token:  # they differ, or the number would have paired them
        return False
    if not zips_differ(old, new):
        return True
    # Both unnamed, one city, another ZIP: a corrected address if all else stands, otherwise two sites.
    return old.nameless and new.nameless and old.item.get("status") == new.item.get("status")
