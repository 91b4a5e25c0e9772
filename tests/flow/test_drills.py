"""A drill goes to those who would hear of the change if it happened, and tells each what they would hear."""

import pytest

from tests.flow.world import NOON, OPERATOR, READER, TRIAL, World, immediate
from watcher.actions.simulating import simulate
from watcher.errors import SettingsError
from watcher.model import Route, Severity, Watchlist

STATUS, SITES, LAST = "status@example.org", "sites@example.org", "last@example.org"
WISHES = ["overallStatus=TERMINATED", "enrollmentInfo.count=41"]


def route(address: str, **only: object) -> Route:
    return Route(name=address, address=address, schedule=immediate().schedule, **only)  # type: ignore[arg-type]  # fields of it


def begin(world: World, *routes: Route, readers: tuple[str, ...] = ()) -> None:
    people = tuple(immediate(address) for address in readers)
    world.declare(Watchlist(name="Ours", trials=(TRIAL,), recipients=people), routes=routes, catch_all=immediate(LAST))
    world.begin()


def told(world: World, *wishes: str) -> dict[str, str]:
    simulate(world.app, TRIAL, wishes or WISHES)
    return {mail.recipient: mail.words for mail in world.mail_server.accepted}


def test_each_reader_gets_what_their_routes_take(world: World) -> None:
    begin(world, route(STATUS, categories=("status",)), route(SITES, categories=("sites",)), readers=(READER,))
    heard = told(world)
    assert set(heard) == {READER, STATUS}
    assert "Terminated" in heard[READER]
    assert "→ 41" in heard[READER]
    assert "Terminated" in heard[STATUS]
    assert "→ 41" not in heard[STATUS]


def test_what_no_route_takes_goes_to_the_last_reader(world: World) -> None:
    begin(world, route(STATUS, severity=Severity.CRITICAL))
    heard = told(world, "enrollmentInfo.count=41")
    assert set(heard) == {LAST}
    assert "→ 41" in heard[LAST]


def test_who_is_named_hears_everything(world: World) -> None:
    begin(world, route(STATUS, categories=("status",)))
    simulate(world.app, TRIAL, WISHES, to=OPERATOR)
    [mail] = world.mail_server.accepted
    assert mail.recipient == OPERATOR
    assert "→ 41" in mail.words


def test_where_nobody_would_hear_the_drill_says_so(world: World) -> None:
    world.declare(Watchlist(name="Ours", trials=(TRIAL,), recipients=()))
    world.begin()
    assert world.clock() == NOON
    with pytest.raises(SettingsError, match="nobody hears of this trial"):
        simulate(world.app, TRIAL, WISHES)
