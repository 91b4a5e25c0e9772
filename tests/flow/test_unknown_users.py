"""A mail server that does not know a reader: the address is suspended at once, and somebody else hears."""

import pytest

from tests.flow.world import OPERATOR, READER, TRIAL, World, immediate, words
from watcher.actions.simulating import simulate
from watcher.model import DeliveryState
from watcher.store import outbox
from watcher.store.suspensions import resume, suspensions

COLLEAGUE, DEPUTY = "colleague@example.org", "deputy@example.org"
UNKNOWN = "550 5.1.1 <reader@example.org>: Recipient address rejected: User unknown"
THE_ALERT = f"[{TRIAL}] Recruitment status: Recruiting → Terminated"


def begin(world: World) -> None:
    world.watch(TRIAL, readers=[immediate(), immediate(COLLEAGUE)])
    world.begin()


def rounds(world: World, count: int = 3) -> None:
    for _ in range(count):
        world.round()
        world.later(minutes=1)


def suspended(world: World) -> list[str]:
    with world.app.database.reading() as db:
        return list(suspensions(db))


def states(world: World) -> dict[DeliveryState, int]:
    with world.app.database.reading() as db:
        return {state: count for state, count in outbox.counts(db).items() if count}


def test_everybody_whom_it_concerns_hears_and_nothing_is_lost(world: World) -> None:
    begin(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply=UNKNOWN)
    rounds(world)

    assert suspended(world) == [READER]
    assert world.mail_server.tried.count(READER) == 1
    texts = [words(mail.text) for mail in world.mail_server.to(OPERATOR)]
    [stood_in] = [text for text in texts if f"Meant for {READER}, whom mail does not reach (550 5.1.1" in text]
    assert "Terminated" in stood_in
    [told] = [text for text in texts if f"Mail to {READER} is refused (550 5.1.1" in text]
    assert f"it goes to {OPERATOR} from now on" in told
    assert f"trialwatch resume {READER}" in told
    assert world.mail_server.to(COLLEAGUE)[0].subject == THE_ALERT
    assert any(f"Mail does not reach {READER}" in words(mail.text) for mail in world.mail_server.to(COLLEAGUE))
    assert DeliveryState.FAILED not in states(world)
    assert not any("given up" in text for text in texts)


def test_the_fall_back_reader_of_the_settings_gets_the_digest(world: World) -> None:
    imap = {"host": "localhost", "username": "bounces", "password": "secret"}
    world.restart(mail={"bounces": {"address": "bounces@example.org", "fallback": DEPUTY, "imap": imap}})
    begin(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply=UNKNOWN)
    rounds(world)
    [mail] = world.mail_server.to(DEPUTY)
    assert mail.subject == THE_ALERT


def test_what_comes_after_the_suspension_is_lifted_goes_to_the_reader_again(world: World) -> None:
    begin(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply=UNKNOWN, times=1)
    rounds(world)
    world.registry.publish(TRIAL, enrollment=41)
    rounds(world)
    assert world.mail_server.to(READER) == []
    with world.app.database.writing() as db:
        assert resume(db, READER)
    world.registry.publish(TRIAL, enrollment=42)
    rounds(world)
    [mail] = world.mail_server.to(READER)
    assert "→ 42" in mail.words
    assert "→ 41" not in mail.words


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("550 5.1.10 no such recipient", id="another code of addresses"),
        pytest.param("550 5.1.2 no such domain", id="no such domain"),
        pytest.param("550 5.2.1 mailbox disabled", id="a disabled mailbox"),
        pytest.param("552 5.2.2 mailbox full", id="a full mailbox"),
        pytest.param("554 5.6.0 not this mail", id="its content"),
        pytest.param("550 User unknown", id="no enhanced code"),
        pytest.param("550 see 5.1.1", id="a code elsewhere"),
    ],
)
def test_any_other_refusal_gives_the_mail_up_and_leaves_the_address_alone(world: World, reply: str) -> None:
    begin(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply=reply, times=1)
    rounds(world)
    assert suspended(world) == []
    assert states(world)[DeliveryState.FAILED] == 1
    assert any("was given up" in words(mail.text) for mail in world.mail_server.to(OPERATOR))


def test_an_operator_whom_the_server_does_not_know_is_not_suspended_when_nobody_could_stand_in(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply=UNKNOWN)
    world.mail_server.refuse(OPERATOR, reply=UNKNOWN)
    for _ in range(10):
        world.round()
        world.later(hours=1)
    assert suspended(world) == [READER]
    assert world.mail_server.tried.count(OPERATOR) <= 4
    assert any(OPERATOR in incident.summary for incident in world.incidents())


def test_a_drill_that_is_refused_suspends_nobody(world: World) -> None:
    world.begin()
    world.mail_server.refuse(READER, reply=UNKNOWN)
    drill = simulate(world.app, TRIAL, ["overallStatus=TERMINATED"])
    assert [one.state for one in drill.deliveries] == [DeliveryState.FAILED]
    assert suspended(world) == []
