"""Who hears of which change, by which schedule, and why or why not?  Pure: routes and changes come in as arguments.

What is routed is a story: all the changes that one sentence tells.  It is as severe as the worst of them, and a route
takes it when it is severe enough, when one of its changes is of a category of the route, and when one of them concerns
a country of the route.  A change of a site concerns the site's country; any other change concerns every country in
which the trial has, or had before, a site.

An address hears a story once, however many of its routes take it: by the most urgent schedule.  What no route takes
goes to the catch-all, so that no change is without a reader.

Does not know which trials a route is for (``store/lists.py``), nor when a schedule's windows close (``windows.py``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from watcher.core.items.places import LOCATIONS, country_key
from watcher.model import Cadence, Change, Route, Schedule, Severity

CATCH_ALL = "catch-all"  # the name of the route that takes what no other one does
_WITHIN_ITEM = " › "  # in the identity of something within a site, after that of the site
_URGENCY = list(Cadence)  # the most urgent first


class Answer(StrEnum):
    """Whether a route takes a story, and why not."""

    TOLD = "told"
    TOLD_MORE_URGENTLY = "told by a more urgent route"
    BELOW_SEVERITY = "not told: below your severity"
    OTHER_CATEGORY = "not told: not in your categories"
    OTHER_COUNTRY = "not told: not in your countries"
    TAKEN_BY_OTHERS = "not told: others hear of it"  # the catch-all's


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The told changes that one sentence tells, as far as routes look at them."""

    id: str
    severity: Severity  # of the worst
    category: str  # of the worst: the one under which a digest tells it
    categories: frozenset[str]
    countries: frozenset[str]  # keys of country names, see ``country_key``


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a route has to do with a story."""

    route: Route
    story: Story
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one address hears in one way."""

    address: str
    schedule: Schedule
    pierces: bool  # it waits for nothing: critical, and the reader wants that so
    stories: tuple[Story, ...]
    routes: tuple[str, ...]  # the names of those that take any of it: why the reader hears it

    @property
    def severity(self) -> Severity:
        return min((story.severity for story in self.stories), key=lambda severity: severity.rank)


# --- stories ----------------------------------------------------------------------------------------------------------


def stories_of(changes: Iterable[Change], countries: frozenset[str] = frozenset()) -> tuple[Story, ...]:
    """Return the stories that a revision tells, in the order of their first changes; what is not told is left out.

    Args:
        changes: of one revision.
        countries: in which the trial has a site, before or after, as the registry writes them.
    """
    told: dict[str, list[Change]] = {}
    for change in changes:
        if change.told:
            told.setdefault(change.story, []).append(change)
    stories = []
    for story, of_it in told.items():
        worst = min(of_it, key=lambda change: change.severity.rank)
        concerned = frozenset[str]().union(*(_concerned(change, countries) for change in of_it))
        stories.append(
            Story(
                id=story,
                severity=worst.severity,
                category=worst.category,
                categories=frozenset(change.category for change in of_it),
                countries=frozenset(map(country_key, concerned)),
            )
        )
    return tuple(stories)


def _concerned(change: Change, countries: frozenset[str]) -> frozenset[str]:
    """Return the countries that a change concerns: its site's, if that can be told, or all of the trial's."""
    if not change.path.startswith(f"{LOCATIONS}[]"):
        return countries
    if change.path == f"{LOCATIONS}[].country":
        return frozenset(value for value in (change.old, change.new) if isinstance(value, str))
    sides = (change.old, change.new)
    named = frozenset(
        side["country"] for side in sides if isinstance(side, dict) and isinstance(side.get("country"), str)
    )
    if named:
        return named
    # A site is named by facility, city and country, and a country may have a comma in its name.
    site = (change.item or "").partition(_WITHIN_ITEM)[0]
    ends = [name for name in countries if site == name or site.endswith(f", {name}")]
    return frozenset([max(ends, key=len)]) if ends else countries


# --- who hears --------------------------------------------------------------------------------------------------------


def judge(route: Route, story: Story) -> Answer:
    """Return whether a route takes a story, or the first reason why it does not."""
    if story.severity.rank > route.severity.rank:
        return Answer.BELOW_SEVERITY
    if route.categories is not None and story.categories.isdisjoint(route.categories):
        return Answer.OTHER_CATEGORY
    if route.countries is not None and story.countries.isdisjoint(map(country_key, route.countries)):
        return Answer.OTHER_COUNTRY
    return Answer.TOLD


def judgements(
    stories: Sequence[Story], routes: Sequence[Route], catch_all: Route | None = None
) -> tuple[Judgement, ...]:
    """Return what each route has to do with each story, story by story; the catch-all last, where there is one.

    Args:
        stories: of one revision.
        routes: for its trial; of two equally urgent ones of an address the first counts.
        catch_all: takes what none of them takes.
    """
    found = []
    for story in stories:
        first = _most_urgent([route for route in routes if judge(route, story) is Answer.TOLD], story)
        for route in routes:
            answer = judge(route, story)
            if answer is Answer.TOLD and first[route.address] is not route:
                answer = Answer.TOLD_MORE_URGENTLY
            found.append(Judgement(route=route, story=story, answer=answer))
        if catch_all is not None:
            answer = Answer.TAKEN_BY_OTHERS if first else Answer.TOLD
            found.append(Judgement(route=catch_all, story=story, answer=answer))
    return tuple(found)


def assign(stories: Sequence[Story], routes: Sequence[Route], catch_all: Route | None = None) -> tuple[Assignment, ...]:
    """Return who hears which stories by which schedule; each story once for each address; see ``judgements``."""
    taken: dict[tuple[str, Schedule, bool], dict[Story, None]] = {}
    names: dict[tuple[str, Schedule, bool], dict[str, None]] = {}
    key_of: dict[tuple[str, Story], tuple[str, Schedule, bool]] = {}
    found = judgements(stories, routes, catch_all)
    for one in found:
        if one.answer is Answer.TOLD:
            address, schedule = one.route.address, one.route.schedule
            key = (address, schedule, _pierces(schedule, one.story))
            key_of[address, one.story] = key
            taken.setdefault(key, {})[one.story] = None
    for one in found:
        if one.answer in {Answer.TOLD, Answer.TOLD_MORE_URGENTLY}:
            names.setdefault(key_of[one.route.address, one.story], {})[one.route.name] = None
    return tuple(
        Assignment(address=key[0], schedule=key[1], pierces=key[2], stories=tuple(those), routes=tuple(names[key]))
        for key, those in taken.items()
    )


def most_urgent(routes: Iterable[Route]) -> dict[str, Route]:
    """Return the most urgent route of each address; of equally urgent ones the first."""
    found: dict[str, Route] = {}
    for route in routes:
        other = found.get(route.address)
        if other is None or _urgency(route.schedule) < _urgency(other.schedule):
            found[route.address] = route
    return found


def concerns(route: Route, lists: Iterable[str], opted_out: Collection[str]) -> bool:
    """Return whether a trial concerns a route, after what its reader asked to hear no more of.

    Args:
        route: one whose tags suit the trial.
        lists: that the trial is on.
        opted_out: the lists that the reader does not want to hear of; "" = of any.
    """
    by = [name for name in lists if not route.watchlists or name in route.watchlists]
    return "" not in opted_out and any(name not in opted_out for name in by)


def untaken(routes: Sequence[Route], categories: Iterable[str]) -> Mapping[str, Severity]:
    """Return the categories of which no route takes every change, each with the worst severity that none takes.

    A route for some countries takes nothing here, because a trial may have none of them.
    """
    everywhere = [route for route in routes if route.countries is None]
    found: dict[str, Severity] = {}
    for category in categories:
        for severity in (one for one in Severity if one is not Severity.NOISE):
            story = Story(
                id="",
                severity=severity,
                category=category,
                categories=frozenset([category]),
                countries=frozenset(),
            )
            if all(judge(route, story) is not Answer.TOLD for route in everywhere):
                found[category] = severity
                break
    return found


def _most_urgent(routes: Sequence[Route], story: Story) -> dict[str, Route]:
    piercing = [route for route in routes if _pierces(route.schedule, story)]
    return most_urgent(routes) | most_urgent(piercing)


def _pierces(schedule: Schedule, story: Story) -> bool:
    return schedule.critical_pierces and story.severity is Severity.CRITICAL


def _urgency(schedule: Schedule) -> int:
    return _URGENCY.index(schedule.cadence)
