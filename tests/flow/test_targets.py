"""A change reaches mailboxes and targets, each once, and the trouble of one is none of the other's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.flow.world import OPERATOR, OTHER, READER, TRIAL, World, immediate, words
from tests.webhook_receiver import SECRET, Receiver
from watcher.model import DeliveryState, Phase
from watcher.store import outbox

HOOK = "target:hook"
THE_ALERT = f"[{TRIAL}] Recruitment status: Recruiting → Terminated"


def target(url: str, name: str = "hook") -> dict[str, Any]:
    return {
        "name": name,
        "kind": "webhook",
        "url": url,
        "secret": SECRET,
        "allow_private": True,
        "connect_timeout": "5s",
        "timeout": "5s",
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def begin(world: World, *receivers: Receiver) -> None:
    """Let a person and each receiver hear of one trial, and be welcomed."""
    names = ["hook", *(f"hook{number}" for number in range(1, len(receivers)))]
    world.restart(target=[target(one.url, name) for one, name in zip(receivers, names, strict=True)])
    world.watch(TRIAL, readers=[immediate(), *(immediate(f"target:{name}") for name in names)])
    world.begin()
    for one in receivers:
        one.posted.clear()


def told(receiver: Receiver) -> list[str]:
    return [json.loads(body)["data"]["subject"] for body in receiver.bodies]


def test_a_change_reaches_the_mailbox_and_the_webhook_each_once(world: World, receiver: Receiver) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    for _ in range(3):
        world.round()
        world.later(hours=1)

    assert world.mail_server.subjects == [THE_ALERT]
    [document] = [json.loads(body) for body in receiver.bodies]
    assert document["type"] == "digest.changes"
    assert document["data"]["subject"] == THE_ALERT
    [change] = document["data"]["trials"][0]["versions"][0]["changes"]
    assert (change["severity"], change["category"]) == ("critical", "status")
    assert document["data"]["coverage"]["verified"] == 1
    assert THE_ALERT.partition("] ")[2] in words(document["data"]["text"])


def test_what_arrives_is_signed_with_the_time_of_the_service(sqlite_world: World, receiver: Receiver) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()

    [posted] = receiver.posted
    expected = Webhook(SECRET).sign(posted.headers["webhook-id"], world.clock(), posted.body.decode())
    assert posted.headers["webhook-signature"] == expected


def test_a_target_that_is_down_does_not_hold_up_the_mails(world: World, receiver: Receiver) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.silent.set()
    world.round()
    assert world.mail_server.subjects == [THE_ALERT]
    first = list(receiver.ids)

    receiver.silent.clear()
    world.later(hours=1)
    world.deliver()
    world.deliver()

    assert world.mail_server.subjects == [THE_ALERT]
    assert len(first) == 1
    assert receiver.ids == first * 2  # one message, whose first answer was lost


def test_a_mail_server_that_is_down_does_not_hold_up_the_target(world: World, receiver: Receiver) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.down = True
    world.round()
    assert told(receiver) == [THE_ALERT]

    world.mail_server.down = False
    world.later(hours=1)
    world.deliver()
    assert world.mail_server.subjects == [THE_ALERT]
    assert told(receiver) == [THE_ALERT]


def test_one_target_does_not_hold_up_another(sqlite_world: World) -> None:
    with Receiver() as broken, Receiver() as sound:
        begin(sqlite_world, broken, sound)
        sqlite_world.registry.publish(TRIAL, status="TERMINATED")
        broken.status = 403
        sqlite_world.round()
        assert told(sound) == [THE_ALERT]

        broken.status = 200
        sqlite_world.later(hours=1)
        sqlite_world.deliver()
    assert told(broken) == [THE_ALERT] * 2
    assert told(sound) == [THE_ALERT]


def test_nobody_at_the_targets_port_is_told_to_the_operator_when_it_lasts(sqlite_world: World) -> None:
    world = sqlite_world
    with Receiver() as gone:
        begin(world, gone)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.later(minutes=30)
    world.round()
    assert world.mail_server.to(OPERATOR) == []
    world.later(minutes=31)
    world.round()
    [mail] = world.mail_server.to(OPERATOR)
    assert "webhook hook: no connection" in words(mail.text)


def test_a_receiver_that_is_gone_for_good_is_told_to_the_operator(sqlite_world: World, receiver: Receiver) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status = 410
    world.round()
    world.round()
    [mail] = world.mail_server.to(OPERATOR)
    assert "take the target hook out of the settings" in words(mail.text)
    assert len(receiver.posted) == 1


def test_a_receiver_that_asks_for_time_gets_it(sqlite_world: World, receiver: Receiver) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status, receiver.headers = 429, {"Retry-After": "7200"}
    world.round()
    receiver.status = 200
    world.later(minutes=119)
    world.deliver()
    assert len(receiver.posted) == 1
    world.later(minutes=1)
    world.deliver()
    assert receiver.ids[0] == receiver.ids[1]


def test_a_receiver_that_asks_for_a_year_is_asked_again_after_six_hours(
    sqlite_world: World, receiver: Receiver
) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status, receiver.headers = 503, {"Retry-After": "31536000"}
    world.round()
    world.later(hours=6)
    world.deliver()
    assert len(receiver.posted) == 2


def test_a_death_after_the_body_went_out_repeats_it_under_the_same_id(world: World, receiver: Receiver) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    world.digest()

    with world.app.database.writing() as db:
        due = [one.id for one in outbox.unfinished(db) if one.recipient == HOOK]
        [delivery] = outbox.claim(db, due)
        outbox.record_phase(db, due[0], Phase.DOT)
    with world.app.targets[HOOK].session() as session:
        session.send(delivery.message, on_phase=lambda _phase: None)

    world.restart()
    world.deliver()
    assert receiver.ids == due * 2


def test_messages_to_a_target_that_is_declared_no_more_wait_and_the_operator_is_told(
    sqlite_world: World, receiver: Receiver
) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status = 503
    world.round()
    world.restart(target=[])
    world.later(hours=1)
    world.round()
    world.later(minutes=1)
    world.round()
    [mail] = world.mail_server.to(OPERATOR)
    assert "no [[target]] that is target:hook" in words(mail.text)

    receiver.status = 200
    world.restart(target=[target(receiver.url)])
    world.later(hours=1)
    world.round()
    assert receiver.ids[0] == receiver.ids[-1]
    with world.app.database.reading() as db:
        assert outbox.unfinished(db) == []


def test_joining_and_leaving_is_told_to_a_target_as_well(sqlite_world: World, receiver: Receiver) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish_all({OTHER: {}})
    world.watch(OTHER, readers=[immediate(HOOK)])
    world.round()
    types = {json.loads(body)["type"] for body in receiver.bodies}
    headings = [group["heading"] for body in receiver.bodies for group in json.loads(body)["data"]["groups"]]
    assert types == {"digest.watching"}
    assert len(headings) == 2
    assert world.mail_server.to(READER) != []


def test_no_secret_reaches_the_database_or_the_operator(sqlite_world: World, receiver: Receiver) -> None:
    world, canary = sqlite_world, "canary4711"
    world.restart(target=[target(f"{receiver.url}/{canary}?token={canary}")])
    world.watch(TRIAL, readers=[immediate(HOOK)])
    world.begin()
    for status in (500, 404, 302, 410, 204):
        receiver.status = status
        receiver.headers = {"Location": f"https://{canary}.example.org/", "X": canary}
        world.registry.publish(TRIAL, enrollment=status)
        for _ in range(3):
            world.round()
            world.later(hours=1)
    assert len(receiver.posted) > 5

    with world.app.database.reading() as db:
        replies = [str(one) for one in outbox.unfinished(db)]
    seen = f"{replies} {world.incidents()} {[mail.mime for mail in world.mail_server.accepted]}"
    assert canary not in seen
    assert SECRET not in seen
    database = world.folder / "store.sqlite3"
    assert canary.encode() not in database.read_bytes() + (world.folder / "store.sqlite3-wal").read_bytes()


def test_the_state_of_each_message_is_its_own(sqlite_world: World, receiver: Receiver) -> None:
    world = sqlite_world
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status = 500
    handed = world.round().handed
    assert (handed.states[DeliveryState.SENT], handed.states[DeliveryState.DEFERRED]) == (1, 1)
    assert handed.trouble is None


# --- the operator's target --------------------------------------------------------------------------------------------


def test_the_operator_hears_by_their_target_too_in_the_form_that_it_takes(world: World, receiver: Receiver) -> None:
    world.restart(target=[target(receiver.url)], operator_target="hook")
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply="554 no")
    for _ in range(3):
        world.round()
        world.later(minutes=1)

    [mail] = world.mail_server.to(OPERATOR)
    [document] = [json.loads(body) for body in receiver.bodies]
    assert document["type"] == "operator.incidents"
    assert document["data"]["subject"] == mail.subject
    [incident] = document["data"]["incidents"]
    assert "was given up: 554 no" in incident["summary"]
    assert incident["summary"] in words(document["data"]["text"])


def test_the_operators_target_hears_when_mail_itself_fails(world: World, receiver: Receiver) -> None:
    world.restart(target=[target(receiver.url)], operator_target="hook")
    world.begin()
    world.mail_server.refuse(OPERATOR, reply="554 nobody here")
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.refuse(READER, reply="554 no")
    for _ in range(4):
        world.round()
        world.later(minutes=1)

    assert world.mail_server.to(OPERATOR) == []
    told = [one["summary"] for body in receiver.bodies for one in json.loads(body)["data"]["incidents"]]
    assert any("554 no" in summary for summary in told)


def test_a_target_is_told_all_of_a_digest_and_of_no_attachment(world: World, receiver: Receiver) -> None:
    begin(world, receiver)
    trials = [f"NCT9{number:07}" for number in range(90)]
    world.watch(*trials, readers=[immediate(), immediate(HOOK)])
    world.begin(*trials)
    receiver.posted.clear()
    for trial in trials:
        world.registry.publish(trial, status="TERMINATED", enrollment=12)
    world.round()

    [mail] = world.mail_server.to(READER)
    assert "attached as" in words(mail.text)
    [document] = [json.loads(body) for body in receiver.bodies]
    assert [one["nct_id"] for one in document["data"]["trials"]] == trials
    assert document["data"]["left_out"]["trials"] == 0
    assert "attached" not in document["data"]["text"]


# --- what is not taken for days ---------------------------------------------------------------------------------------


def days_go_by(world: World) -> None:
    for _ in range(20):
        world.round()
        world.later(hours=4)


def test_a_mail_that_is_told_anew_after_days_is_not_told_anew_to_the_target(world: World, receiver: Receiver) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.defer(READER, reply="450 4.2.2 mailbox full")
    days_go_by(world)
    world.mail_server.behave()
    world.later(hours=5)
    world.round()

    assert told(receiver) == [THE_ALERT]
    [mail] = world.mail_server.to(READER)
    assert "delayed: first written on 2026-03-02 at 12:00 UTC" in mail.words


def test_what_a_target_did_not_take_for_days_is_told_anew_to_it_and_not_by_mail(
    world: World, receiver: Receiver
) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status = 503
    days_go_by(world)
    assert world.mail_server.subjects.count(THE_ALERT) == 1
    tried = set(receiver.ids)

    receiver.status = 200
    receiver.posted.clear()
    world.later(hours=5)
    world.round()
    world.later(hours=5)
    world.round()
    assert world.mail_server.to(READER)[0].subject == THE_ALERT
    assert len(world.mail_server.to(READER)) == 1
    [document] = [json.loads(body) for body in receiver.bodies]
    [version] = document["data"]["trials"][0]["versions"]
    assert version["delayed_since"] == "2026-03-02T12:00:00+00:00"
    assert len(version["changes"]) == 1
    assert len(tried) >= 2  # it was written anew, as another message


def test_a_digest_that_is_taken_along_for_one_channel_is_left_alone_for_the_other(
    world: World, receiver: Receiver
) -> None:
    begin(world, receiver)
    world.registry.publish(TRIAL, enrollment=41)
    receiver.status = 503
    world.round()
    world.later(minutes=2)
    world.registry.publish(TRIAL, status="TERMINATED")
    receiver.status = 200
    world.round()
    world.later(hours=1)
    world.round()

    assert [mail.words.count("→ 41 (estimated)") for mail in world.mail_server.to(READER)] == [1, 0]
    documents = [json.loads(body)["data"] for body in receiver.bodies[1:]]
    assert sum(json.dumps(one["trials"], ensure_ascii=False).count("→ 41 (estimated)") for one in documents) >= 1
    assert len({json.dumps(one["trials"]) for one in documents}) == len(documents)
