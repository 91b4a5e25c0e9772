"""Many readers of one change: each gets what they would have got alone, and what they hear is rendered once."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.world import OTHER, TRIAL, World, daily, immediate
from watcher.model import Message, Route, Schedule, Severity, Watchlist
from watcher.render.letters import Letter, Letters
from watcher.render.templates import Rendered, TemplateFailed
from watcher.stages import digest as stage
from watcher.stages.copies import Copies
from watcher.store.tokens import Purpose, find_grant

PAGES = {"web": {"public_url": "https://watch.example.org"}}
MANY = [f"reader{number}@example.org" for number in range(9)]
WORD = re.compile(r"/[ua]/([\w-]{22})")


@pytest.fixture
def linked(world: World) -> World:
    world.restart(**PAGES)
    return world


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each subject is rendered."""
    counted: Counter[str] = Counter()
    render = Letters.render

    def counting(self: Letters, letter: Letter) -> tuple[Rendered, TemplateFailed | None]:
        counted[letter.subject] += 1
        return render(self, letter)

    monkeypatch.setattr(Letters, "render", counting)
    return counted


def told(world: World, addresses: Sequence[str] = MANY) -> list[Message]:
    """Return the digests that tell some readers that the study was terminated."""
    world.watch(TRIAL, readers=[immediate(address) for address in addresses])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.check()
    return world.digest()


def words_of(message: Message) -> set[str]:
    return set(WORD.findall(message.mime.replace(b"=\r\n", b"").decode("ascii")))


def test_what_all_hear_is_rendered_for_the_first_two_and_the_form_only(linked: World, rendered: Counter[str]) -> None:
    assert len(told(linked)) == len(MANY)
    assert [count for subject, count in rendered.items() if "Terminated" in subject] == [3], rendered


def test_each_reader_has_links_of_their_own_that_work(linked: World) -> None:
    messages = told(linked)
    found = [words_of(message) for message in messages]
    assert [len(words) for words in found] == [2] * len(MANY)  # to leave, and to acknowledge
    assert len(set.union(*found)) == 2 * len(MANY)
    with linked.app.database.reading() as db:
        for message, words in zip(messages, found, strict=True):
            grants = [find_grant(db, word) for word in words]
            assert {grant.address for grant in grants if grant} == {message.recipient}
            assert {grant.purpose for grant in grants if grant} == {Purpose.UNSUBSCRIBE, Purpose.ACKNOWLEDGE}


def test_a_copy_is_what_a_reader_would_have_got_alone(
    linked: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = told(linked)
    alone = World(url=f"sqlite:///{tmp_path}/alone.sqlite3", folder=tmp_path, options=PAGES)
    monkeypatch.setattr(Copies, "_write_second", _in_full)
    try:
        written = told(alone)
    finally:
        alone.close()
    assert [_without_words(message) for message in copied] == [_without_words(message) for message in written]


def _in_full(self: Copies, letter: Letter, address: str, identity: str, words: dict[str, str]) -> Any:
    self._known.clear()
    return self.write(letter, address, identity=identity, words=words)


def _without_words(message: Message) -> tuple[str, str, str, str]:
    mime = message.mime.replace(b"=\r\n", b"").decode("ascii")
    return message.recipient, message.message_id, message.subject, WORD.sub("/own", mime)


def test_who_hears_less_or_of_a_list_more_gets_a_mail_of_their_own(linked: World) -> None:
    listed = Watchlist(name="Ours", trials=(TRIAL, OTHER), recipients=tuple(map(immediate, MANY[:4])))
    only = Watchlist(name="Theirs", trials=(TRIAL,), recipients=tuple(map(immediate, MANY[4:6])))
    at_once = Schedule(time_zone="UTC", cadence=immediate().schedule.cadence, merged_for=timedelta(0))
    critical = [
        Route(name="Critical", address=one, schedule=at_once, watchlists=("Ours",), severity=Severity.CRITICAL)
        for one in MANY[6:]
    ]
    linked.declare(listed, only, routes=critical)
    linked.begin(TRIAL, OTHER)
    linked.registry.publish_all({TRIAL: {"status": "TERMINATED"}, OTHER: {"enrollment": 41}})
    linked.check()

    subjects = {message.recipient: message.subject for message in linked.digest()}

    assert {subjects[one].partition(":")[0] for one in MANY[:4]} == {"2 of 2 trials changed"}
    assert {subjects[one].partition("]")[0] for one in MANY[4:]} == {f"[{TRIAL}"}


def test_a_template_that_does_something_with_a_link_is_rendered_for_each_reader(world: World, tmp_path: Path) -> None:
    own = tmp_path / "templates" / "mail"
    own.mkdir(parents=True)
    text = "{{ subject }}: {{ unsubscribe_url | upper }} {{ unsubscribe_url | length }}\n"
    (own / "digest.txt").write_text(text, encoding="utf-8")
    world.restart(templates={"directory": str(own.parent)}, **PAGES)

    messages = told(world)

    shouted = [message.mime.replace(b"=\r\n", b"").decode("ascii") for message in messages]
    for message, mime in zip(messages, shouted, strict=True):
        leaving = re.search(r"List-Unsubscribe: <([^>]+)>", mime)
        assert leaving
        assert leaving[1].upper() in mime, message.recipient


def test_readers_in_other_time_zones_hear_the_same_at_their_own_time(linked: World) -> None:
    linked.watch(TRIAL, readers=[daily(one, time_zone=zone) for one, zone in zip(MANY, ["Asia/Tokyo", "UTC"] * 4)])  # noqa: B905 the ninth has none
    linked.begin()
    linked.registry.publish(TRIAL, status="TERMINATED")
    linked.check()
    linked.later(hours=11)
    assert [message.recipient for message in linked.digest()] == MANY[0:8:2]
    linked.later(hours=9)
    assert [message.recipient for message in linked.digest()] == MANY[1:8:2]


def test_one_reader_whose_mail_cannot_be_written_holds_up_none_of_many(
    linked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    addressed = linked.app.writer.addressed

    def failing(address: str, *, identity: str) -> Message:
        if address == MANY[5]:
            raise ZeroDivisionError
        return addressed(address, identity=identity)

    monkeypatch.setattr(linked.app.writer, "addressed", failing)
    messages = told(linked)
    readers = [message.recipient for message in messages if message.recipient in MANY]
    assert readers == [address for address in MANY if address != MANY[5]]
    monkeypatch.undo()
    assert next(message.recipient for message in linked.digest()) == MANY[5]


def test_what_is_more_than_one_transaction_takes_is_told_to_each_once(
    linked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_TOGETHER", 2)
    assert [message.recipient for message in told(linked)] == MANY
    assert linked.digest() == []
