"""Several channels: each has its own sessions, pauses and incidents, and none waits for another."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.flow.mail_server import FakeMailServer
from tests.flow.world import NOON, OPERATOR
from tests.store.factories import message
from tests.store.test_outbox import due_digest
from watcher.errors import ChannelDown
from watcher.model import DeliveryState, Message, Phase, Receipt
from watcher.notify.channel import Channel
from watcher.stages.deliver import Conditions, Deliver, Patience
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.incidents import open_incidents, untold_incidents
from watcher.store.telling import add_digest

CHAT = "target:chat"
PATIENCE = 20.0  # seconds that a test waits for what must come


class Hanging:
    """A channel that does not answer until it is told to."""

    name = "hanging"

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    @contextmanager
    def session(self) -> Iterator["Hanging"]:
        yield self

    def send(self, message: Message, *, on_phase: Callable[[Phase], None]) -> Receipt:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        on_phase(Phase.DOT)
        return Receipt(reply=f"at last: {message.subject}")


def deliver(database: Database, channels: dict[str, Channel], *, turn: timedelta = timedelta(minutes=1)) -> Deliver:
    return Deliver(
        database,
        channels,
        Patience(down_for=timedelta(minutes=1), give_up_after=timedelta(hours=72), turn=turn),
        operator=OPERATOR,
        conditions=Conditions(stopping=lambda: False, chance=lambda: 0.0, monotonic=lambda: 0.0),
    )


def compose(database: Database, *channels: str, first: int = 1) -> None:
    """Put a message into the outbox for each of the channels."""
    with database.writing() as db:
        for number, channel in enumerate(channels, first):
            outbox.add_message(db, replace(message(number), channel=channel), digest_id=None, sizes=(1, 2), now=NOON)


def test_each_message_goes_through_the_channel_that_it_is_for(database: Database) -> None:
    mail, chat = FakeMailServer(), FakeMailServer()
    compose(database, "mail", CHAT, "mail")
    handed = deliver(database, {"mail": mail, CHAT: chat}).run(now=NOON)

    assert handed.states == {DeliveryState.SENT: 3}
    assert (len(mail.accepted), len(chat.accepted)) == (2, 1)


def test_a_channel_that_is_down_holds_up_no_other(database: Database) -> None:
    mail, chat = FakeMailServer(), FakeMailServer(down=True)
    stage = deliver(database, {"mail": mail, CHAT: chat})
    compose(database, CHAT, "mail")
    handed = stage.run(now=NOON)
    assert len(mail.accepted) == 1
    assert isinstance(handed.troubles[CHAT], ChannelDown)
    with database.reading() as db:
        [incident] = open_incidents(db)
        [waiting] = outbox.unfinished(db)
    assert incident.summary == "What target:chat is to hear cannot be handed over: memory: connection refused"
    assert (waiting.channel, waiting.attempts) == (CHAT, 0)

    chat.down = False
    compose(database, "mail", first=3)
    stage.run(now=NOON + timedelta(seconds=30))  # it is left alone for a minute
    assert (len(mail.accepted), len(chat.accepted)) == (2, 0)
    stage.run(now=NOON + timedelta(minutes=1))
    assert len(chat.accepted) == 1
    with database.reading() as db:
        assert open_incidents(db) == []


def test_a_channel_that_hangs_is_left_behind_and_the_others_go_on(database: Database) -> None:
    mail, hanging = FakeMailServer(), Hanging()
    stage = deliver(database, {"mail": mail, CHAT: hanging}, turn=timedelta(milliseconds=200))
    compose(database, CHAT, "mail")
    stage.run(now=NOON)
    assert hanging.begun.wait(PATIENCE)
    compose(database, "mail", first=3)
    for _ in range(100):  # on a busy machine the mail's turn may take longer than that, too
        stage.run(now=NOON)
        if len(mail.accepted) == 2:
            break
    assert len(mail.accepted) == 2
    assert not hanging.go_on.is_set()

    hanging.go_on.set()
    assert stage.run_all(now=NOON).states[DeliveryState.SENT] == 1
    with database.reading() as db:
        assert outbox.counts(db)[DeliveryState.SENT] == 3


def test_what_waits_for_a_channel_that_is_gone_waits_on_and_the_operator_hears_it(database: Database) -> None:
    mail = FakeMailServer()
    compose(database, "mail")
    with database.writing() as db:
        window, notice_ids = due_digest(db)
        gone = replace(message(2), channel="target:gone")
        add_digest(db, window, notice_ids, gone, sizes=(1, 2), now=NOON)
    stage = deliver(database, {"mail": mail})
    for _ in range(3):
        stage.run(now=NOON)

    assert len(mail.accepted) == 1
    with database.reading() as db:
        [waiting] = outbox.unfinished(db)
        [told] = untold_incidents(db)
    assert waiting.state is not DeliveryState.FAILED
    assert "the settings declare no [[target]] that is target:gone" in told.summary


def test_a_letter_to_the_operator_by_a_channel_that_is_gone_is_told_once(database: Database) -> None:
    compose(database, "target:gone")
    stage = deliver(database, {"mail": FakeMailServer()})
    for hours in range(3):
        stage.run(now=NOON + timedelta(hours=hours))
    with database.reading() as db:
        assert [one.key for one in untold_incidents(db)] == ["refuses us target:gone"]


@pytest.mark.parametrize("phase", [Phase.DATA, Phase.DOT])
def test_what_a_dead_process_left_on_any_channel_is_recovered(database: Database, phase: Phase) -> None:
    channels: dict[str, Channel] = {"mail": FakeMailServer(), CHAT: FakeMailServer()}
    compose(database, CHAT, "mail", "target:gone")
    with database.writing() as db:
        for number in (1, 2, 3):
            outbox.claim(db, [message(number).id])
            outbox.record_phase(db, message(number).id, phase)
    stage = deliver(database, channels)
    assert stage.recover(now=NOON) == 3
    stage.run(now=NOON)
    with database.reading() as db:
        states = {one.channel: one.state for one in outbox.all_messages(db)}
    assert states == {
        "mail": DeliveryState.SENT,
        CHAT: DeliveryState.SENT,
        "target:gone": DeliveryState.DEFERRED,
    }
