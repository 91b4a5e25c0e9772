"""Match the items of a list in the way that suits what it lists.  Pure.

Locations have their own module.  Every other list is matched by the identity that the field table names for it; for
the lists in ``FURTHER`` what is left is matched by keys that the table cannot express (a person's name without
degrees, the DOI within a citation), then by likeness: an arm "Examplemab (EX-514)" that becomes "Examplemab" is
renamed.  Some lists have a last alternative in the table that is only good where nothing else was found (the
positional ID of a results group); it pairs only what stands alone.

Does not know outcome measures of the protocol, which move between sections: see ``outcomes.py``.

Source: domain rules, section 3.5, and the list keys in the field table.  Thresholds measured 2026-11-22 on 29 pairs
of names, most of them real renames, and on all pairs of names that stand side by side in one list of 1,087 records.
Of these, which are two things, at these thresholds 19 % of arms, 7 % of interventions, 13 % of reported outcomes and
under 1 % of collaborators and citations are alike, so the most alike come first.  Not measured: officials, whose
names are masked in the records at hand.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from watcher.core.fields import text_of
from watcher.core.items.matching import Identity, Matching, canonical, match_items, normalised
from watcher.core.items.names import Name, folded, name_likeness, name_of
from watcher.core.items.naming import citation_key, company_key, doi_key, identifier_key, link_key, person_key
from watcher.core.items.pairing import Candidate, choose, joined, match_by_likeness, paired
from watcher.core.items.sites import match_sites
from watcher.core.paths import LOCATIONS, REFERENCES
from watcher.model import Json

GROUP_IDENTITY: Identity = (("title",), ("id",))

_SAME_OTHER_NAME, _SAME_DESCRIPTION = 0.95, 0.9  # count as that much of a likeness of names
_REST = 0.05  # what all other fields count together: they decide between names that are equally alike


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ARM_WORDS = _words(
    "arm arms group groups cohort part phase stage step regimen study drug dose level treatment experimental control"
    " participants patients subjects of the and in with plus to for or a an by on at then followed"
)
_OUTCOME_WORDS = _words(
    "number percentage proportion rate mean median of the participants patients subjects who with without in at to from"
    " for and or by on a an as measured assessed using based change baseline score scores"
)
_COMPANY_WORDS = _words("university hospital institute institutes center centre national foundation of the and for de")

_KeyOf = Callable[[dict[str, Json]], Hashable]  # None = the item has no such key


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """How what the table's identity leaves over is matched."""

    alternatives: int | None = None  # of the table's identity, how many come first; the others come last; None = all
    keys: tuple[_KeyOf, ...] = ()
    field: str | None = None  # that names an item; None = likeness finds nothing
    key: Callable[[str], str] = folded  # of that field, before it is compared
    common: Collection[str] = frozenset()  # words of names that say little
    series: bool = False  # whether letters and words with digits tell items apart
    others: str | None = None  # a field that lists other names
    forbidding: str | None = None  # a field that, where both have it and it differs, says that they are two
    at_least: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """An item ready to be compared by likeness."""

    item: dict[str, Json]
    name: Name
    all_names: frozenset[str]  # folded; empty where the list has no other names
    description: str  # folded


def match_list(path: str, before: Sequence[Json], after: Sequence[Json], identity: Identity) -> Matching:
    """Return which items of a list correspond, which went and which came; equal ones are left out of all three.

    Args:
        path: of the list, dotted, with "[]" at its end.
        before, after: items of any JSON type.
        identity: from the field table.
    """
    if path == LOCATIONS:
        return match_sites(before, after)
    further = FURTHER.get(path)
    return match_items(before, after, identity) if further is None else _match(before, after, identity, further=further)


def match_groups(before: Sequence[Json], after: Sequence[Json]) -> Matching:
    """Return which groups of posted results correspond: by title, by a similar title, then by their IDs."""
    return _match(before, after, GROUP_IDENTITY, further=_GROUPS)


def _match(before: Sequence[Json], after: Sequence[Json], identity: Identity, *, further: Further) -> Matching:
    matching = match_items(before, after, identity[: further.alternatives])
    last = () if further.alternatives is None else identity[further.alternatives :]
    steps = [
        *(partial(_by_key, key=key) for key in further.keys),
        partial(_by_likeness, further=further),
        *(partial(_alone, fields=fields) for fields in last),
    ]
    for step in steps:
        if not matching.removed or not matching.added:
            break
        matching = joined(matching, step(matching.removed, matching.added))
    return matching


def _by_key(removed: Sequence[Json], added: Sequence[Json], *, key: _KeyOf) -> Matching:
    keys = [key(item) if isinstance(item, dict) else None for item in added]
    candidates = [
        Candidate(score=_rest(item, added[new]), old=old, new=new)
        for old, item in enumerate(removed)
        if isinstance(item, dict) and (wanted := key(item)) is not None
        for new, found in enumerate(keys)
        if found == wanted
    ]
    return paired(removed, added, choose(removed, added, candidates))


def _by_likeness(removed: Sequence[Json], added: Sequence[Json], *, further: Further) -> Matching:
    if further.field is None:
        return Matching(pairs=(), removed=tuple(removed), added=tuple(added))
    return match_by_likeness(
        removed,
        added,
        look=partial(_look, further=further),
        likeness=partial(_likeness, further=further),
        at_least=further.at_least,
    )


def _look(item: Json, *, further: Further) -> _Look | None:
    if not isinstance(item, dict):
        return None
    name = text_of(item, further.field)
    listed = item.get(further.others) if further.others else None
    others = [folded(other) for other in listed if isinstance(other, str)] if isinstance(listed, list) else []
    return _Look(
        item=item,
        name=name_of(further.key(name), common=further.common, letters_are_marks=further.series),
        all_names=frozenset([folded(name), *others]) if further.others else frozenset(),
        description=folded(text_of(item, "description")),
    )


def _likeness(old: _Look, new: _Look, *, further: Further) -> float:
    one, other = text_of(old.item, further.forbidding), text_of(new.item, further.forbidding)
    if one and other and one != other:
        return 0.0
    named = name_likeness(old.name, new.name)
    likeness = named
    if old.description and old.description == new.description:
        likeness = max(likeness, _SAME_DESCRIPTION)
    if not old.all_names.isdisjoint(new.all_names):
        likeness = max(likeness, _SAME_OTHER_NAME)
    if likeness < further.at_least:
        return 0.0
    # Between equally good reasons the names decide, then the rest.
    return likeness + _REST * (named + _REST * _rest(old.item, new.item))


def _rest(old: dict[str, Json], new: dict[str, Json]) -> float:
    """Return which part of two items' fields is the same."""
    same = sum(canonical(value) == canonical(new[field]) for field, value in old.items() if field in new)
    return same / max(len(old), len(new), 1)


def _alone(removed: Sequence[Json], added: Sequence[Json], *, fields: tuple[str, ...]) -> Matching:
    """Pair the items that are the only ones on their side with some values."""
    olds, news = (_places(items, fields) for items in (removed, added))
    partners = {
        places[0]: news[key][0] for key, places in olds.items() if len(places) == 1 and len(news.get(key, ())) == 1
    }
    return paired(removed, added, partners)


def _places(items: Sequence[Json], fields: tuple[str, ...]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for place, item in enumerate(items):
        values = [item.get(field) for field in fields] if isinstance(item, dict) else []
        if any(value not in (None, "", []) for value in values):
            key = tuple(canonical(normalised(value) if isinstance(value, str) else value) for value in values)
            found.setdefault(key, []).append(place)
    return found


def _keyed(field: str, key: Callable[[str], str | None], *, beside: str | None = None) -> _KeyOf:
    """Return the key of one field, together with another field that must be the same."""

    def key_of(item: dict[str, Json]) -> Hashable:
        found = key(text) if (text := text_of(item, field)) else None
        return (found, text_of(item, beside)) if found else None

    return key_of


_GROUPS = Further(alternatives=1, field="title", common=_ARM_WORDS, series=True, at_least=0.3)
_PROTOCOL = "protocolSection."
_RESULTS = "resultsSection."
FURTHER: Mapping[str, Further] = {
    _PROTOCOL + "identificationModule.secondaryIdInfos[]": Further(
        keys=(_keyed("id", identifier_key, beside="type"), _keyed("id", identifier_key))
    ),
    _PROTOCOL + "sponsorCollaboratorsModule.collaborators[]": Further(
        keys=(_keyed("name", company_key),), field="name", key=company_key, common=_COMPANY_WORDS, at_least=0.6
    ),
    # The same type with the same interventions comes last: cohorts of one trial often share both.
    _PROTOCOL + "armsInterventionsModule.armGroups[]": Further(
        alternatives=1, field="label", common=_ARM_WORDS, series=True, at_least=0.6
    ),
    _PROTOCOL + "armsInterventionsModule.interventions[]": Further(
        field="name", common=_ARM_WORDS, series=True, others="otherNames", at_least=0.6
    ),
    _PROTOCOL + "contactsLocationsModule.overallOfficials[]": Further(
        keys=(_keyed("name", person_key),), field="name", key=person_key, at_least=0.85
    ),
    REFERENCES: Further(
        keys=(_keyed("citation", doi_key), _keyed("citation", citation_key)),
        field="citation",
        forbidding="pmid",
        at_least=0.8,
    ),
    _PROTOCOL + "referencesModule.seeAlsoLinks[]": Further(alternatives=1, keys=(_keyed("url", link_key),)),
    _RESULTS + "participantFlowModule.groups[]": _GROUPS,
    _RESULTS + "baselineCharacteristicsModule.groups[]": _GROUPS,
    _RESULTS + "outcomeMeasuresModule.outcomeMeasures[]": Further(
        field="title", common=_OUTCOME_WORDS, series=True, at_least=0.5
    ),
    _RESULTS + "outcomeMeasuresModule.outcomeMeasures[].groups[]": _GROUPS,
    _RESULTS + "adverseEventsModule.eventGroups[]": _GROUPS,
}
