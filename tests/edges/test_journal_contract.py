"""What every journal promises, kept by the fake that the flow tests use and by those that the program has."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edges.sample_mail import message
from tests.flow.journal import FakeJournal
from watcher.errors import ChannelDown, ChannelRefused
from watcher.notify.channel import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A journal, and what happens at its other end."""

    journal: Journal
    put: Callable[[bytes], None]  # lets a mail arrive
    go_down: Callable[[], None]
    lock: Callable[[], None]  # lets logins be refused


@contextmanager
def fake_journal(_folder: Path) -> Iterator[Kept]:
    journal = FakeJournal()

    def go_down() -> None:
        journal.down = True

    def lock() -> None:
        journal.locked = True

    yield Kept(journal=journal, put=journal.put, go_down=go_down, lock=lock)


@pytest.fixture(params=[fake_journal], ids=["in memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    with request.param(tmp_path) as kept:
        yield kept


def test_a_mail_that_has_arrived_is_held(kept: Kept) -> None:
    for number in range(3):
        kept.put(message(number).mime)
    assert all(kept.journal.holds(message(number).message_id) for number in range(3))


def test_a_mail_that_has_not_arrived_is_not_held(kept: Kept) -> None:
    assert not kept.journal.holds(message(1).message_id)
    kept.put(message(2).mime)
    assert not kept.journal.holds(message(1).message_id)


def test_a_mail_is_held_as_soon_as_it_has_arrived(kept: Kept) -> None:
    assert not kept.journal.holds(message().message_id)
    kept.put(message().mime)
    assert kept.journal.holds(message().message_id)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda known: known.replace("<", "<a"), id="longer at its beginning"),
        pytest.param(lambda known: known.replace(">", "x>"), id="longer at its end"),
        pytest.param(lambda known: "<" + known[2:], id="shorter"),
        pytest.param(lambda known: known.upper(), id="in capitals"),
        pytest.param(lambda known: known.strip("<>"), id="without its brackets"),
        pytest.param(lambda _: "<*>", id="a pattern"),
        pytest.param(lambda _: "<%@example.org>", id="another pattern"),
        pytest.param(lambda _: '<x" OR ALL "@example.org>', id="a search term"),
        pytest.param(lambda _: "<x>\r\nA1 LOGOUT", id="another command"),
        pytest.param(lambda _: "<ü@example.org>", id="not ASCII"),
        pytest.param(lambda _: "", id="nothing"),
    ],
)
def test_another_message_id_is_another_mail(kept: Kept, change: Callable[[str], str]) -> None:
    kept.put(message().mime)
    assert not kept.journal.holds(change(message().message_id))
    assert kept.journal.holds(message().message_id)


def test_a_mail_that_quotes_a_message_id_is_not_the_one_that_has_it(kept: Kept) -> None:
    asked = message(1).message_id
    quoting = message(2).mime.replace(b"Subject:", f"In-Reply-To: {asked}\r\nReferences: {asked}\r\nSubject:".encode())
    kept.put(quoting + asked.encode() + b"\r\n")
    assert not kept.journal.holds(asked)


def test_a_journal_that_cannot_be_reached_is_no_answer(kept: Kept) -> None:
    kept.put(message().mime)
    kept.go_down()
    with pytest.raises(ChannelDown):
        kept.journal.holds(message().message_id)


def test_a_journal_that_lets_nobody_in_is_the_operators(kept: Kept) -> None:
    kept.lock()
    with pytest.raises(ChannelRefused):
        kept.journal.holds(message().message_id)


def test_the_address_is_one_that_mail_can_be_sent_to(kept: Kept) -> None:
    assert "@" in kept.journal.address
