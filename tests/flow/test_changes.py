"""From what the registry shows to what a reader is told: every change, once, and nothing else."""

import dataclasses

import orjson
import pytest

from tests.flow.world import OPERATOR, OTHER, READER, THIRD, TRIAL, World, immediate, words
from watcher.core.fields import FieldTable
from watcher.model import FieldRule, Reason
from watcher.stages.check import Check

TRIALS = (TRIAL, OTHER, THIRD)


def test_a_change_is_told_to_every_reader_once(world: World) -> None:
    readers = [f"reader{number}@example.org" for number in range(3)]
    world.watch(TRIAL, readers=[immediate(address) for address in readers])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    for _ in range(3):
        world.round()
        world.later(minutes=30)

    assert sorted(mail.recipient for mail in world.mail_server.accepted) == readers
    assert set(world.mail_server.subjects) == {f"[{TRIAL}] Recruitment status: Recruiting → Terminated"}
    assert len({mail.message_id for mail in world.mail_server.accepted}) == 3


def test_the_subject_counts_what_else_changed_in_one_trial(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED", enrollment=400, title="Another Title", start="2026-02")
    world.round()
    assert world.mail_server.subjects == [f"[{TRIAL}] Recruitment status: Recruiting → Suspended (+3)"]


def test_the_subject_names_the_worst_of_several_trials(world: World) -> None:
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    world.registry.publish_all({TRIAL: {"enrollment": 41}, OTHER: {"status": "TERMINATED"}, THIRD: {"title": "New"}})
    world.round()
    (subject,) = world.mail_server.subjects
    assert subject.startswith(f"3 of 3 trials changed: {OTHER} Recruitment status: Recruiting → Terminated; ")
    assert subject.endswith("; +1")


def test_the_foot_of_a_digest_says_what_was_verified_and_where_it_comes_from(world: World) -> None:
    world.watch(*TRIALS)
    world.begin(TRIAL, OTHER)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    foot = words(world.mail_server.accepted[0].text)[-300:]
    assert "Verified 2 of 3 trials against registry data of 2026-03-03." in foot
    assert "Source: ClinicalTrials.gov, U.S. National Library of Medicine." in foot


def test_noise_is_recorded_and_not_mailed(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL)  # only the dates of the update move
    world.round()
    assert world.mail_server.accepted == []
    assert world.history()[1] != []
    assert not any(change.told for change in world.history()[1])


def test_a_release_in_which_only_the_stamp_moves_mails_nothing_and_stores_no_body(world: World) -> None:
    world.begin()
    stored = world.snapshots()
    for _ in range(3):
        world.registry.publish_nothing()
        done = world.round()
        assert done.outcome is not None
        assert done.outcome.unchanged == 1
    assert world.mail_server.accepted == []
    assert world.snapshots() == stored == 1
    assert len(world.history()) == 1
    assert world.state().data_timestamp == "2026-03-05T09:00:04"


def test_lists_in_another_order_are_no_change_and_need_no_body(world: World) -> None:
    places = [{"facility": f"Site {number}", "city": "Exampletown", "country": "Examplia"} for number in range(3)]
    world.registry.publish(TRIAL, locations=places, updated="2026-03-02")
    world.round()
    world.mail_server.accepted.clear()
    world.registry.publish(TRIAL, locations=places[::-1], updated="2026-03-02")
    world.round()
    assert world.mail_server.accepted == []
    assert world.snapshots() == 1
    assert len(world.history()) == 1


def test_a_value_that_flips_back_and_forth_is_a_change_and_a_mail_each_time(world: World) -> None:
    world.begin()
    for completion in ("2028-01-01", "2027-06-30", "2028-01-01"):
        # The registry flips it, without an update by the sponsor: nothing else in the record tells the versions apart.
        world.registry.publish(TRIAL, completion=completion, updated="2026-03-02")
        world.round()

    assert len(world.mail_server.accepted) == 3
    changes = [change for step in world.history()[1:] for change in step]
    assert len(world.history()) == 4
    assert len({change.id for change in changes}) == len(changes)
    assert world.snapshots() == 2


# --- a record that is not there ---------------------------------------------------------------------------------------


def test_a_record_that_is_missing_from_one_release_is_not_told(world: World) -> None:
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.remove(TRIAL)
    world.round()
    world.round()  # the same release again: still one
    assert world.state().reason is Reason.NOT_FOUND
    world.registry.publish(TRIAL, updated="2026-03-02")
    world.round()

    assert world.mail_server.accepted == []
    assert world.state().reason is None


def test_a_record_that_is_missing_from_two_releases_is_told_as_gone_once(world: World) -> None:
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.remove(TRIAL)
    world.round()
    for _ in range(3):
        world.registry.publish_nothing()
        world.round()
        world.later(minutes=30)

    assert world.mail_server.subjects == [f"[{TRIAL}] The registry no longer serves this record"]
    text = words(world.mail_server.accepted[0].text)
    assert f"NCT number {TRIAL} not found" in text
    assert "Verified 1 of 2 trials" in text


@pytest.mark.parametrize(
    ("fields", "also"),
    [
        pytest.param({"updated": "2026-03-02"}, "", id="as it was"),
        pytest.param({"status": "TERMINATED"}, "Recruitment status: Recruiting → Terminated", id="changed"),
    ],
)
def test_a_record_that_comes_back_is_told(world: World, fields: dict[str, str], also: str) -> None:
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.remove(TRIAL)
    world.round()
    world.registry.publish_nothing()
    world.round()
    world.mail_server.accepted.clear()
    world.registry.publish(TRIAL, **fields)
    world.round()
    world.round()

    assert len(world.mail_server.accepted) == 1
    text = words(world.mail_server.accepted[0].text)
    assert "The registry serves this record again" in text
    assert also in text


def test_a_record_that_became_an_alias_is_told_with_its_new_id(world: World) -> None:
    world.begin()
    world.registry.publish(OTHER, aliases=[TRIAL])
    world.round()
    assert world.mail_server.accepted == []
    world.registry.publish_nothing()
    world.round()

    assert world.state().reason is Reason.ALIASED
    (mail,) = world.mail_server.accepted
    assert f"the registry answers with {OTHER}, which lists {TRIAL} as an obsolete" in words(mail.text)


def test_a_record_that_is_withheld_is_told_as_a_critical_change_and_named_apart(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="WITHHELD")
    outcome = world.round().outcome

    assert outcome is not None
    assert (outcome.withheld, outcome.refused) == ([TRIAL], {})
    assert world.mail_server.subjects == [f"[{TRIAL}] Recruitment status: Recruiting → Withheld"]


def test_a_record_that_a_batch_lacks_is_asked_for_alone_and_found(world: World) -> None:
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    world.registry.publish_nothing()
    world.registry.fault("missing", nct_id=OTHER)
    world.round()
    assert world.state(OTHER).reason is None
    assert world.registry.asked()[-1].startswith(f"/api/v2/studies/{OTHER}?")


# --- what fails, and what is not asked again --------------------------------------------------------------------------


def test_an_unchanged_release_costs_exactly_one_request(world: World) -> None:
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    for _ in range(3):
        world.round()
        assert world.registry.asked() == ["/api/v2/version"]
        world.later(minutes=30)


@pytest.mark.parametrize("kind", ["server_error", "html", "cut", "hang", "rate_limited"])
def test_a_batch_that_fails_is_asked_again_at_the_next_tick_and_the_others_are_not(world: World, kind: str) -> None:
    world.restart(registry={"batch_size": 1})
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    world.registry.publish_all({trial: {"status": "TERMINATED"} for trial in TRIALS})
    world.registry.fault(kind, path="/studies", nct_id=OTHER)
    world.round()

    assert world.state(OTHER).reason is not None
    assert world.state(OTHER).data_timestamp == "2026-03-02T09:00:04"
    assert [world.state(trial).data_timestamp for trial in (TRIAL, THIRD)] == ["2026-03-03T09:00:04"] * 2
    assert world.mail_server.subjects[0].startswith("2 of 3 trials changed: ")

    world.registry.asked()
    world.later(minutes=30)
    world.round()
    targets = world.registry.asked()
    assert len(targets) == 2
    assert OTHER in targets[1]
    assert not any(trial in targets[1] for trial in (TRIAL, THIRD))
    assert world.state(OTHER).reason is None
    assert world.mail_server.subjects[1:] == [f"[{OTHER}] Recruitment status: Recruiting → Terminated"]


def test_a_registry_that_blocks_us_is_not_asked_on(world: World) -> None:
    world.restart(registry={"batch_size": 1})
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    world.registry.publish_nothing()
    world.registry.fault("forbidden", path="/studies", times=None)
    world.round()
    assert len(world.registry.asked()) == 2
    assert {world.state(trial).reason for trial in TRIALS} == {Reason.BLOCKED}
    assert world.mail_server.accepted == []


def test_a_release_that_moves_in_mid_pass_is_noticed_and_followed(world: World) -> None:
    world.restart(registry={"batch_size": 1})
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    world.registry.publish(TRIAL, enrollment=41)
    world.registry.before_request(THIRD, lambda: world.registry.publish(TRIAL, status="TERMINATED"))
    done = world.round()

    assert done.outcome is not None
    assert done.outcome.release.data_timestamp == "2026-03-04T09:00:04"
    assert {world.state(trial).data_timestamp for trial in TRIALS} == {"2026-03-04T09:00:04"}
    assert [len(step) > 0 for step in world.history()] == [False, True, True]
    (mail,) = world.mail_server.accepted
    assert "Recruiting → Terminated" in mail.subject
    assert "40" in words(mail.text)
    assert "Verified 3 of 3 trials against registry data of 2026-03-04." in words(mail.text)


def test_a_registry_that_moves_all_the_time_is_left_for_the_next_tick(world: World) -> None:
    world.restart(registry={"batch_size": 1})
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    for _ in range(10):
        world.registry.before_request("/studies", lambda: world.registry.publish(TRIAL, enrollment=41))
    world.registry.publish_nothing()
    world.round()
    assert len(world.registry.asked()) < 20

    world.registry.calm_down()
    world.round()
    world.round()
    assert {world.state(trial).data_timestamp for trial in TRIALS} == {f"{world.registry.day}T09:00:04"}


# --- trouble that the operator has to hear of -------------------------------------------------------------------------


def test_a_registry_that_is_down_for_minutes_is_nobody_s_business(world: World) -> None:
    world.begin()
    world.registry.fault("server_error", times=1)
    assert world.round().trouble is not None
    world.later(minutes=30)
    assert world.round().trouble is None
    world.later(hours=3)
    world.round()
    assert world.mail_server.accepted == []
    assert world.incidents() == []


@pytest.mark.parametrize("path", ["/version", "/studies"], ids=["the version", "the records"])
def test_a_registry_that_fails_for_hours_is_told_to_the_operator_once(world: World, path: str) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.registry.fault("server_error", times=None, path=path)
    for _ in range(10):
        world.round()
        world.later(minutes=30)
    assert [mail.recipient for mail in world.mail_server.accepted] == [OPERATOR]
    assert "503" in words(world.mail_server.accepted[0].text)

    world.registry.clear_faults()
    world.round()
    world.round()
    assert [mail.subject for mail in world.mail_server.to(READER)] == [
        f"[{TRIAL}] Recruitment status: Recruiting → Terminated"
    ]
    assert sum("503" in words(mail.text) for mail in world.mail_server.to(OPERATOR)) == 1
    assert world.incidents() == []


class _PoisonedTable(FieldTable):
    """Fails on one field, as a fault of ours would."""

    def rule(self, path: str) -> FieldRule:
        if path.endswith("poison"):
            raise ZeroDivisionError("made up for this test")
        return super().rule(path)


def test_a_record_on_which_we_fail_does_not_stop_the_others(world: World) -> None:
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    check = Check(world.app.database, world.app.registry, _PoisonedTable(world.app.table.rules))
    world.app = dataclasses.replace(world.app, pipeline=dataclasses.replace(world.app.pipeline, check=check))
    world.registry.publish_all(
        {
            TRIAL: {"status": "TERMINATED"},
            OTHER: {"extra": {"protocolSection": {"poison": "yes"}}},
            THIRD: {"status": "TERMINATED"},
        }
    )
    for _ in range(4):
        world.round()
        world.later(minutes=30)

    assert world.mail_server.to(READER)[0].subject.startswith("2 of 3 trials changed: ")
    assert len(world.mail_server.to(READER)) == 1
    assert world.state(OTHER).reason is Reason.OUR_FAULT
    assert OTHER in words(world.mail_server.to(OPERATOR)[0].text)
    assert len(world.mail_server.to(OPERATOR)) == 1

    world.restart()  # with the fault mended
    world.round()
    assert world.state(OTHER).reason is None
    assert len(world.mail_server.to(READER)) == 2


def test_a_record_nested_deeper_than_any_real_one_is_compared_like_others(world: World) -> None:
    world.watch(*TRIALS)
    world.begin(*TRIALS)
    deep = b'{"below":' * 240 + b"1" + b"}" * 240
    record = world.registry.record(OTHER)
    record["protocolSection"]["deep"] = "@deep@"
    world.registry.publish_records([orjson.dumps(record).replace(b'"@deep@"', deep)])
    world.round()
    assert world.state(OTHER).reason is None
    assert len(world.mail_server.accepted) == 1
