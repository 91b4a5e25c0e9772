"""Text from the registry is text: it becomes no header, no element, no command to a terminal, wherever it stands.

Every kind of field of two whole records is replaced by the hostile texts in turn, one trial for each, and all of them
are mailed: as first sights, as changes, and as trouble that is told to the operator.
"""

import email
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import count, cycle

import orjson
import pytest

from tests.factories import Json
from tests.flow.world import OPERATOR, READER, World, words
from tests.smtp_conversation import Accepted
from watcher.replay.demo import build_demo_days

HOSTILE = {
    "a header": "x\r\nBcc: evil@example.net\r\n\r\nbody",
    "an encoded header": "=?UTF-8?Q?x=0ABcc:_evil@example.net?=",
    "an element": '<img src=x onerror="evil()"><script>evil()</script>',
    "the end of a cell": '"></a></td></tr></table><evil-element onclick=evil()>',
    "a template": "{{ 7 * 7 }}{% for x in y %}{{ ''.__class__.__mro__ }}",
    "a terminal's commands": "\x1b[31mred\x1b]0;title\x07\x9b2J\x00\x08",
    "directions": "\u202egpj.exe\u202c \u2066turned\u2069 \u200f\u200b\ufeff\u00ad",
    "line ends": "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1c",
    "a dot alone": "\r\n.\r\nMAIL FROM:<evil@example.net>",
    "very long": "evil " * 4000,
}
EXPECTED_HEADERS = [
    "Date",
    "From",
    "To",
    "Message-ID",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]
SOMETIMES = frozenset({"List-Id", "In-Reply-To", "References", "Precedence"})  # what the mail is about decides
OUR_ELEMENTS = frozenset(
    "html head meta title style body table tbody tr td h1 h2 p span a b ul li del ins code".split()  # noqa: SIM905 shorter
)
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def whole_records() -> list[Json]:
    """Return the fullest records of the demo: one with sites, one with results."""
    newest: dict[str, Json] = {}
    for day in build_demo_days():
        newest |= {line.nct_id: line.record for line in day.lines if line.record is not None}
    return sorted(newest.values(), key=lambda record: -len(orjson.dumps(record)))[:2]


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, list[str | int]]]:
    """Yield the kind of each field that holds a value, with one way to it."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in steps:
        at = f"{path}[]" if isinstance(key, int) else f"{path}.{key}"
        if isinstance(below, dict | list):
            yield from ((kind, [key, *way]) for kind, way in leaves(below, at))
        else:
            yield at, [key]


def one_way_to_each_kind(record: Json) -> list[list[str | int]]:
    ways = dict(reversed(list(leaves(record))))
    identity = ".protocolSection.identificationModule.nctId"
    return [way for kind, way in ways.items() if kind != identity and not kind.endswith(".versionHolder")]


def with_value(record: Json, way: list[str | int], value: Json) -> Json:
    changed = deepcopy(record)
    holder = changed
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    return changed


def named(record: Json, nct_id: str) -> Json:
    identification = record["protocolSection"]["identificationModule"] | {"nctId": nct_id}
    return record | {"protocolSection": record["protocolSection"] | {"identificationModule": identification}}


class Elements(HTMLParser):
    """Notes what a reader's mail program would make of the HTML part."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action", "background"}]


def invisible(text: str) -> set[str]:
    return {repr(char) for char in text if char != "\n" and unicodedata.category(char) in INVISIBLE}


def assert_harmless(mail: Accepted) -> None:
    message = email.message_from_bytes(mail.mime, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert [part.defects for part in message.walk() if part.defects] == []
    assert [name for name in message.keys() if name not in SOMETIMES] == EXPECTED_HEADERS  # noqa: SIM118 names repeat
    assert len(set(message.keys())) == len(message.keys())
    assert not any(invisible(str(value)) for value in message.values())
    assert message["To"] == mail.recipient
    assert mail.mime.isascii()
    assert max(map(len, mail.mime.split(b"\r\n"))) <= 998
    assert invisible(mail.text) == set()
    assert invisible(mail.html) == set()
    elements = Elements()
    elements.feed(mail.html)
    assert elements.names <= OUR_ELEMENTS
    assert not any(name.startswith("on") for name in elements.attributes)
    assert all(link.startswith("https://clinicaltrials.gov/study/NCT") for link in elements.links)
    assert len(mail.subject) <= 160


@pytest.fixture(scope="module")
def hostile_pairs() -> list[tuple[Json, Json]]:
    """Give pairs of a good record and one with a hostile field, each pair under an ID of its own."""
    numbers, texts = count(1), cycle(HOSTILE.values())
    pairs = []
    for record in whole_records():
        for way in one_way_to_each_kind(record):
            nct_id = f"NCT2{next(numbers):07}"
            pairs.append((named(record, nct_id), named(with_value(record, way, next(texts)), nct_id)))
        for text in HOSTILE.values():
            nct_id = f"NCT2{next(numbers):07}"
            changed = deepcopy(record)
            changed["protocolSection"][text[:200]] = {text[:200]: text}
            changed["protocolSection"]["conditionsModule"]["conditions"] = [text, f"{text} 2"]
            pairs.append((named(record, nct_id), named(changed, nct_id)))
    return pairs


def test_hostile_text_in_any_field_of_a_change_is_told_as_text(
    world: World, hostile_pairs: list[tuple[Json, Json]]
) -> None:
    ids = [pair[0]["protocolSection"]["identificationModule"]["nctId"] for pair in hostile_pairs]
    world.watch(*ids)
    world.registry.publish_records(before for before, _ in hostile_pairs)
    world.round()
    world.registry.publish_records(after for _, after in hostile_pairs)
    done = world.round()

    assert done.outcome is not None
    assert done.outcome.refusals == []
    assert done.outcome.changed == len(ids)
    for mail in world.mail_server.accepted:
        assert_harmless(mail)
    assert "evil@example.net" in words(world.mail_server.accepted[-1].text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_in_every_field_at_once_is_welcomed_as_text(sqlite_world: World, text: str) -> None:
    world = sqlite_world
    record = whole_records()[0]
    for way in one_way_to_each_kind(record):
        if isinstance(way[-1], str) or text != HOSTILE["very long"]:
            record = with_value(record, way, text)
    world.watch("NCT20000001")
    world.registry.publish_records([named(record, "NCT20000001")])
    world.round()
    world.registry.remove("NCT20000001")
    world.round()
    world.registry.publish_nothing()
    world.round()

    assert [mail.subject for mail in world.mail_server.accepted] == [
        "Now watching NCT20000001",
        "[NCT20000001] The registry no longer serves this record",
    ]
    for mail in world.mail_server.accepted:
        assert_harmless(mail)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_words_of_a_mail_server_are_told_to_the_operator_as_text(sqlite_world: World, text: str) -> None:
    world = sqlite_world
    world.begin()
    world.mail_server.refuse(READER, reply=f"550 {text}")
    world.registry.publish("NCT00000001", status="TERMINATED", title=text)
    world.round()
    world.round()
    (mail,) = world.mail_server.to(OPERATOR)
    assert_harmless(mail)
