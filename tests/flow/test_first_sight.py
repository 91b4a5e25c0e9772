"""Joining and leaving: the first sight of a record is a baseline, and nobody joins or leaves in silence."""

from tests.flow.world import OTHER, READER, THIRD, TRIAL, World, daily, immediate, words
from watcher.model import Watchlist

NEWCOMER = "newcomer@example.org"


def test_the_first_sight_of_a_record_is_a_baseline_mailed_as_now_watching(world: World) -> None:
    world.registry.publish(TRIAL, title="Example Drug in Example Disease")
    world.round()

    assert world.mail_server.subjects == [f"Now watching {TRIAL}"]
    assert world.history() == [[]]
    text = words(world.mail_server.accepted[0].text)
    assert f"{TRIAL} Example Drug in Example Disease" in text
    assert "Recruitment status: Recruiting" in text
    assert "Verified 1 of 1 trial against registry data of 2026-03-02." in text


def test_a_first_sight_does_not_wait_for_the_reader_s_digest(world: World) -> None:
    world.watch(TRIAL, readers=[daily(READER)])
    world.registry.publish(TRIAL)
    world.round()
    assert world.mail_server.subjects == [f"Now watching {TRIAL}"]


def test_many_first_sights_are_one_mail(world: World) -> None:
    world.watch(TRIAL, OTHER, THIRD)
    world.registry.publish_all({TRIAL: {}, OTHER: {}, THIRD: {}})
    world.round()
    assert world.mail_server.subjects == ["Now watching 3 trials"]


def test_a_welcome_to_hundreds_of_trials_lists_as_many_as_a_mail_program_shows(sqlite_world: World) -> None:
    world = sqlite_world
    trials = [f"NCT{n:08}" for n in range(1, 301)]
    world.watch(*trials)
    world.registry.publish_all({trial: {"title": "A Study With a Long Title " * 8} for trial in trials})
    world.round()

    (mail,) = world.mail_server.to(READER)
    assert mail.subject == "Now watching 300 trials"
    assert len(mail.html) < 80_000  # Gmail cuts off what is larger than 102 KB
    assert "and 260 more" in words(mail.text)


def test_a_record_that_cannot_be_had_yet_is_welcomed_when_it_can(world: World) -> None:
    world.watch(TRIAL, OTHER)
    world.registry.publish(TRIAL)
    world.round()
    world.registry.publish(OTHER)
    world.round()
    assert world.mail_server.subjects == [f"Now watching {TRIAL}", f"Now watching {OTHER}"]


def test_a_person_who_is_added_later_is_welcomed_with_the_state_of_now(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.watch(TRIAL, readers=[immediate(), immediate(NEWCOMER)])
    world.round()
    world.round()

    welcomes = world.mail_server.to(NEWCOMER)
    assert [mail.subject for mail in welcomes] == [f"Now watching {TRIAL}"]
    assert "Recruitment status: Suspended" in words(welcomes[0].text)
    assert len(world.mail_server.to(READER)) == 1  # the change, and no second welcome


def test_a_person_who_is_added_between_publication_and_check_is_not_told_of_what_came_before(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.watch(TRIAL, readers=[immediate(), immediate(NEWCOMER)])
    world.round()
    # Not a change for somebody who had not yet been told where things stood: the welcome shows it.
    welcomes = world.mail_server.to(NEWCOMER)
    assert [mail.subject for mail in welcomes] == [f"Now watching {TRIAL}"]
    assert "Recruitment status: Suspended" in words(welcomes[0].text)
    assert len(world.mail_server.to(READER)) == 1


def test_a_welcome_needs_no_further_request(world: World) -> None:
    world.begin()
    world.watch(TRIAL, readers=[immediate(), immediate(NEWCOMER)])
    world.round()
    assert world.registry.asked() == ["/api/v2/version"]
    assert len(world.mail_server.to(NEWCOMER)) == 1


def test_unsent_changes_of_a_removed_trial_are_still_mailed_and_its_reader_is_told(world: World) -> None:
    world.watch(TRIAL, OTHER, readers=[daily(READER)])
    world.begin(TRIAL, OTHER)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    assert world.mail_server.accepted == []  # it waits for the morning

    world.watch(OTHER, readers=[daily(READER)])
    world.round()
    assert world.mail_server.subjects == [f"No longer watching {TRIAL}"]
    world.later(days=1)
    world.round()
    assert world.mail_server.subjects[1:] == [f"[{TRIAL}] Recruitment status: Recruiting → Terminated"]


def test_a_removed_trial_is_not_asked_for_and_keeps_its_history(world: World) -> None:
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.watch(OTHER)
    world.registry.publish(TRIAL, status="WITHDRAWN")
    world.registry.asked()
    world.round()

    assert not any(TRIAL in target for target in world.registry.asked())
    assert len(world.history()) == 2


def test_a_trial_that_comes_back_to_the_list_is_compared_with_what_was_last_seen(world: World) -> None:
    world.begin()
    world.watch()
    world.round()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.watch(TRIAL)
    world.round()

    assert world.mail_server.subjects == [f"No longer watching {TRIAL}", f"Now watching {TRIAL}"]
    assert "Recruitment status: Terminated" in words(world.mail_server.accepted[1].text)
    assert [change.label for change in world.history()[1] if change.told] == ["Overall Recruitment Status"]


def test_a_person_who_leaves_is_told_and_hears_what_was_not_yet_sent(world: World) -> None:
    world.watch(TRIAL, readers=[immediate(), daily("leaver@example.org")])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.watch(TRIAL)
    world.later(days=1)
    world.round()
    world.registry.publish(TRIAL, status="WITHDRAWN")
    world.round()

    assert sorted(mail.subject for mail in world.mail_server.to("leaver@example.org")) == [
        f"No longer watching {TRIAL}",
        f"[{TRIAL}] Recruitment status: Recruiting → Terminated",
    ]


def test_joining_and_leaving_in_one_edit_is_one_mail(world: World) -> None:
    world.begin(TRIAL, OTHER)
    world.watch(OTHER)
    world.round()
    assert world.mail_server.subjects == [f"Now watching {OTHER}; no longer watching {TRIAL}"]


def test_a_trial_on_two_lists_of_one_reader_is_welcomed_and_told_once(world: World) -> None:
    world.declare(
        Watchlist(name="a", trials=(TRIAL,), recipients=(immediate(),)),
        Watchlist(name="b", trials=(TRIAL, OTHER), recipients=(immediate(),)),
    )
    world.registry.publish_all({TRIAL: {}, OTHER: {}})
    world.round()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.declare(Watchlist(name="a", trials=(TRIAL,), recipients=(immediate(),)))
    world.round()

    assert world.mail_server.subjects == [
        "Now watching 2 trials",
        f"[{TRIAL}] Recruitment status: Recruiting → Terminated",
        f"No longer watching {OTHER}",
    ]
