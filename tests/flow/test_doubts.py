"""A message whose final dot was not answered: the journal says what became of it, and without one it may come twice."""

from datetime import timedelta

import pytest

from tests.flow.journal import FakeJournal
from tests.flow.mail_server import Died
from tests.flow.world import OPERATOR, READER, TRIAL, World, words
from watcher.model import DeliveryState, Phase
from watcher.store import outbox
from watcher.store.outbox import Unfinished

THE_ALERT = f"[{TRIAL}] Recruitment status: Recruiting → Terminated"
IMAP = {"host": "localhost", "username": "journal", "password": "secret"}
WITH_JOURNAL = {"journal": {"address": "journal@example.org", "imap": IMAP}}


def with_journal(world: World) -> FakeJournal:
    world.mail_server.journal = FakeJournal()
    world.restart(mail=WITH_JOURNAL)
    return world.mail_server.journal


def alert(world: World) -> None:
    """Let there be one alert in the outbox, and nothing else."""
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    world.digest()


def only(world: World) -> Unfinished:
    """Return the one message that is not sent."""
    with world.app.database.reading() as db:
        [found] = outbox.unfinished(db)
    return found


def state(world: World) -> tuple[DeliveryState, str]:
    """Return what became of the alert, and why."""
    with world.app.database.reading() as db:
        [found] = [one for one in outbox.all_messages(db) if one.subject == THE_ALERT]
    return found.state, str(found.reply)


def lose(world: World, *, taken: bool) -> None:
    """Let the answer to the final dot be lost once."""
    if taken:
        world.mail_server.lose_answer()
    else:
        world.mail_server.lose_answer_and_mail()


# --- with a journal ---------------------------------------------------------------------------------------------------


def test_what_the_journal_holds_was_taken_and_is_not_sent_again(world: World) -> None:
    journal = with_journal(world)
    alert(world)
    lose(world, taken=True)
    assert world.deliver().states == {DeliveryState.UNCERTAIN: 1}
    world.later(minutes=2)
    assert world.deliver().states == {DeliveryState.SENT: 1}

    assert world.mail_server.subjects == [THE_ALERT]
    message_id = world.mail_server.accepted[0].message_id
    assert journal.asked == [message_id]
    assert state(world) == (
        DeliveryState.SENT,
        f"found in the journal mailbox journal@example.org as {message_id}",
    )


def test_what_the_journal_does_not_hold_was_not_taken_and_is_sent_again_as_the_same_message(world: World) -> None:
    with_journal(world)
    alert(world)
    lose(world, taken=False)
    world.deliver()
    first = only(world)
    world.later(minutes=2)
    world.deliver()

    [mail] = world.mail_server.accepted
    assert mail.message_id.strip("<>").partition("@")[0] == first.id
    assert state(world)[0] is DeliveryState.SENT
    assert "double" not in state(world)[1]


def test_the_journal_is_asked_only_when_a_mail_has_had_time_to_arrive(world: World) -> None:
    journal = with_journal(world)
    alert(world)
    lose(world, taken=True)
    world.deliver()
    waiting = only(world)
    assert waiting.next_attempt_at == world.clock() + timedelta(minutes=2)

    world.later(seconds=119)
    world.deliver()
    assert journal.asked == []
    assert only(world).state is DeliveryState.UNCERTAIN


@pytest.mark.parametrize("down", [True, False], ids=["down", "locked"])
def test_while_the_journal_cannot_be_asked_nothing_is_sent_again_and_the_operator_hears_when_it_lasts(
    world: World, *, down: bool
) -> None:
    journal = with_journal(world)
    alert(world)
    lose(world, taken=True)
    world.deliver()
    journal.down, journal.locked = down, not down
    for _ in range(12):
        world.later(minutes=10)
        world.round()
    assert [mail.recipient for mail in world.mail_server.accepted] == [READER, OPERATOR]
    assert "The journal mailbox cannot be asked" in words(world.mail_server.to(OPERATOR)[0].text)
    assert len(journal.asked) < 8  # ever more seldom
    assert only(world).state is DeliveryState.UNCERTAIN

    journal.down = journal.locked = False
    world.later(hours=4)
    world.round()
    assert state(world)[0] is DeliveryState.SENT
    assert world.incidents() == []
    assert len(world.mail_server.to(READER)) == 1


def test_a_journal_that_cannot_be_asked_for_days_leaves_it_to_the_operator(world: World) -> None:
    journal = with_journal(world)
    alert(world)
    lose(world, taken=True)
    world.deliver()
    journal.down = True
    for _ in range(20):
        world.later(hours=4)
        world.round()

    assert state(world)[0] is DeliveryState.FAILED
    assert "perhaps delivered" in state(world)[1]
    assert any("perhaps delivered" in words(mail.text) for mail in world.mail_server.to(OPERATOR))
    assert len(world.mail_server.to(READER)) == 1


def test_a_journal_that_the_server_does_not_take_proves_nothing_by_its_absence(world: World) -> None:
    with_journal(world)
    alert(world)
    world.mail_server.journal_refusal = "550 5.1.1 no such user"
    lose(world, taken=True)
    world.deliver()
    assert only(world).phase is Phase.DOT
    world.later(minutes=2)
    world.deliver()

    assert len(world.mail_server.to(READER)) == 2  # once more, and no third time
    assert len({mail.message_id for mail in world.mail_server.accepted}) == 1
    assert "possible double" in state(world)[1]


def test_the_operator_hears_once_that_the_journal_is_not_taken_and_readers_get_their_mail(world: World) -> None:
    with_journal(world)
    world.begin()
    world.mail_server.journal_refusal = "550 5.1.1 no such user"
    for status in ("SUSPENDED", "TERMINATED", "WITHDRAWN"):
        world.registry.publish(TRIAL, status=status)
        world.round()
        world.later(hours=1)

    assert len(world.mail_server.to(READER)) == 3
    [told] = world.mail_server.to(OPERATOR)
    assert "does not take the journal mailbox journal@example.org" in words(told.text)
    assert "550 5.1.1 no such user" in words(told.text)

    world.mail_server.journal_refusal = None
    world.registry.publish(TRIAL, status="RECRUITING")
    world.round()
    assert world.incidents() == []


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
def test_a_process_that_dies_after_the_dot_asks_the_journal_and_sends_nothing_twice(
    world: World,
    taken: bool,  # noqa: FBT001
) -> None:
    with_journal(world)
    alert(world)
    world.mail_server.die_at(Phase.DOT, taken=taken)
    with pytest.raises(Died):
        world.deliver()
    world.restart()
    for _ in range(5):
        world.deliver()
        world.later(minutes=1)

    assert world.mail_server.subjects == [THE_ALERT]
    assert state(world)[0] is DeliveryState.SENT


def test_lost_answers_in_a_row_are_each_settled_by_the_journal(world: World) -> None:
    with_journal(world)
    alert(world)
    for _ in range(4):
        lose(world, taken=False)
        world.deliver()
        world.later(minutes=2)
    world.deliver()

    assert world.mail_server.subjects == [THE_ALERT]
    assert state(world)[0] is DeliveryState.SENT


# --- without ----------------------------------------------------------------------------------------------------------


def test_without_a_journal_a_message_is_sent_once_more_and_the_record_says_that_it_may_be_a_double(
    world: World,
) -> None:
    alert(world)
    lose(world, taken=True)
    world.deliver()
    assert only(world).state is DeliveryState.UNCERTAIN
    world.later(minutes=5)
    world.deliver()

    assert world.mail_server.subjects == [THE_ALERT] * 2
    assert state(world)[0] is DeliveryState.SENT
    assert "possible double" in state(world)[1]


def test_without_a_journal_a_second_lost_answer_is_left_to_the_operator(world: World) -> None:
    alert(world)
    for _ in range(2):
        lose(world, taken=True)
        world.deliver()
        world.later(minutes=5)
    for _ in range(5):
        world.round()
        world.later(hours=1)

    assert len(world.mail_server.to(READER)) == 2
    assert state(world)[0] is DeliveryState.FAILED
    [told] = world.mail_server.to(OPERATOR)
    assert "perhaps delivered" in words(told.text)


def test_what_was_perhaps_taken_is_not_told_anew_by_the_next_digest(world: World) -> None:
    alert(world)
    lose(world, taken=True)
    world.deliver()
    world.later(minutes=1)
    world.registry.publish(TRIAL, enrollment=41)
    world.check()
    world.digest()
    world.later(minutes=5)
    world.deliver()

    subjects = world.mail_server.subjects
    assert subjects.count(THE_ALERT) == 2
    assert len(subjects) == 3
    assert "Terminated" not in subjects[1] or "Terminated" not in subjects[2]
