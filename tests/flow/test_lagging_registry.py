"""The registry answers from several machines; for some minutes after a release, some of them serve the one before."""

from datetime import timedelta

import pytest

from tests.flow.world import TRIAL, World
from watcher.core.freshness import PATIENCE
from watcher.errors import RegistryError
from watcher.model import Reason


def test_an_answer_of_the_release_before_is_not_taken_for_the_new_one(world: World) -> None:
    world.begin(TRIAL)
    old, told = world.registry.day, len(world.mail_server.accepted)
    world.registry.publish(TRIAL, status="SUSPENDED")
    new = world.registry.day

    def lag() -> None:
        world.registry.day = old
        world.registry.before_request("/version", lambda: setattr(world.registry, "day", new))

    world.registry.before_request("/studies", lag)
    outcome = world.check()
    assert outcome.refused == {Reason.LAGGING: 1}
    assert world.history() == [[]]

    world.round()
    assert [len(changes) > 0 for changes in world.history()] == [False, True]
    assert len(world.mail_server.accepted) == told + 1


def test_a_machine_that_names_the_release_before_changes_nothing_back(world: World) -> None:
    world.begin(TRIAL)
    old = world.registry.day
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    told = len(world.mail_server.accepted)

    world.registry.day = old
    with pytest.raises(RegistryError) as caught:
        world.check()
    assert caught.value.reason is Reason.LAGGING
    world.round()
    assert len(world.mail_server.accepted) == told


def test_a_registry_that_goes_back_for_good_is_believed_in_the_end(world: World) -> None:
    world.begin(TRIAL)
    old = world.registry.day
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.registry.day = old
    world.later(hours=(PATIENCE + timedelta(hours=1)) / timedelta(hours=1))
    assert world.check().changed == 1
