"""Silence is not peace: all-clears, trials that cannot be verified, a registry that is down or publishes nothing."""

import pytest
from sqlalchemy import select, update

from tests.flow.world import OPERATOR, OTHER, READER, TRIAL, World, daily, immediate, words
from watcher.model import Reason
from watcher.store.tables import watch

MORNING = "2026-03-02T07:00"  # a Monday; the week of a reader in UTC ends


@pytest.fixture
def clear(world: World) -> World:
    """A world whose only reader gets all-clears, on the Monday on which their first week begins."""
    world.restart(watching={"all_clear": True})
    world.at("2026-03-02T06:00")
    world.watch(TRIAL, readers=[daily(READER)])
    world.begin()
    return world


def each_half_hour(world: World, *, hours: float) -> None:
    for _ in range(int(hours * 2)):
        world.later(minutes=30)
        world.round()


# --- the weekly all-clear ---------------------------------------------------------------------------------------------


def test_a_week_without_changes_ends_with_one_all_clear(clear: World) -> None:
    clear.at("2026-03-09T06:30")
    clear.round()
    assert clear.mail_server.accepted == []
    each_half_hour(clear, hours=4)

    assert clear.mail_server.subjects == ["All clear: nothing changed in your 1 trial in the week to 2026-03-09"]
    text = words(clear.mail_server.accepted[0].text)
    assert "Verified 1 of 1 trial against registry data of 2026-03-02." in text
    assert "The next mail like this comes on 2026-03-16" in text


def test_restarts_do_not_repeat_an_all_clear(clear: World) -> None:
    clear.at("2026-03-09T07:00")
    for _ in range(3):
        clear.restart()
        clear.round()
        clear.later(hours=1)
    assert len(clear.mail_server.accepted) == 1


def test_who_was_away_for_weeks_gets_the_last_all_clear_only(clear: World) -> None:
    clear.at("2026-03-31T12:00")
    clear.restart()
    clear.round()
    assert clear.mail_server.subjects == ["All clear: nothing changed in your 1 trial in the week to 2026-03-30"]


def test_a_week_with_a_digest_ends_without_an_all_clear(clear: World) -> None:
    clear.at("2026-03-05T12:00")
    clear.registry.publish(TRIAL, status="SUSPENDED")
    clear.round()
    clear.at("2026-03-09T07:00")
    each_half_hour(clear, hours=4)
    assert clear.mail_server.subjects == [f"[{TRIAL}] Recruitment status: Recruiting → Suspended"]


def test_a_change_that_is_found_when_the_service_comes_back_is_told_instead(clear: World) -> None:
    clear.registry.publish(TRIAL, status="SUSPENDED")
    clear.at("2026-03-09T12:00")
    clear.round()
    clear.at("2026-03-10T08:00")
    clear.round()
    assert clear.mail_server.subjects[-1] == f"[{TRIAL}] Recruitment status: Recruiting → Suspended"


def test_an_all_clear_says_in_its_subject_that_a_trial_was_not_verified(clear: World) -> None:
    clear.watch(TRIAL, OTHER, readers=[daily(READER)])
    clear.registry.publish(OTHER)
    clear.round()
    clear.mail_server.accepted.clear()
    with clear.app.database.writing() as db:
        db.execute(update(watch).where(watch.c.nct_id == OTHER).values(release_id=None))
    clear.at("2026-03-09T07:00")
    clear.app.pipeline.digest.run(now=clear.clock())
    clear.later(hours=3)  # nobody asks the registry, so that the first of the two is said
    clear.app.pipeline.digest.run(now=clear.clock())
    clear.deliver()
    assert clear.mail_server.subjects == ["Not all clear: the registry could not be asked since 2026-03-02 06:00 UTC"]


def test_who_does_not_want_all_clears_gets_none(clear: World) -> None:
    clear.restart(watching={"all_clear": False})
    clear.at("2026-03-09T12:00")
    clear.round()
    assert clear.mail_server.accepted == []


# --- what cannot be verified ------------------------------------------------------------------------------------------


@pytest.fixture
def one_fails(sqlite_world: World) -> World:
    """A world in which one of two trials is answered with something that is no record."""
    world = sqlite_world
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.later(hours=1)
    world.registry.publish_nothing()
    return world


def fail(world: World, nct_id: str = OTHER) -> None:
    """Let every check find one trial verified and this one not."""
    with world.app.database.writing() as db:
        mine = watch.c.nct_id == nct_id
        since = db.execute(select(watch.c.failing_since).where(mine)).scalar() or world.clock()
        values = {"reason": Reason.NO_RECORD, "detail": "made up", "failing_since": since}
        db.execute(update(watch).where(mine).values(values))


def compose(world: World) -> list[str]:
    world.app.pipeline.compose(now=world.clock())
    world.later(minutes=1)
    world.app.pipeline.compose(now=world.clock())
    world.deliver()
    found = [mail.subject for mail in world.mail_server.accepted if mail.recipient == READER]
    world.mail_server.accepted.clear()
    return found


def test_a_trial_that_is_not_verified_for_a_day_is_told_once_and_again_after_a_week(one_fails: World) -> None:
    world = one_fails
    world.round()
    fail(world)
    world.later(hours=23)
    assert compose(world) == []
    world.later(hours=1)
    world.app.pipeline.compose(now=world.clock())
    world.later(minutes=1)
    world.app.pipeline.compose(now=world.clock())
    world.deliver()
    mail = next(mail for mail in world.mail_server.accepted if mail.recipient == READER)
    assert mail.subject == f"[{OTHER}] Not verified any more"
    assert "This trial has not been verified since 2026-03-02 13:00 UTC (no record: made up)." in words(mail.text)
    world.mail_server.accepted.clear()
    assert compose(world) == []
    world.later(days=7)
    assert compose(world) == [f"[{OTHER}] Not verified any more"]


def test_a_trial_that_is_verified_again_is_told_if_it_was_told_that_it_is_not(one_fails: World) -> None:
    world = one_fails
    world.round()
    fail(world)
    world.later(hours=25)
    compose(world)
    world.registry.publish_nothing()
    world.round()
    assert compose(world) == [f"[{OTHER}] Verified again"]
    assert compose(world) == []


def test_a_trial_is_told_after_three_releases_without_it(sqlite_world: World) -> None:
    world = sqlite_world
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    for _ in range(3):
        world.later(hours=1)
        world.registry.publish_records([b'{"protocolSection": {"identificationModule": {"nctId": "NCT00000002"}}}'])
        world.round()
    assert world.state(OTHER).reason is Reason.NO_RECORD
    assert compose(world) == [f"[{OTHER}] Not verified any more"]


def test_a_trial_that_was_told_as_gone_is_not_told_as_not_verified(sqlite_world: World) -> None:
    world = sqlite_world
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.remove(OTHER)
    for _ in range(5):
        world.round()
        world.later(hours=12)
        world.registry.publish_nothing()
    told = [mail.subject for mail in world.mail_server.accepted if mail.recipient == READER]
    assert told == [f"[{OTHER}] The registry no longer serves this record"]


def test_a_registry_that_is_down_for_a_day_is_told_once_to_each_reader_and_not_for_each_trial(world: World) -> None:
    world.watch(TRIAL, OTHER, readers=[immediate(), immediate("other@example.org")])
    world.begin(TRIAL, OTHER)
    world.registry.publish_nothing()
    world.registry.fault("server_error", times=None)
    each_half_hour(world, hours=30)

    readers = [mail for mail in world.mail_server.accepted if mail.recipient != OPERATOR]
    assert [mail.subject for mail in readers] == ["Nothing can be verified"] * 2
    assert "None of your trials could be verified since 2026-03-02 12:00 UTC." in words(readers[0].text)
    assert len(world.mail_server.accepted) == 3

    world.registry.clear_faults()
    world.mail_server.accepted.clear()
    each_half_hour(world, hours=2)
    readers = [mail for mail in world.mail_server.accepted if mail.recipient != OPERATOR]
    assert [mail.subject for mail in readers] == ["Verified again"] * 2
    assert len(world.mail_server.accepted) == 3
    assert world.incidents() == []


def test_a_registry_that_refuses_every_record_is_one_trouble_too(sqlite_world: World) -> None:
    world = sqlite_world
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.publish_nothing()
    world.registry.fault("server_error", times=None, path="/studies")
    each_half_hour(world, hours=26)
    readers = [mail.subject for mail in world.mail_server.accepted if mail.recipient == READER]
    assert readers == ["Nothing can be verified"]


def test_the_operator_hears_that_a_registry_can_be_asked_again_if_they_heard_that_it_cannot(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.begin()
    for hours in (0.5, 2):
        world.registry.fault("server_error", times=None)
        world.round()
        each_half_hour(world, hours=hours)
        world.registry.clear_faults()
        each_half_hour(world, hours=2)

    began, over = world.mail_server.to(OPERATOR)  # of the second one: the first was too short to be told
    assert "The registry cannot be asked" in words(began.text)
    assert over.subject.startswith("trialwatch: The registry can be asked again; it could not since 2026-03-02 14:30")
    assert "What you were told of is over." in words(over.text)
    assert world.incidents() == []


# --- a registry that publishes nothing --------------------------------------------------------------------------------


def test_a_registry_that_publishes_nothing_for_three_working_days_is_told_to_the_operator_until_it_does(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    world.restart(watching={"stale_after": 3})
    world.begin()  # Monday's data
    world.at("2026-03-06T04:00")  # still Thursday at the registry
    world.round()
    assert world.mail_server.accepted == []
    world.at("2026-03-06T06:00")
    world.round()
    world.round()
    assert [mail.recipient for mail in world.mail_server.accepted] == [OPERATOR]
    assert "has published nothing for 3 working days" in words(world.mail_server.accepted[0].text)

    for _ in range(4):
        world.registry.publish_nothing()
    world.round()
    assert world.incidents() == []
