"""An alert reaches its reader through every trouble of the mail server, once, or the operator is told."""

import pytest

from tests.flow.mail_server import Died
from tests.flow.world import OPERATOR, OTHER, READER, THIRD, TRIAL, World, immediate, words
from watcher.app import open_application
from watcher.errors import StoreError
from watcher.model import DeliveryState, Phase
from watcher.store import outbox

SECOND = "second@example.org"
THE_ALERT = f"[{TRIAL}] Recruitment status: Recruiting → Terminated"


def begin_with_two_readers(world: World) -> None:
    world.watch(TRIAL, readers=[immediate(), immediate(SECOND)])
    world.begin()


def test_an_alert_survives_a_mail_outage_and_is_sent_once(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.down = True
    world.round()
    assert world.mail_server.accepted == []

    world.mail_server.down = False
    world.later(hours=1)
    world.deliver()
    world.deliver()

    assert world.mail_server.subjects == [THE_ALERT]


def test_during_an_outage_the_server_is_not_asked_again_before_its_time(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.down = True
    world.round()
    world.mail_server.down = False

    world.later(seconds=59)  # deliver_every is a minute
    world.deliver()
    assert world.mail_server.accepted == []
    world.later(seconds=1)
    world.deliver()
    assert world.mail_server.subjects == [THE_ALERT]


def test_an_outage_of_hours_uses_up_no_message_s_patience(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.down = True
    for _ in range(30):
        world.round()
        world.later(hours=1)
    with world.app.database.reading() as db:
        assert [waiting.attempts for waiting in outbox.unfinished(db)] == [0, 0]  # the operator's is the other one

    world.mail_server.down = False
    world.deliver()
    assert sorted(world.mail_server.subjects)[0] == THE_ALERT
    assert len(world.mail_server.accepted) == 2


def test_the_operator_is_told_of_an_outage_once_when_it_is_over(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.down = True
    for _ in range(3):
        world.round()
        world.later(minutes=30)
    world.mail_server.down = False
    for _ in range(3):
        world.round()
        world.later(minutes=5)

    assert len(world.mail_server.to(OPERATOR)) == 1
    assert "connection refused" in words(world.mail_server.to(OPERATOR)[0].text)
    assert world.incidents() == []


def test_the_operator_is_not_told_of_each_short_outage(world: World) -> None:
    world.begin()
    for status in ("SUSPENDED", "RECRUITING", "TERMINATED"):
        world.registry.publish(TRIAL, status=status)
        world.mail_server.down = True
        world.round()
        world.mail_server.down = False
        world.later(minutes=30)
        world.round()

    assert len(world.mail_server.to(READER)) == 3
    assert world.mail_server.to(OPERATOR) == []
    assert world.incidents() == []


def test_a_deferred_message_is_tried_again_later_and_does_not_hold_up_the_others(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.defer(READER, times=2)
    world.round()
    assert [mail.recipient for mail in world.mail_server.accepted] == [SECOND]

    world.later(minutes=5)  # the second attempt
    world.deliver()
    world.later(minutes=14)
    world.deliver()
    assert len(world.mail_server.to(READER)) == 0
    world.later(minutes=1)  # the third
    world.deliver()

    assert [mail.subject for mail in world.mail_server.to(READER)] == [THE_ALERT]
    assert len(world.mail_server.to(SECOND)) == 1


def test_a_line_that_breaks_before_the_final_dot_is_tried_again_at_once(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.break_line(READER, times=1)
    handed = world.round().handed

    assert handed.states[DeliveryState.DEFERRED] == 0
    assert [mail.subject for mail in world.mail_server.to(READER)] == [THE_ALERT]
    assert [mail.subject for mail in world.mail_server.to(SECOND)] == [THE_ALERT]
    assert world.mail_server.tried.count(READER) == 2


def test_a_line_that_breaks_again_is_left_for_a_while_and_does_not_hold_up_the_others(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.break_line(READER)
    world.round()
    assert world.mail_server.tried.count(READER) == 2
    assert [mail.subject for mail in world.mail_server.to(SECOND)] == [THE_ALERT]

    world.later(minutes=4)
    world.round()
    assert world.mail_server.tried.count(READER) == 2
    world.mail_server.behave()
    world.later(minutes=1)
    world.round()
    assert [mail.subject for mail in world.mail_server.to(READER)] == [THE_ALERT]


@pytest.mark.parametrize("died_at", [Phase.MAIL, Phase.DATA])
def test_a_death_in_the_second_try_leaves_no_doubt_that_the_first_was_not_taken(world: World, died_at: Phase) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.break_line(READER, at=Phase.DOT, times=1, then_die_at=died_at)
    with pytest.raises(Died):
        world.round()
    world.restart()
    with world.app.database.reading() as db:
        [waiting] = outbox.unfinished(db)
    assert waiting.state == DeliveryState.DEFERRED
    world.deliver()
    assert world.mail_server.subjects == [THE_ALERT]


def test_a_message_that_is_deferred_for_days_is_given_up_and_the_operator_is_told(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.defer(READER, reply="450 4.2.2 mailbox full")
    world.round()
    for _ in range(20):
        world.later(hours=4)
        world.round()

    told = world.mail_server.to(OPERATOR)
    assert len(told) == 1
    assert READER in words(told[0].text)
    assert "mailbox full" in words(told[0].text)
    assert world.mail_server.to(READER) == []


def test_a_permanent_refusal_tells_the_operator_once_and_does_not_stop_the_others(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER)
    for _ in range(4):
        world.round()
        world.later(hours=1)

    assert [mail.subject for mail in world.mail_server.to(SECOND)] == [THE_ALERT]
    told = world.mail_server.to(OPERATOR)
    assert len(told) == 1
    assert "554 5.6.0 not this mail" in words(told[0].text)
    assert f'The mail "{THE_ALERT}" to {READER} was given up' in words(told[0].text)
    assert world.mail_server.tried.count(READER) == 1


def test_a_refused_operator_does_not_start_an_endless_correspondence(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER)
    world.mail_server.refuse(OPERATOR)
    for _ in range(10):
        world.round()
        world.later(hours=1)

    assert world.mail_server.tried.count(OPERATOR) <= 2
    assert any(OPERATOR in incident.summary for incident in world.incidents())


def test_a_mail_to_the_operator_that_gets_through_ends_the_trouble_with_the_operator(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER)
    world.mail_server.refuse(OPERATOR, times=1)
    for _ in range(4):
        world.round()
        world.later(hours=1)

    assert len(world.mail_server.to(OPERATOR)) == 1
    assert not any(f"to {OPERATOR}" in incident.summary for incident in world.incidents())


def test_a_letter_to_the_operator_goes_by_the_named_target_as_well_and_waits_there_without_an_end(world: World) -> None:
    settings = world.app.settings.model_copy(update={"operator_target": "on call"})
    world.app.close()
    world.app = open_application(
        settings, now=world.clock, transport=world.registry, channel=world.mail_server, chance=lambda: 0.0
    )
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply="554 no")
    for _ in range(6):  # no such target is declared
        world.round()
        world.later(hours=1)

    mails = world.mail_server.to(OPERATOR)
    assert len(mails) == 2
    told = words(" ".join(mail.text for mail in mails))
    assert "was given up" in told
    assert "no [[target]] that is target:on call" in told
    with world.app.database.reading() as db:
        copies = [one for one in outbox.all_messages(db) if one.channel != "mail"]
    assert {one.channel for one in copies} == {"target:on call"}
    assert len(copies) == 2
    assert all(one.state in {DeliveryState.PENDING, DeliveryState.DEFERRED} for one in copies)
    assert {one.subject for one in copies} == {mail.subject for mail in world.mail_server.to(OPERATOR)}


# --- answers that speak of the channel, at the step of one message ----------------------------------------------------


def test_a_refusal_by_policy_of_one_recipient_does_not_stop_the_others(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse_by_policy(READER)
    for _ in range(4):
        world.round()
        world.later(minutes=1)

    assert [mail.subject for mail in world.mail_server.to(SECOND)] == [THE_ALERT]
    assert world.mail_server.tried.count(READER) == 1
    told = world.mail_server.to(OPERATOR)
    assert len(told) == 1
    assert "550 5.7.1 relaying denied" in words(told[0].text)


def test_several_recipients_refused_by_policy_do_not_starve_the_others(world: World) -> None:
    refused = [f"a{number}@example.net" for number in range(3)]
    world.watch(TRIAL, readers=[*(immediate(address) for address in refused), immediate("z@example.org")])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    for address in refused:
        world.mail_server.refuse_by_policy(address)
    for _ in range(4):
        world.round()
        world.later(minutes=31)

    assert [mail.subject for mail in world.mail_server.to("z@example.org")] == [THE_ALERT]


def test_a_server_that_refuses_everybody_by_policy_is_left_alone_for_a_while(world: World) -> None:
    readers = [f"reader{number}@example.org" for number in range(20)]
    world.watch(TRIAL, readers=[immediate(address) for address in readers])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse_by_policy()
    for _ in range(10):
        world.round()
        world.later(minutes=1)
    assert len(world.mail_server.tried) <= 3

    world.mail_server.behave()
    for _ in range(3):
        world.later(minutes=31)
        world.round()
    assert {mail.recipient for mail in world.mail_server.accepted} == {*readers, OPERATOR}
    assert len(world.mail_server.accepted) == len(readers) + 1


def test_a_recipient_refused_by_policy_for_days_is_told_anew_and_the_operator_told(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse_by_policy(READER)
    for _ in range(25):
        world.round()
        world.later(hours=4)

    with world.app.database.reading() as db:
        assert outbox.counts(db)[DeliveryState.FOLDED] == 1
    assert len(world.mail_server.to(OPERATOR)) == 2  # that it is refused, and that it is for long


def test_a_refused_login_stops_everything_for_half_an_hour_and_counts_against_no_message(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.locked = "535 5.7.8 wrong password"
    world.round()
    world.mail_server.locked = None
    world.later(minutes=29)
    world.round()
    assert world.mail_server.accepted == []

    world.later(minutes=1)
    world.round()
    assert {mail.recipient for mail in world.mail_server.accepted} == {READER, SECOND, OPERATOR}


def test_a_server_that_closes_in_the_middle_loses_nothing(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.hang_up(SECOND, times=1)
    world.round()
    world.later(minutes=1)
    world.round()

    assert [mail.recipient for mail in world.mail_server.accepted if mail.recipient != OPERATOR] == [READER, SECOND]


# --- the answer to the final dot --------------------------------------------------------------------------------------


def test_a_lost_answer_leads_to_one_double_with_the_same_message_id(world: World) -> None:
    begin_with_two_readers(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.lose_answer(READER)
    for _ in range(4):
        world.round()
        world.later(minutes=5)

    doubles = world.mail_server.to(READER)
    assert [mail.subject for mail in doubles] == [THE_ALERT] * 2
    assert len({mail.message_id for mail in doubles}) == 1
    assert doubles[0].mime == doubles[1].mime
    assert len(world.mail_server.to(SECOND)) == 1


# --- the database in the middle of a delivery -------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [Phase.MAIL, Phase.DOT], ids=lambda phase: f"at {phase.value}")
def test_a_database_that_fails_in_the_middle_of_a_delivery_delays_it_and_no_more(world: World, refused: Phase) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    world.digest()
    world.mail_server.before(refused, StoreError("the database refused: database is locked"))
    with pytest.raises(StoreError):
        world.deliver()

    world.later(minutes=5)
    world.deliver()

    assert world.mail_server.subjects == [THE_ALERT]


def test_mails_about_three_trials_go_out_in_one_session(world: World) -> None:
    world.watch(TRIAL, OTHER, THIRD, readers=[immediate(f"reader{number}@example.org") for number in range(5)])
    world.begin(TRIAL, OTHER, THIRD)
    sessions = world.mail_server.sessions
    world.registry.publish_all({TRIAL: {"status": "TERMINATED"}, OTHER: {"enrollment": 41}})
    world.round()
    assert len(world.mail_server.accepted) == 5
    assert world.mail_server.sessions == sessions + 1
