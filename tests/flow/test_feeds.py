"""A watch list's feed: what was told, newest first, for whoever has the link, and nothing about any person."""

import feedparser
import pytest

from tests.flow.pages import LINKED, PUBLIC_URL, pages_of
from tests.flow.world import OTHER, READER, TRIAL, World, immediate
from watcher.actions.feeds import add_feed, revoke_feeds
from watcher.errors import SettingsError
from watcher.model import Watchlist

OURS = "Our trials"
CONTACT = {"name": "Casey Contact", "phone": "555 0100", "email": "casey@example.org"}


@pytest.fixture
def fed(world: World) -> World:
    world.restart(**LINKED)
    world.begin()
    return world


@pytest.fixture
def sqlite_fed(sqlite_world: World) -> World:
    sqlite_world.restart(**LINKED)
    sqlite_world.begin()
    return sqlite_world


def path_of(world: World, watchlist: str = OURS) -> str:
    link = add_feed(world.app, watchlist, READER)
    assert link.startswith(PUBLIC_URL)
    return link.removeprefix(PUBLIC_URL)


def parsed(content: bytes) -> feedparser.FeedParserDict:
    found = feedparser.parse(content, response_headers={"content-type": "application/atom+xml; charset=utf-8"})
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    return found


def test_it_tells_what_was_told_the_newest_first(fed: World) -> None:
    path = path_of(fed)
    for fields in ({"status": "SUSPENDED"}, {"title": "Another title"}, {"enrollment": 400, "status": "TERMINATED"}):
        fed.later(hours=24)
        fed.registry.publish(TRIAL, **fields)
        fed.round()

    answer = pages_of(fed).get(path)

    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = parsed(answer.content)
    assert feed.feed.title == f"trialwatch: {OURS}"
    assert feed.feed.updated == feed.entries[0].updated == "2026-03-05T12:00:00Z"
    assert feed.feed.links[0].href == PUBLIC_URL + path
    assert [(entry.title, entry.updated[:10]) for entry in feed.entries] == [
        (f"[{TRIAL}] Enrollment +900 %", "2026-03-05"),
        (f"[{TRIAL}] Recruitment status: Suspended → Terminated", "2026-03-05"),
        (f"[{TRIAL}] Brief Title: Example Drug in Example Disease → Another title", "2026-03-04"),
        (f"[{TRIAL}] Recruitment status: Recruiting → Suspended", "2026-03-03"),
    ]
    assert feed.entries[-1].content[0].value.endswith("(registry data of 2026-03-03)")
    assert feed.entries[-1].link == f"https://clinicaltrials.gov/study/{TRIAL}"


def test_an_entry_keeps_its_id_whatever_comes_later(fed: World) -> None:
    fed.registry.publish(TRIAL, status="SUSPENDED")
    fed.round()
    client, path = pages_of(fed), path_of(fed)
    before = [entry.id for entry in parsed(client.get(path).content).entries]
    fed.registry.publish(TRIAL, status="TERMINATED")
    fed.round()
    fed.restart(web={"public_url": "https://elsewhere.example.org"})
    after = [entry.id for entry in parsed(client.get(path_of_another(fed)).content).entries]
    assert after[1:] == before
    assert len(set(after)) == 2
    assert all(each.startswith("tag:example.org,2026:revision/") for each in after)


def path_of_another(world: World) -> str:
    return add_feed(world.app, OURS, "another@example.org").removeprefix("https://elsewhere.example.org")


def test_it_is_sent_again_only_when_it_is_new(fed: World) -> None:
    client, path = pages_of(fed), path_of(fed)
    first = client.get(path)
    tag = first.headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    fed.registry.publish(TRIAL, status="SUSPENDED")
    fed.round()
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_an_empty_feed_is_one(sqlite_fed: World) -> None:
    assert parsed(pages_of(sqlite_fed).get(path_of(sqlite_fed)).content).entries == []


def test_it_holds_its_own_list_and_nothing_that_is_not_told(sqlite_fed: World) -> None:
    world = sqlite_fed
    world.declare(
        Watchlist(name=OURS, trials=(TRIAL,), recipients=(immediate(),)),
        Watchlist(name="Others", trials=(OTHER,), recipients=(immediate(),)),
    )
    world.registry.publish(OTHER)
    world.round()
    world.registry.publish_all({TRIAL: {"updated": "2026-03-01"}, OTHER: {"status": "SUSPENDED"}})
    world.round()
    assert world.history(TRIAL)[-1]
    client = pages_of(world)
    assert parsed(client.get(path_of(world)).content).entries == []
    assert len(parsed(client.get(path_of(world, "Others")).content).entries) == 1


def test_two_hundred_entries_are_the_most(sqlite_fed: World) -> None:
    world = sqlite_fed
    trials = [f"NCT{number:08}" for number in range(1, 121)]
    world.watch(*trials)
    world.registry.publish_all({trial: {} for trial in trials})
    world.round()
    for enrollment in (50, 500):
        world.registry.publish_all({trial: {"enrollment": enrollment} for trial in trials})
        world.round()
    entries = parsed(pages_of(world).get(path_of(world)).content).entries
    assert len(entries) == 200
    assert [entry.updated for entry in entries] == sorted((entry.updated for entry in entries), reverse=True)


def test_no_person_is_in_it(sqlite_fed: World) -> None:
    world = sqlite_fed
    for contacts in ([CONTACT], [{**CONTACT, "name": "Carol Contact"}], []):
        extra = {"protocolSection": {"contactsLocationsModule": {"centralContacts": contacts}}}
        world.registry.publish(TRIAL, extra=extra)
        world.round()
    content = pages_of(world).get(path_of(world)).text
    assert parsed(content.encode()).entries
    assert not any(word in content for word in ("Contact<", "Casey", "Carol", "555 0100", "casey@", READER))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("]]><entry/><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", id="markup"),
        pytest.param("a\x00\x08\x1b\x0b\ufffe\uffff\ud800b", id="what XML cannot hold"),
        pytest.param("</title></feed>" * 50, id="ends of elements"),
        pytest.param("\u202eevil\u2066 \U0001f600 é", id="direction marks, and characters beyond"),
    ],
)
def test_hostile_text_stays_text(sqlite_fed: World, text: str) -> None:
    world = sqlite_fed
    storable = text.encode("utf-8", "ignore").decode()
    extra = {"protocolSection": {"statusModule": {"whyStopped": storable}}}
    world.registry.publish(TRIAL, status="SUSPENDED", title=storable, extra=extra)
    world.round()
    name = "".join(char for char in storable if char.isprintable())
    world.watch(TRIAL, name=name)
    feed = parsed(pages_of(world).get(path_of(world, name)).content)
    assert len(feed.entries) == 2
    assert all(char not in str(feed) for char in "\x00\x1b\u202e\u2066\ufffe")


def test_a_revoked_link_is_as_good_as_none(fed: World) -> None:
    client, path = pages_of(fed), path_of(fed)
    assert client.get(path).status_code == 200
    assert revoke_feeds(fed.app, READER, "Another list") == 0
    assert client.get(path).status_code == 200
    assert revoke_feeds(fed.app, READER, OURS) == 1
    assert client.get(path).status_code == 404
    assert revoke_feeds(fed.app, READER, None) == 0


@pytest.mark.parametrize(
    ("watchlist", "address", "says"),
    [
        pytest.param(
            "Our trails", READER, 'there is no watch list "Our trails"; did you mean "Our trials"?', id="list"
        ),
        pytest.param(OURS, "nobody", "--for:", id="address"),
    ],
)
def test_a_link_needs_a_list_and_an_address(sqlite_fed: World, watchlist: str, address: str, says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        add_feed(sqlite_fed.app, watchlist, address)
    assert says in refused.value.problems[0]


def test_without_pages_there_are_no_feeds(sqlite_world: World) -> None:
    with pytest.raises(SettingsError, match="web.public_url"):
        add_feed(sqlite_world.app, OURS, READER)
