"""A digest that is not taken for days: what it told is told once, by one mail that says since when it is delayed."""

from typing import Any

from tests.flow.world import OPERATOR, READER, TRIAL, World, daily, immediate, words
from watcher.model import DeliveryState
from watcher.stages.writing import Outgoing
from watcher.store import outbox

DAILY = "daily@example.org"
SECOND = "second@example.org"


def counted(world: World) -> dict[DeliveryState, int]:
    with world.app.database.reading() as db:
        return {state: count for state, count in outbox.counts(db).items() if count}


def test_after_72_hours_without_a_mail_server_each_reader_gets_one_mail_with_each_change_once(world: World) -> None:
    world.watch(TRIAL, readers=[immediate(), daily(DAILY)])
    world.begin()
    world.later(hours=24)  # the daily reader's welcome has gone out, too
    world.round()
    world.mail_server.accepted.clear()
    world.mail_server.down = True
    enrolled = 100
    for _ in range(6):
        for _ in range(12):
            world.later(hours=1)
            world.round()
        enrolled += 1
        world.registry.publish(TRIAL, enrollment=enrolled)
        world.round()
    world.mail_server.down = False
    world.later(minutes=1)
    world.round()
    world.later(days=1)
    world.round()
    world.later(minutes=1)
    world.round()

    [caught_up] = world.mail_server.to(READER)
    for number in range(101, 107):
        assert caught_up.words.count(f"→ {number} (estimated)") == 1
    assert caught_up.words.count("delayed: first written on 2026-03-") == 5  # all but the last one
    texts = [mail.words for mail in world.mail_server.to(DAILY)]
    assert len(texts) == 2  # what was due before the server came back, and the next day's
    for number in range(101, 107):
        assert sum(text.count(f"→ {number} (estimated)") for text in texts) == 1
    assert len({mail.message_id for mail in world.mail_server.accepted}) == len(world.mail_server.accepted)


def test_a_digest_that_waits_is_taken_along_by_the_next_with_the_time_at_which_it_was_written(world: World) -> None:
    world.begin()
    world.mail_server.defer(READER, reply="450 4.2.2 mailbox full")
    world.registry.publish(TRIAL, enrollment=41)
    world.round()
    world.later(minutes=2)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.behave()
    world.round()

    [mail] = world.mail_server.to(READER)
    assert "delayed: first written on 2026-03-02 at 12:00 UTC" in mail.words
    assert mail.words.count("delayed") == 1
    assert mail.words.count("→ 41 (estimated)") == 1
    assert "Terminated" in mail.words
    assert counted(world)[DeliveryState.FOLDED] == 1

    for _ in range(30):  # and nothing comes later
        world.later(hours=3)
        world.round()
    assert len(world.mail_server.to(READER)) == 1


def test_another_reader_s_digest_is_not_taken_along(world: World) -> None:
    world.watch(TRIAL, readers=[immediate(), immediate(SECOND)])
    world.begin()
    world.mail_server.defer(SECOND)
    world.registry.publish(TRIAL, enrollment=41)
    world.round()
    world.later(minutes=2)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()

    first, second = world.mail_server.to(READER)
    assert "delayed" not in first.words + second.words


def test_a_digest_that_nobody_took_for_72_hours_is_written_anew_as_delayed(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.defer(READER, reply="450 4.2.2 mailbox full")
    for _ in range(20):
        world.round()
        world.later(hours=4)
    assert world.mail_server.to(READER) == []
    world.mail_server.behave()
    world.later(hours=5)
    world.round()

    [mail] = world.mail_server.to(READER)
    assert "delayed: first written on 2026-03-02 at 12:00 UTC" in mail.words
    assert counted(world)[DeliveryState.FOLDED] == 1
    assert DeliveryState.FAILED not in counted(world)
    assert world.incidents() == []  # the delay is over


def test_the_operator_hears_once_of_a_reader_who_cannot_be_reached_for_weeks(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.defer(READER, reply="450 4.2.2 mailbox full")
    for _ in range(120):
        world.round()
        world.later(hours=4)

    [told] = world.mail_server.to(OPERATOR)
    assert f"Mail to {READER} has not been taken for 72 hours: 450 4.2.2 mailbox full" in words(told.text)
    assert counted(world)[DeliveryState.FOLDED] >= 5


def test_mails_of_joining_are_not_put_together(world: World) -> None:
    world.registry.publish_all({TRIAL: {}})
    world.mail_server.defer(READER)
    world.round()
    world.later(minutes=1)
    world.watch(readers=[immediate()])
    world.round()
    world.mail_server.behave()
    world.later(hours=1)
    world.round()

    assert world.mail_server.subjects == [f"Now watching {TRIAL}", f"No longer watching {TRIAL}"]


def test_a_digest_that_is_being_handed_over_is_not_taken_along(world: World) -> None:
    world.begin()
    world.mail_server.defer(READER)
    world.registry.publish(TRIAL, enrollment=41)
    world.round()
    world.later(minutes=6)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    with world.app.database.writing() as db:  # the other thread begins to deliver
        [claimed] = outbox.claim(db, outbox.due_messages(db, now=world.clock(), limit=1))
    composed = world.digest()
    assert len(composed) == 1
    assert b"delayed" not in composed[0].mime
    with world.app.database.writing() as db:
        outbox.release(db, [claimed.message.id])


def test_what_is_claimed_while_a_digest_is_written_overtakes_it(world: World) -> None:
    world.begin()
    world.mail_server.defer(READER)
    world.registry.publish(TRIAL, enrollment=41)
    world.round()
    world.later(minutes=6)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    with world.app.database.reading() as db:
        [waiting] = [one.id for one in outbox.unfinished(db)]
    written = world.app.writer.write

    def write(*arguments: Any, **named: Any) -> Outgoing:
        with world.app.database.writing() as db:
            outbox.claim(db, [waiting])
        return written(*arguments, **named)

    world.app.writer.write = write  # type: ignore[method-assign]  # the other thread, in between
    assert world.digest() == []
    world.restart()
    world.mail_server.behave()
    world.round()
    assert sum(mail.words.count("→ 41 (estimated)") for mail in world.mail_server.to(READER)) == 1
    assert sum("Terminated" in mail.words for mail in world.mail_server.to(READER)) == 1
