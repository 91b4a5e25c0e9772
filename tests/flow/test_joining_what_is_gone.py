"""Joining a trial that the registry does not serve any more: told so once, and told when it is back."""

from tests.flow.world import OTHER, READER, TRIAL, World, daily, immediate, words
from watcher.model import Cadence, Recipient, Schedule, Watchlist

NEWCOMER = "newcomer@example.org"
GONE = f"[{TRIAL}] The registry no longer serves this record"
BACK = f"[{TRIAL}] The registry serves this record again"


def lose(world: World) -> None:
    """Let a watched trial be told as gone, and forget the mails about it."""
    world.begin(TRIAL, OTHER)
    world.registry.remove(TRIAL)
    world.round()
    world.registry.publish_nothing()
    world.round()
    assert world.state().gone_told
    world.mail_server.accepted.clear()


def subjects_to(world: World, reader: str) -> list[str]:
    return [mail.subject for mail in world.mail_server.to(reader)]


def test_a_reader_who_joins_a_trial_that_is_gone_is_told_so_once(world: World) -> None:
    lose(world)
    world.watch(TRIAL, readers=[immediate(), immediate(NEWCOMER)])
    for _ in range(3):
        world.round()
        world.later(hours=1)
    world.registry.publish_nothing()
    world.round()

    assert subjects_to(world, NEWCOMER) == [GONE]
    assert f"NCT number {TRIAL} not found" in words(world.mail_server.to(NEWCOMER)[0].text)
    assert subjects_to(world, READER) == []
    assert world.incidents() == []


def test_it_does_not_wait_for_the_reader_s_digest(world: World) -> None:
    lose(world)
    world.watch(TRIAL, readers=[immediate(), daily(NEWCOMER)])
    world.round()
    assert subjects_to(world, NEWCOMER) == [GONE]


def test_who_joined_a_trial_that_is_gone_hears_when_it_is_found_again(world: World) -> None:
    lose(world)
    world.watch(TRIAL, readers=[immediate(), immediate(NEWCOMER)])
    world.round()
    world.later(hours=1)
    world.registry.publish(TRIAL)
    world.round()
    world.round()

    assert subjects_to(world, NEWCOMER) == [GONE, BACK]
    assert subjects_to(world, READER) == [BACK]


def test_readers_of_a_trial_that_is_gone_who_leave_and_come_back_are_told_where_it_stands(world: World) -> None:
    lose(world)
    readers = [immediate(), daily(NEWCOMER)]
    world.watch(OTHER, readers=readers)
    world.round()
    world.later(hours=1)
    world.mail_server.accepted.clear()
    world.watch(TRIAL, readers=readers)
    world.round()
    world.round()

    for reader in (READER, NEWCOMER):
        assert sorted(subjects_to(world, reader)) == [f"No longer watching {OTHER}", GONE]


def test_a_trial_that_is_listed_again_in_a_later_release_is_told_as_gone_when_the_registry_says_so(
    world: World,
) -> None:
    lose(world)
    world.watch(OTHER)
    world.registry.publish_nothing()
    world.round()
    world.registry.publish_nothing()
    world.mail_server.accepted.clear()
    world.watch(TRIAL)
    world.round()
    assert GONE in world.mail_server.subjects


def test_a_trial_that_is_served_again_when_somebody_joins_is_not_told_as_gone(world: World) -> None:
    lose(world)
    world.registry.publish(TRIAL)
    world.watch(TRIAL, readers=[immediate(NEWCOMER)])
    world.round()
    assert subjects_to(world, NEWCOMER) == [f"Now watching {TRIAL}"]


def test_a_reader_who_joins_between_the_two_absences_is_told_with_the_others(world: World) -> None:
    world.begin()
    world.registry.remove(TRIAL)
    world.round()
    world.watch(TRIAL, readers=[immediate(), immediate(NEWCOMER)])
    world.round()
    assert subjects_to(world, NEWCOMER) == []
    world.registry.publish_nothing()
    world.round()
    assert subjects_to(world, NEWCOMER) == subjects_to(world, READER) == [GONE]


def test_a_reader_whose_notice_still_waits_is_not_told_twice_after_leaving_and_coming_back(world: World) -> None:
    weekly = Recipient(address=NEWCOMER, schedule=Schedule(cadence=Cadence.WEEKLY, time_zone="UTC"))
    world.watch(TRIAL, readers=[weekly])
    lose(world)
    world.watch(OTHER, readers=[weekly])
    world.watch(TRIAL, readers=[weekly])
    world.round()
    world.later(days=8)
    world.round()
    assert subjects_to(world, NEWCOMER).count(GONE) == 1


def test_a_trial_that_was_never_served_is_the_operator_s_as_long_as_it_is_listed(world: World) -> None:
    ours = Watchlist(name="Ours", trials=(OTHER,), recipients=(immediate(),))
    world.registry.publish(OTHER)
    world.declare(ours, Watchlist(name="Wrong", trials=(TRIAL,), recipients=(immediate(),)))
    for _ in range(2):
        world.round()
        world.registry.publish_nothing()
    world.round()
    assert [TRIAL in incident.summary for incident in world.incidents()] == [True]

    world.declare(ours)
    assert world.incidents() == []

    world.declare(ours, Watchlist(name="Wrong", trials=(TRIAL,), recipients=(immediate(),)))
    for _ in range(2):
        world.registry.publish_nothing()
        world.round()
    assert [TRIAL in incident.summary for incident in world.incidents()] == [True]
    assert GONE not in world.mail_server.subjects
