"""A clock that was ahead for a while: what was seen then is told when it is right again, and told once."""

import pytest

from tests.flow.world import NOON, OPERATOR, READER, TRIAL, World, daily, immediate, weekly
from watcher.model import Recipient

SUSPENDED = f"[{TRIAL}] Recruitment status: Recruiting → Suspended"


@pytest.mark.parametrize(
    "reader", [pytest.param(make(READER), id=make.__name__) for make in (immediate, daily, weekly)]
)
def test_a_change_seen_while_the_clock_was_ahead_is_told_when_it_is_right_again(
    world: World, reader: Recipient
) -> None:
    world.watch(TRIAL, readers=[reader])
    world.begin()
    world.later(days=3650)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.check()
    world.clock.moment = NOON
    for _ in range(3):
        world.round()
    world.later(days=8)
    world.round()
    assert world.mail_server.subjects == [SUSPENDED]


def test_a_mail_deferred_while_the_clock_was_ahead_is_tried_when_it_is_right_again(world: World) -> None:
    world.begin()
    world.later(days=3650)
    world.mail_server.defer(times=1)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.clock.moment = NOON
    world.round()
    world.round()
    assert world.mail_server.subjects == [SUSPENDED]


def test_a_mail_deferred_again_when_the_clock_is_right_waits_its_time(world: World) -> None:
    world.begin()
    world.later(days=3650)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.check()
    world.digest()
    world.clock.moment = NOON
    world.mail_server.defer(times=2)
    for _ in range(3):
        world.round()
    assert len(world.mail_server.tried) == 1


def test_an_outage_seen_while_the_clock_was_ahead_is_over_when_it_is_right_again(world: World) -> None:
    world.begin()
    world.later(days=3650)
    world.mail_server.down = True
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.mail_server.down = False
    world.clock.moment = NOON
    world.round()
    assert SUSPENDED in world.mail_server.subjects


def test_trouble_that_began_while_the_clock_was_ahead_is_told_to_the_operator(world: World) -> None:
    world.begin()
    world.later(days=3650)
    world.registry.fault("server_error", times=None)
    world.round()
    world.clock.moment = NOON
    for _ in range(3):
        world.round()
    assert len(world.mail_server.to(OPERATOR)) == 1


def test_a_registry_that_goes_back_is_believed_in_the_end_although_the_clock_was_ahead(world: World) -> None:
    world.begin()
    old = world.registry.day
    world.later(days=3650)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.clock.moment = NOON
    world.registry.day = old
    assert world.round().outcome is not None
