"""A test mail, and whether it arrives in the journal mailbox."""

from datetime import timedelta

import pytest

from tests.flow.journal import FakeJournal
from tests.flow.test_doubts import with_journal
from tests.flow.world import READER, World
from watcher.actions.trial_mail import InJournal, Look, look_in_journal, send_test_mail


def look(world: World, waits: list[timedelta] | None = None, *, address: str = READER) -> Look:
    sent = send_test_mail(world.app, address)
    return look_in_journal(world.app, sent, wait=([] if waits is None else waits).append)


def test_without_a_journal_there_is_nothing_to_look_for(world: World) -> None:
    assert look(world) == Look(found=InJournal.NO_JOURNAL, words=None)


def test_a_test_mail_that_has_arrived_is_found_at_once(world: World) -> None:
    with_journal(world)
    waits: list[timedelta] = []
    assert look(world, waits).found is InJournal.ARRIVED
    assert waits == []


def test_a_test_mail_that_does_not_arrive_is_looked_for_as_long_as_the_settings_give_it(world: World) -> None:
    with_journal(world)
    world.mail_server.journal = FakeJournal()  # what arrives there is somewhere else
    waits: list[timedelta] = []
    found = look(world, waits)
    assert found.found is InJournal.MISSING
    assert "has not arrived in the journal mailbox journal@example.org within 2m" in str(found.words)
    assert sum(waits, timedelta(0)) == timedelta(minutes=2)


def test_a_mail_server_that_does_not_name_the_journal_is_told_of(world: World) -> None:
    with_journal(world)
    world.mail_server.journal_refusal = "550 5.1.1 no such mailbox"
    found = look(world)
    assert found.found is InJournal.NOT_NAMED
    assert "journal@example.org: 550 5.1.1 no such mailbox" in str(found.words)


def test_a_mail_to_the_journal_itself_proves_nothing(world: World) -> None:
    with_journal(world)
    assert look(world, address="journal@example.org").found is InJournal.NO_JOURNAL


@pytest.mark.parametrize("trouble", ["down", "locked"])
def test_a_journal_that_cannot_be_asked_is_told_of(world: World, trouble: str) -> None:
    setattr(with_journal(world), trouble, True)
    found = look(world)
    assert found.found is InJournal.UNREACHABLE
    assert "cannot be asked: journal: " in str(found.words)
