"""A release that changes too much waits for the operator's look, and so does a record that shrinks."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.flow.world import OPERATOR, READER, TRIAL, World
from watcher.actions.holding import decide, holds
from watcher.errors import RegistryError, SettingsError
from watcher.model import Reason
from watcher.store.holds import Decision
from watcher.store.tables import notice, release

MANY = tuple(f"NCT{number:08}" for number in range(1, 31))
LONG = {"protocolSection": {"descriptionModule": {"detailedDescription": "A long text about the study. " * 400}}}
SHORT = {"protocolSection": {"descriptionModule": {"detailedDescription": "A short text."}}}


@pytest.fixture
def many(world: World) -> World:
    """A world of thirty trials that were seen, with the guards as they are by default."""
    world.restart(guards={"hold_share": 20})
    world.watch(*MANY)
    world.begin(*MANY)
    world.later(hours=1)
    return world


def to_reader(world: World) -> list[str]:
    return [mail.subject for mail in world.mail_server.accepted if mail.recipient == READER]


def to_operator(world: World) -> list[str]:
    return [mail.text for mail in world.mail_server.accepted if mail.recipient == OPERATOR]


def change_all(world: World, **fields: Any) -> None:
    world.registry.publish_all(dict.fromkeys(MANY, fields))
    world.round()


def test_the_first_sight_of_many_trials_is_not_held_back(sqlite_world: World) -> None:
    sqlite_world.restart(guards={"hold_share": 20})
    sqlite_world.watch(*MANY)
    sqlite_world.registry.publish_all({trial: {} for trial in MANY})
    sqlite_world.round()
    assert to_reader(sqlite_world) == ["Now watching 30 trials"]


def test_a_release_that_changes_too_many_trials_is_told_to_the_operator_once_and_to_nobody_else(many: World) -> None:
    change_all(many, status="SUSPENDED")
    many.later(hours=2)
    many.round()

    assert to_reader(many) == []
    assert len(to_operator(many)) == 1
    assert "30 of 30 watched trials changed in one release" in " ".join(to_operator(many)[0].split())


def test_the_next_release_is_told_while_one_is_held_back(many: World) -> None:
    change_all(many, status="SUSPENDED")
    many.later(days=1)
    many.registry.publish(TRIAL, enrollment=80)
    many.round()
    assert to_reader(many) == [f"[{TRIAL}] Enrollment +100 %"]


def test_what_is_released_is_told_as_it_was_recorded(many: World) -> None:
    change_all(many, status="SUSPENDED")
    held = holds(many.app)
    assert [(one.trials, one.readers) for one in held] == [(30, 1)]

    assert len(list(decide(many.app, None, Decision.RELEASED, all_of_them=False))) == 1
    many.later(minutes=1)
    many.round()
    many.round()

    assert len(to_reader(many)) == 1
    assert to_reader(many)[0].startswith("30 of 30 trials changed")
    assert holds(many.app) == []
    assert many.incidents() == []


def test_a_release_that_somebody_has_looked_at_is_not_held_back_again(many: World) -> None:
    late = MANY[-1]
    many.registry.publish_all({trial: {"status": "SUSPENDED"} for trial in MANY})
    many.watch(*MANY[:-1])
    many.round()
    many.watch(*MANY)
    list(decide(many.app, None, Decision.RELEASED, all_of_them=False))
    many.later(minutes=30)
    many.round()
    assert many.state(late).reason is None
    assert holds(many.app) == []


def test_what_the_rules_in_force_find_meaningless_is_not_told_after_it_was_compared_again(many: World) -> None:
    change_all(many, enrollment=80)
    many.restart(changes={"severity": {"enrolment": "noise"}})

    decided = list(decide(many.app, None, Decision.RECLASSIFIED, all_of_them=False))
    many.later(minutes=1)
    many.round()

    assert decided[0].compared is not None
    assert (decided[0].compared.steps, decided[0].compared.silenced) == (30, 30)
    assert to_reader(many) == []


def test_what_the_rules_in_force_tell_comes_when_it_is_compared_again_and_keeps_its_id(many: World) -> None:
    many.restart(changes={"severity": {"enrolment": "noise"}})
    many.registry.publish_all({trial: {"enrollment": 80, "status": "SUSPENDED"} for trial in MANY[:-1]})
    many.registry.publish_all({MANY[-1]: {"enrollment": 80}})
    many.round()
    before = [change.id for change in many.history(MANY[-1])[-1]]
    many.restart(changes={"severity": {}})

    list(decide(many.app, None, Decision.RECLASSIFIED, all_of_them=False))
    many.later(minutes=1)
    many.round()

    assert [change.id for change in many.history(MANY[-1])[-1]] == before
    assert to_reader(many)[0].startswith("30 of 30 trials changed")


def test_comparing_again_with_the_same_rules_changes_nothing(many: World) -> None:
    change_all(many, status="SUSPENDED")
    before = [many.history(trial) for trial in MANY]
    decided = list(decide(many.app, None, Decision.RECLASSIFIED, all_of_them=False))
    assert decided[0].compared is not None
    assert decided[0].compared.different == 0
    assert [many.history(trial) for trial in MANY] == before


def test_changes_that_come_with_another_api_version_wait_for_the_operator(many: World) -> None:
    with many.app.database.writing() as db:
        db.execute(update(release).values(api_version="2.0.4"))
    many.registry.publish(TRIAL, status="SUSPENDED")
    many.round()
    assert to_reader(many) == []
    assert "the first of API version" in " ".join(to_operator(many)[0].split())


def test_a_decision_names_what_is_wrong_about_the_number(many: World) -> None:
    with pytest.raises(SettingsError, match="nothing is held back"):
        list(decide(many.app, 7, Decision.RELEASED, all_of_them=False))
    change_all(many, status="SUSPENDED")
    with pytest.raises(SettingsError, match="HOLD: 7 is not open; what is: 1"):
        list(decide(many.app, 7, Decision.RELEASED, all_of_them=False))


def test_nothing_of_a_release_leaves_while_its_check_has_not_ended(many: World) -> None:
    """A check that dies half-way has not counted what changed; the next one does."""
    many.registry.publish_all({trial: {"status": "SUSPENDED"} for trial in MANY})

    def die(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    many.restart(registry={"batch_size": 10})
    with pytest.raises(KeyboardInterrupt):
        many.app.pipeline.check.run(now=many.clock(), progress=die)
    many.app.pipeline.compose(now=many.clock())
    assert untold(many) == 10
    many.deliver()
    assert to_reader(many) == []

    many.round()
    assert to_reader(many) == []
    assert len(holds(many.app)) == 1


def test_what_a_dead_check_recorded_is_told_after_an_hour_when_the_registry_cannot_be_asked(many: World) -> None:
    many.registry.publish_all({trial: {"status": "SUSPENDED"} for trial in MANY[:10]})

    def die(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        many.app.pipeline.check.run(now=many.clock(), progress=die)
    many.later(minutes=59)
    many.app.pipeline.compose(now=many.clock())
    assert untold(many) == 10
    many.later(minutes=1)
    many.app.pipeline.compose(now=many.clock())
    assert untold(many) == 0


def untold(world: World) -> int:
    with world.app.database.reading() as db:
        query = select(func.count()).select_from(notice).where(notice.c.digest_id.is_(None))
        return int(db.execute(query).scalar_one())


# --- records that shrink ----------------------------------------------------------------------------------------------


@pytest.fixture
def long_record(world: World) -> World:
    world.registry.publish(TRIAL, extra=LONG)
    world.round()
    world.mail_server.accepted.clear()
    world.later(hours=1)
    return world


def test_a_record_that_shrinks_is_believed_when_the_same_content_comes_again_at_the_next_check(
    long_record: World,
) -> None:
    world = long_record
    world.registry.publish(TRIAL, extra=SHORT)
    first = world.round()
    assert first.outcome is not None
    assert first.outcome.refused == {Reason.SHRUNK: 1}
    assert to_reader(world) == []

    world.later(minutes=30)
    world.round()
    assert len(to_reader(world)) == 1
    assert world.state().reason is None


def test_a_record_that_has_its_old_size_again_has_not_changed(long_record: World) -> None:
    world = long_record
    world.registry.publish(TRIAL, extra=SHORT)
    world.round()
    world.registry.publish(TRIAL, extra=LONG, updated="2026-02-20")
    world.later(minutes=30)
    world.round()
    assert world.state().reason is None
    assert not any("detailedDescription" in change.path for change in world.history()[-1])


def test_two_different_answers_that_are_too_small_are_both_doubted(long_record: World) -> None:
    world = long_record
    for text in ("One cut.", "Another cut."):
        world.registry.publish(TRIAL, extra={"protocolSection": {"descriptionModule": {"detailedDescription": text}}})
        world.round()
        assert world.state().reason is Reason.SHRUNK
        world.later(minutes=30)


def test_a_withheld_record_is_believed_at_once_and_critical(long_record: World) -> None:
    world = long_record
    world.registry.publish(TRIAL, status="WITHHELD", extra={"protocolSection": {"descriptionModule": None}})
    world.round()
    assert world.state().reason is None
    assert world.state().withheld
    assert "[critical]" in world.mail_server.accepted[-1].text


def test_results_that_are_removed_are_believed_at_once_and_critical(sqlite_world: World) -> None:
    world = sqlite_world
    results = {"resultsSection": {"moreInfoModule": {"limitationsAndCaveats": {"description": "Words. " * 1000}}}}
    world.registry.publish(TRIAL, has_results=True, extra=results)
    world.round()
    world.later(hours=1)
    world.registry.publish(TRIAL, has_results=False, extra={})
    world.round()
    assert world.state().reason is None
    assert "[critical]" in world.mail_server.accepted[-1].text


def test_a_registry_that_cannot_be_asked_does_not_release_anything(many: World) -> None:
    change_all(many, status="SUSPENDED")
    many.registry.fault("server_error", times=None)
    many.later(hours=3)
    with pytest.raises(RegistryError):
        many.check()
    many.digest()
    many.deliver()
    assert to_reader(many) == []
