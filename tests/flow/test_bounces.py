"""Mail that comes back after a server had taken it: the reader is suspended, and somebody else hears."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.world import NOON, OPERATOR, READER, TRIAL, World, immediate, words
from tests.reports import BOUNCES, complaint, delivery_status, holiday
from tests.smtp_conversation import Accepted
from tests.webhook_receiver import SECRET, Receiver
from watcher.core.bounces import Why
from watcher.model import DeliveryState
from watcher.stages.bounces import MAILBOX_INCIDENT
from watcher.store.suspensions import resume, suspensions
from watcher.store.tables import bounce, message, opt_out

DEPUTY, COLLEAGUE = "deputy@example.org", "colleague@example.org"
IMAP = {"host": "localhost", "username": "bounces", "password": "secret"}


@pytest.fixture
def world(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Give a world whose mail can come back, with two readers of one trial."""
    url = str(request.getfixturevalue(f"{database_kind}_url"))
    options = {"bounces": {"address": BOUNCES, "fallback": DEPUTY, "imap": IMAP}}
    world = World(url=url, folder=tmp_path, options={"mail": options})
    world.watch(TRIAL, readers=[immediate(READER), immediate(COLLEAGUE)])
    world.begin()
    yield world
    world.close()


def test_every_mail_has_a_return_address_of_its_own(world: World) -> None:
    mail, other = told_of_suspension(world)

    assert mail.sender.startswith("bounces+")
    assert mail.sender.endswith("@example.org")
    assert mail.sender != other.sender
    assert mail.message["From"] == "trialwatch <trialwatch@example.org>"


def test_without_a_mailbox_for_it_the_sender_stays_what_it_was(tmp_path: Path, sqlite_url: str) -> None:
    world = World(url=sqlite_url, folder=tmp_path)
    world.registry.publish(TRIAL)
    world.round()

    assert [mail.sender for mail in world.mail_server.accepted] == ["trialwatch@example.org"]
    world.close()


def test_what_a_lost_reader_was_told_goes_to_the_fall_back_reader_and_says_for_whom_it_was(world: World) -> None:
    mail, _ = told_of_suspension(world)
    comes_back(world, mail)

    (stand_in,) = world.mail_server.to(DEPUTY)
    assert stand_in.subject == mail.subject
    text = words(stand_in.text)
    assert f"Meant for {READER}, whom mail does not reach (smtp; 550 5.1.1" in text
    assert "Study suspended" in text
    assert state_of(world, mail) == DeliveryState.FOLDED


def test_the_operator_and_the_other_readers_of_the_trial_are_told(world: World) -> None:
    mail, _ = told_of_suspension(world)
    comes_back(world, mail)

    (told,) = world.mail_server.to(COLLEAGUE)[1:]
    assert f"Mail does not reach {READER}, who hears of this trial too" in words(told.text)
    (operators,) = world.mail_server.to(OPERATOR)
    assert f"Mail to {READER} comes back" in words(operators.text)
    assert f"trialwatch resume {READER}" in words(operators.text)


def test_what_comes_later_goes_to_the_fall_back_reader_until_the_address_is_resumed(world: World) -> None:
    mail, _ = told_of_suspension(world)
    comes_back(world, mail)
    world.mail_server.accepted.clear()

    publish(world, "TERMINATED")
    assert sorted(one.recipient for one in world.mail_server.accepted) == [COLLEAGUE, DEPUTY]

    with world.app.database.writing() as db:
        assert resume(db, READER)
    world.mail_server.accepted.clear()
    publish(world, "WITHDRAWN")
    assert sorted(one.recipient for one in world.mail_server.accepted) == [COLLEAGUE, READER]
    assert "Meant for" not in world.mail_server.to(READER)[0].text


def test_what_waits_for_a_lost_reader_in_the_outbox_is_not_handed_over_but_told_to_the_fall_back_reader(
    world: World,
) -> None:
    mail, _ = told_of_suspension(world)
    world.mail_server.defer(READER)
    publish(world, "TERMINATED")
    world.mail_server.behave()
    world.mail_server.accepted.clear()
    comes_back(world, mail, hours=5)

    assert not world.mail_server.to(READER)
    texts = [words(one.text) for one in world.mail_server.to(DEPUTY)]
    # Both were untold at the same moment, so that one mail tells them.
    assert len(texts) == 1
    assert "Study suspended" in texts[0]
    assert "Terminated" in texts[0]


def test_a_mail_that_was_composed_while_its_reader_was_suspended_is_not_handed_over(world: World) -> None:
    mail, _ = told_of_suspension(world)
    world.later(hours=1)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    world.digest()
    world.mail_server.accepted.clear()
    world.mailbox.arrive(delivery_status(mail.sender))
    assert world.app.pipeline.bounces is not None
    world.app.pipeline.bounces.run(now=world.clock())
    world.deliver()
    assert not world.mail_server.to(READER)

    world.later(minutes=1)
    world.round()
    assert "Terminated" in "".join(one.text for one in world.mail_server.to(DEPUTY))
    assert not world.mail_server.to(READER)


def test_reading_the_same_report_again_changes_nothing(world: World) -> None:
    mail, _ = told_of_suspension(world)
    world.mailbox.breaks_at_settling = 1
    comes_back(world, mail)
    assert len(world.mail_server.to(DEPUTY)) == 1

    world.mail_server.accepted.clear()
    world.later(minutes=5)
    world.round()

    assert world.mailbox.settled == ["1"]
    assert not world.mail_server.to(DEPUTY)
    assert not world.mail_server.to(COLLEAGUE)


def test_two_reports_about_one_mail_have_it_told_once(world: World) -> None:
    mail, _ = told_of_suspension(world)
    world.mailbox.arrive(delivery_status(mail.sender))
    comes_back(world, mail)

    assert len(world.mail_server.to(DEPUTY)) == 1
    assert len(world.mail_server.to(OPERATOR)) == 1
    assert reports(world) == [Why.NO_SUCH_ADDRESS, Why.NO_SUCH_ADDRESS]


@pytest.mark.parametrize(
    ("mail", "why"),
    [
        (lambda to: holiday(to), Why.AUTOMATIC_REPLY),
        (lambda to: delivery_status(to, action="delayed", status="4.4.1"), Why.STILL_TRYING),
        (lambda to: delivery_status(to, action="relayed", status="2.1.9"), Why.DELIVERED),
        (lambda to: b"From: x@example.net\r\nTo: %s\r\nSubject: Hello\r\n\r\nThank you!\r\n" % to.encode(), None),
        (lambda _to: b"", None),
    ],
    ids=["a holiday", "a delay", "a success", "an answer", "nothing at all"],
)
def test_what_is_no_bounce_changes_nothing(world: World, mail: "object", why: Why | None) -> None:
    sent, _ = told_of_suspension(world)
    assert callable(mail)
    world.mailbox.arrive(mail(sent.sender))
    world.mail_server.accepted.clear()
    done = world.round()

    assert done.read is not None
    assert list(done.read.reports) == [why or Why.NOT_A_REPORT]
    assert world.mailbox.settled == ["1"]
    assert not suspended(world)
    assert not world.mail_server.accepted


def test_a_forged_report_that_only_names_an_address_suspends_nobody(world: World) -> None:
    told_of_suspension(world)
    world.mailbox.arrive(delivery_status(BOUNCES, quoting="<made-up@example.org>"))
    world.mailbox.arrive(delivery_status("bounces+0123456789abcdef01234567@example.org", quoting="<x@y>"))
    done = world.round()

    assert done.read is not None
    assert done.read.reports == {Why.NOT_OURS: 2}
    assert not suspended(world)


def test_a_report_without_our_return_address_counts_if_it_quotes_a_mail_that_went_to_that_address(
    world: World,
) -> None:
    mail, _ = told_of_suspension(world)
    about_another = delivery_status(BOUNCES, quoting=mail.message_id, recipient="somebody@example.net")
    world.mailbox.arrive(about_another)
    world.round()
    assert not suspended(world)

    world.mailbox.arrive(delivery_status(BOUNCES, quoting=mail.message_id, recipient=READER.upper()))
    world.round()
    assert suspended(world) == [READER]


def test_a_full_mailbox_is_tried_again_later_and_given_up_the_third_time(world: World) -> None:
    mail, _ = told_of_suspension(world)
    for _ in range(2):
        world.mail_server.accepted.clear()
        comes_back(world, mail, status="5.2.2")
        assert not suspended(world)
        assert not world.mail_server.accepted
        world.later(hours=4)
        world.round()
        (mail,) = world.mail_server.to(READER)
        assert "Study suspended" in mail.text

    comes_back(world, mail, status="5.2.2")
    assert suspended(world) == [READER]
    assert len(world.mail_server.to(DEPUTY)) == 1


def test_when_the_fall_back_reader_is_lost_too_the_operator_gets_the_mail(world: World) -> None:
    mail, _ = told_of_suspension(world)
    comes_back(world, mail)
    (stand_in,) = world.mail_server.to(DEPUTY)
    comes_back(world, stand_in, recipient=DEPUTY)

    assert suspended(world) == [READER, DEPUTY]
    told = [words(one.text) for one in world.mail_server.to(OPERATOR)]
    assert sum(f"Meant for {READER}" in text and "Study suspended" in text for text in told) == 1


def test_a_lost_operator_is_told_by_the_fall_back_reader_and_the_last_one_who_is_left_stays(world: World) -> None:
    mail, _ = told_of_suspension(world)
    comes_back(world, mail)
    (operators,) = world.mail_server.to(OPERATOR)
    comes_back(world, operators, recipient=OPERATOR)

    texts = [words(one.text) for one in world.mail_server.to(DEPUTY)]
    assert sum(f"Meant for {OPERATOR}" in text and f"Mail to {READER} comes back" in text for text in texts) == 1

    comes_back(world, world.mail_server.to(DEPUTY)[-1], recipient=DEPUTY)
    assert suspended(world) == [READER, OPERATOR]
    assert any("there is nobody else to send it to" in one.summary for one in world.incidents())


def test_what_the_operators_mail_told_in_vain_is_not_told_to_their_target_again(world: World) -> None:
    with Receiver() as receiver:
        hook = {"name": "hook", "kind": "webhook", "url": receiver.url, "secret": SECRET, "allow_private": True}
        world.restart(target=[hook], operator_target="hook")
        mail, _ = told_of_suspension(world)
        comes_back(world, mail)
        (operators,) = world.mail_server.to(OPERATOR)
        comes_back(world, operators, recipient=OPERATOR)
        summaries = [one["summary"] for body in receiver.bodies for one in json.loads(body)["data"]["incidents"]]

    assert any(f"Mail to {READER} comes back" in words(one.text) for one in world.mail_server.to(DEPUTY))
    assert sum(f"Mail to {READER} comes back" in summary for summary in summaries) == 1
    assert sum(f"Mail to {OPERATOR} comes back" in summary for summary in summaries) == 1


def test_a_complaint_ends_all_mail_to_the_reader_and_the_operator_hears_of_it(world: World) -> None:
    mail, _ = told_of_suspension(world)
    world.mailbox.arrive(complaint(mail.sender))
    world.later(minutes=1)
    world.round()

    with world.app.database.reading() as db:
        assert [(row.address, row.watchlist) for row in db.execute(opt_out.select())] == [(READER, "")]
    assert any("abuse" in one.summary for one in world.incidents())
    assert not suspended(world)


def test_a_mailbox_that_does_not_answer_is_told_to_the_operator_when_it_lasts(world: World) -> None:
    world.mailbox.down = True
    world.round()
    assert [one.key for one in world.incidents()] == [MAILBOX_INCIDENT]
    assert not world.mail_server.accepted

    world.later(hours=2)
    world.round()
    assert "Reports of mail that came back cannot be read" in words(world.mail_server.to(OPERATOR)[0].text)

    world.mailbox.down = False
    world.round()
    assert not world.incidents()


def test_a_mailbox_that_refuses_us_is_told_to_the_operator_at_once(world: World) -> None:
    world.mailbox.locked = "imap: are user name and password right?"
    world.round()
    assert "are user name and password right?" in words(world.mail_server.to(OPERATOR)[0].text)


# --- what happens -----------------------------------------------------------------------------------------------------


def told_of_suspension(world: World) -> tuple[Accepted, Accepted]:
    """Let the study be suspended; return the mail to the reader, and the one to the colleague."""
    publish(world, "SUSPENDED")
    return world.mail_server.to(READER)[-1], world.mail_server.to(COLLEAGUE)[-1]


def publish(world: World, status: str) -> None:
    world.later(hours=1)
    world.registry.publish(TRIAL, status=status)
    world.round()


def comes_back(
    world: World, mail: Accepted, *, hours: float = 0.1, status: str = "5.1.1", recipient: str = READER
) -> None:
    diagnostic = f"smtp; 550 {status} not delivered"
    world.mailbox.arrive(delivery_status(mail.sender, status=status, diagnostic=diagnostic, recipient=recipient))
    world.later(hours=hours)
    world.round()
    world.later(seconds=1)
    world.round()


def suspended(world: World) -> list[str]:
    with world.app.database.reading() as db:
        return list(suspensions(db))


def reports(world: World) -> list[Why]:
    with world.app.database.reading() as db:
        return [Why(row.why) for row in db.execute(bounce.select().order_by(bounce.c.id))]


def state_of(world: World, mail: Accepted) -> DeliveryState:
    with world.app.database.reading() as db:
        row = db.execute(message.select().where(message.c.sender == mail.sender)).one()
    assert row.composed_at > NOON
    return DeliveryState(row.state)
