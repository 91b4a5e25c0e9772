"""What is missing between a change and its reader's mailbox is found within fifteen minutes, put right, and told.

Each gap is planted in the tables, because no stage makes one.
"""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import delete, select, update

from tests.flow.world import OPERATOR, READER, TRIAL, World, words
from watcher.core.reconciling import Gap, GapKind
from watcher.model import DeliveryState, Phase
from watcher.stages.digest import Digest
from watcher.store.tables import digest, message, notice

CHANGED = f"[{TRIAL}] Recruitment status: Recruiting → Suspended"


@pytest.fixture
def told(world: World) -> World:
    """A world in which a change was recorded and told an hour after the first sight."""
    world.begin()
    world.later(hours=1)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    assert world.mail_server.subjects == [CHANGED]
    world.mail_server.accepted.clear()
    return world


def within_fifteen_minutes(world: World) -> None:
    for _ in range(15):
        world.later(minutes=1)
        world.app.pipeline.compose(now=world.clock())
        world.deliver()


def readers_mails(world: World) -> list[str]:
    return [mail.subject for mail in world.mail_server.accepted if mail.recipient == READER]


def operators_words(world: World) -> list[str]:
    return [words(mail.text) for mail in world.mail_server.accepted if mail.recipient == OPERATOR]


def test_where_nothing_is_missing_nothing_is_found(told: World) -> None:
    within_fifteen_minutes(told)
    assert told.mail_server.accepted == []
    assert told.incidents() == []


def test_a_change_without_a_notice_is_told_once(told: World) -> None:
    with told.app.database.writing() as db:
        digests = list(db.execute(select(notice.c.digest_id).where(notice.c.kind == "changed")).scalars())
        db.execute(delete(notice).where(notice.c.kind == "changed"))
        db.execute(delete(message).where(message.c.digest_id.in_(digests)))
        db.execute(delete(digest).where(digest.c.id.in_(digests)))
    within_fifteen_minutes(told)
    within_fifteen_minutes(told)

    assert readers_mails(told) == [CHANGED]
    assert len(operators_words(told)) == 1
    assert f"A change of {TRIAL} was recorded, and no reader had a notice of it" in operators_words(told)[0]
    assert told.incidents() == []


def test_a_reader_who_joined_after_a_change_hears_nothing_of_it(told: World) -> None:
    with told.app.database.writing() as db:
        db.execute(delete(notice).where(notice.c.kind == "changed"))
    told.watch(TRIAL, readers=[])
    told.watch(TRIAL)
    told.round()
    told.mail_server.accepted.clear()
    within_fifteen_minutes(told)
    assert told.mail_server.accepted == []


def test_a_digest_without_a_message_is_written_again(told: World) -> None:
    with told.app.database.writing() as db:
        lost = select(notice.c.digest_id).where(notice.c.kind == "changed")
        digests = db.execute(lost).scalars().all()
        db.execute(update(notice).where(notice.c.kind == "changed").values(message_id=None))
        db.execute(delete(message).where(message.c.digest_id.in_(digests)))
    within_fifteen_minutes(told)

    assert readers_mails(told) == [CHANGED]
    assert f"A change of {TRIAL}, for {READER}, was in a digest that had no message" in operators_words(told)[0]


def test_what_a_folded_message_told_is_told_again_when_nothing_tells_it(told: World) -> None:
    with told.app.database.writing() as db:
        db.execute(update(notice).values(message_id=None))
        folded = update(message).where(message.c.subject == CHANGED)
        db.execute(folded.values(state=DeliveryState.FOLDED, message_id="<folded@example.org>", id="f" * 32))
    within_fifteen_minutes(told)

    assert readers_mails(told) == [CHANGED]
    assert "given up for a later one, and no later one told it" in operators_words(told)[0]


def claimed(world: World) -> None:
    """Let the reader's mail be marked as being sent, and nobody send it."""
    with world.app.database.writing() as db:
        sending = update(message).where(message.c.subject == CHANGED)
        db.execute(sending.values(state=DeliveryState.SENDING, phase=Phase.CONNECT))


def test_a_message_that_nobody_sends_any_more_is_tried_again_within_fifteen_minutes(told: World) -> None:
    claimed(told)
    within_fifteen_minutes(told)
    assert readers_mails(told) == [CHANGED]
    assert f"A change of {TRIAL}, for {READER}, is in a message that was being sent" in operators_words(told)[0]


def test_a_message_in_hand_that_moves_is_left_alone_and_one_that_stands_still_is_told_of(told: World) -> None:
    """The reconciliation runs beside the delivery, whose conversation is looked at from within here."""
    found: list[list[Gap]] = []

    def look() -> None:
        for _ in range(3):
            told.later(minutes=5)
            found.append(told.app.pipeline.reconciliation.run(now=told.clock()))

    told.later(hours=1)
    told.registry.publish(TRIAL, status="RECRUITING")
    told.check()
    told.app.pipeline.compose(now=told.clock())
    told.mail_server.dawdle(look)
    told.deliver()

    assert found[0] == []
    assert [{gap.kind for gap in gaps} for gaps in found[1:]] == [{GapKind.HANGING}, {GapKind.HANGING}]
    assert "gap: hanging" in [incident.key for incident in told.incidents()]

    for _ in range(2):
        within_fifteen_minutes(told)
    assert len(readers_mails(told)) == 1
    assert "in a conversation that stands still" in operators_words(told)[0]
    assert told.incidents() == []


class _NoDigest(Digest):
    """Overlooks whatever is due, as a fault of ours would."""

    def run(self, *, now: datetime) -> list[str]:  # noqa: ARG002 the form of the stage
        return []


def test_a_notice_that_no_digest_takes_is_told_to_the_operator_until_one_does(told: World) -> None:
    told.later(hours=1)
    told.registry.publish(TRIAL, status="RECRUITING")
    told.check()
    pipeline = told.app.pipeline
    idle = _NoDigest.__new__(_NoDigest)
    told.app = replace(told.app, pipeline=replace(pipeline, digest=idle))
    within_fifteen_minutes(told)
    within_fifteen_minutes(told)
    assert [incident.key for incident in told.incidents()] == ["gap: untold"]

    told.app = replace(told.app, pipeline=pipeline)
    within_fifteen_minutes(told)
    assert len(readers_mails(told)) == 1
    assert f"A change of {TRIAL}, for {READER}, was due more than 15 minutes ago" in operators_words(told)[0]
    assert told.incidents() == []
