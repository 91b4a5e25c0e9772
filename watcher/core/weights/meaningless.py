"""Rules that find no meaning in a difference: it is recorded and counted, and not told.  Pure.

What a rule takes and returns, ``rule.py`` says.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from watcher.core.fields import FieldTable, value_at
from watcher.core.items.names import folded
from watcher.core.items.naming import link_key
from watcher.core.items.places import country_key, similar_names
from watcher.core.paths import CITY, COUNTRY, ELIGIBILITY_CRITERIA, LEAD_SPONSOR, LOCATIONS
from watcher.core.texts.ages import same_age
from watcher.core.texts.criteria_changes import criteria_changes
from watcher.core.texts.durations import in_smallest_units
from watcher.core.texts.prose import is_cosmetic
from watcher.core.weights.rule import Rule, at, below, everywhere, like, rule
from watcher.core.weights.step import Step
from watcher.core.weights.weight import Weight
from watcher.model import Difference, How, Json, Severity

_ADDRESS = tuple(f"{LOCATIONS}.{leaf}" for leaf in ("city", "state", "zip", "country", "countryCode"))
_GEO_POINT = LOCATIONS + ".geoPoint"
_AGES = tuple(f"protocolSection.eligibilityModule.{leaf}imumAge" for leaf in ("min", "max"))
_TIME_FRAME = re.compile(r"Outcomes\[\]\.timeFrame$")
_REMOVED_COUNTRIES = "derivedSection.miscInfoModule.removedCountries[]"
_INTERVENTION_NAMES = frozenset(
    f"protocolSection.armsInterventionsModule.{leaf}"
    for leaf in ("armGroups[].interventionNames[]", "interventions[].otherNames[]")
)

_ORGANIZATION = "protocolSection.identificationModule.organization.fullName"
# What the registry derives, spells or matches by itself.
_REGISTRY_S_OWN = re.compile(
    r"\.(city|state|zip|country|countryCode)$|\.geoPoint\b|BrowseModule\.|\.class$|\.citation$|removedCountries"
)


@rule(at(*_ADDRESS), below(_GEO_POINT))
def address(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """The address of a location in other words, or what a place that it has moved to says besides its city."""
    path = difference.path
    if path == COUNTRY and not _same_country(difference.old, difference.new):
        return weight
    if path == CITY and difference.moved:
        return weight
    return weight.says("address", Severity.NOISE)


def _same_country(old: Json, new: Json) -> bool:
    return isinstance(old, str) and isinstance(new, str) and country_key(old) == country_key(new)


@rule(lambda path: path in _SPELLINGS)
def spelling(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """The name of a place, or an ID, in the same letters and digits; an address that leads to the same page."""
    old, new = difference.old, difference.new
    key = _SPELLINGS[difference.path]
    if not isinstance(old, str) or not isinstance(new, str):
        return weight
    return weight.says("M9", Severity.NOISE) if key(old) and key(old) == key(new) else weight


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


@rule(like(_REGISTRY_S_OWN))
def drift(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """M8: what the registry changes in its own fields without a sponsor update."""
    if not step.by_registry:
        return weight
    if difference.path == COUNTRY and not _may_be_one_country(difference.old, difference.new):
        return weight
    return weight.says("M8", Severity.NOISE)


def _may_be_one_country(old: Json, new: Json) -> bool:
    """Return whether the registry may only have respelled a country, also in a way that ``places.py`` does not know."""
    return isinstance(old, str) and isinstance(new, str) and similar_names(country_key(old), country_key(new))


@rule(everywhere)
def appearance(difference: Difference, _step: Step, weight: Weight, table: FieldTable) -> Weight:
    """M9: texts that differ in form only, criteria also in their order; and nothing in place of something empty."""
    old, new = difference.old, difference.new
    if _is_empty(old) and _is_empty(new):
        return weight.says("M9", Severity.NOISE)
    if not isinstance(old, str) or not isinstance(new, str) or table.rule(difference.path).enum:
        return weight
    same = not criteria_changes(old, new) if difference.path == ELIGIBILITY_CRITERIA else is_cosmetic(old, new)
    return weight.says("M9", Severity.NOISE) if same else weight


def _is_empty(value: Json) -> bool:
    return value is None or value in ("", [], {})


@rule(like(_TIME_FRAME))
def time_frame(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """The time frame of an outcome in other units: a year is twelve months, two weeks are fourteen days."""
    old, new = difference.old, difference.new
    if not isinstance(old, str) or not isinstance(new, str):
        return weight
    same = is_cosmetic(in_smallest_units(old), in_smallest_units(new))
    return weight.says("equal-time", Severity.NOISE) if same else weight


@rule(at(*_AGES))
def age(difference: Difference, _step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """An age limit in another unit."""
    old, new = difference.old, difference.new
    if isinstance(old, str) and isinstance(new, str) and same_age(old, new):
        return weight.says("equal-age", Severity.NOISE)
    return weight


@rule(at(*_INTERVENTION_NAMES, _REMOVED_COUNTRIES, _ORGANIZATION))
def repetition(difference: Difference, step: Step, weight: Weight, _table: FieldTable) -> Weight:
    """What another field says as well.

    A country whose last location went, the sponsor as an organization, an intervention by its new name in its arms.
    """
    if difference.path in _INTERVENTION_NAMES:
        name = difference.new if difference.how is How.ADDED else difference.old
        names = {folded(name), folded(name.partition(": ")[2])} if isinstance(name, str) else set()
        said = not step.renamed_interventions.isdisjoint(names)
    elif difference.path == _REMOVED_COUNTRIES:
        before, after = step.countries
        gone, come = before - after, after - before
        name, told = (difference.old, come) if difference.how is How.REMOVED else (difference.new, gone)
        said = isinstance(name, str) and country_key(name) in told
    else:
        moved = (value_at(record, LEAD_SPONSOR) for record in (step.before, step.after))
        said = (difference.old, difference.new) == tuple(moved)
    return weight.says("repeat", Severity.NOISE) if said else weight


_SPELLINGS: Mapping[str, Callable[[str], str]] = {  # what is the same for spellings of one thing
    LOCATIONS + ".facility": _letters,
    "protocolSection.identificationModule.orgStudyIdInfo.id": _letters,
    "protocolSection.identificationModule.secondaryIdInfos[].id": _letters,
    "protocolSection.referencesModule.seeAlsoLinks[].url": link_key,
    "protocolSection.referencesModule.availIpds[].url": link_key,
    "protocolSection.ipdSharingStatementModule.url": link_key,
}
MEANINGLESS: tuple[Rule, ...] = (address, spelling, drift, appearance, time_frame, age, repetition)
