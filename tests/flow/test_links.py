"""What the links of a mail do: nothing when they are followed, one thing when the button is pressed."""

import string
from itertools import product

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flow.pages import LINKED, PREFIX, PUBLIC_URL, everything, pages_of, paths
from tests.flow.world import OPERATOR, OTHER, READER, TRIAL, World, immediate, words
from tests.store.together import together
from watcher.model import Act, Watchlist
from watcher.store.acknowledgements import acts_of
from watcher.store.lists import opt_out
from watcher.store.revisions import revisions
from watcher.store.tokens import Grant, Purpose, add_token, revoke_tokens
from watcher.web.guard import LARGEST_BODY

TOKENS = {purpose: f"{purpose.value}-token-of-22-ch" for purpose in Purpose}
SECOND = "second@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def linked(world: World) -> World:
    """Give a world in which a change was told with links, and whose mails are known."""
    world.restart(**LINKED)
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    return world


@pytest.fixture
def sqlite_linked(sqlite_world: World) -> World:
    """The same on SQLite."""
    sqlite_world.restart(**LINKED)
    sqlite_world.begin()
    sqlite_world.registry.publish(TRIAL, status="SUSPENDED")
    sqlite_world.round()
    return sqlite_world


def last_links(world: World, address: str = READER) -> tuple[str, str]:
    """Return the paths to unsubscribe and to acknowledge in the last mail to a reader."""
    mail = world.mail_server.to(address)[-1]
    (unsubscribing,), (acknowledging,) = paths(mail, "u"), paths(mail, "a")
    return unsubscribing, acknowledging


def known_tokens(world: World) -> dict[Purpose, str]:
    """Put one token of each kind in force, and return their paths."""
    with world.app.database.reading() as db:
        step = revisions(db, TRIAL)[-1]
    story = world.history()[-1][0].story
    subjects: dict[Purpose, dict[str, object]] = {
        Purpose.UNSUBSCRIBE: {"watchlist": "Our trials"},
        Purpose.ACKNOWLEDGE: {"revision": step.id, "story": story},
        Purpose.FEED: {"watchlist": "Our trials"},
    }
    with world.app.database.writing() as db:
        for purpose, word in TOKENS.items():
            grant = Grant(purpose=purpose, address=READER, subject=subjects[purpose])
            add_token(db, word, grant, now=world.clock())
    return {
        Purpose.UNSUBSCRIBE: f"/u/{TOKENS[Purpose.UNSUBSCRIBE]}",
        Purpose.ACKNOWLEDGE: f"/a/{TOKENS[Purpose.ACKNOWLEDGE]}",
        Purpose.FEED: f"/feeds/{TOKENS[Purpose.FEED]}.atom",
    }


# --- in the mail ------------------------------------------------------------------------------------------------------


def test_a_digest_has_the_same_links_in_text_and_html_near_its_beginning_and_at_its_end(linked: World) -> None:
    (mail,) = linked.mail_server.accepted
    unsubscribing, acknowledging = last_links(linked)
    for part in (mail.text, mail.html):
        assert part.count(PUBLIC_URL + unsubscribing) == 2
        assert part.count(PUBLIC_URL + acknowledging) == 1
    assert mail.text.index(unsubscribing) < mail.text.index(TRIAL)
    assert 'You get this mail because you are named as a reader of the watch list "Our trials".' in words(mail.text)


def test_without_a_public_address_mails_have_no_links(sqlite_world: World) -> None:
    sqlite_world.begin()
    sqlite_world.registry.publish(TRIAL, status="SUSPENDED")
    sqlite_world.round()
    (mail,) = sqlite_world.mail_server.accepted
    assert "nsubscribe" not in mail.text + mail.html
    assert "Acknowledge" not in mail.text + mail.html
    assert everything(sqlite_world)["token"] == []


def test_what_is_minor_has_no_link_to_acknowledge(sqlite_linked: World) -> None:
    sqlite_linked.registry.publish(TRIAL, status="SUSPENDED", title="Another title")
    sqlite_linked.round()
    mail = sqlite_linked.mail_server.accepted[-1]
    assert "[minor]" in mail.text
    assert paths(mail, "a") == []
    assert len(paths(mail, "u")) == 1


def test_each_reader_has_links_of_their_own_and_the_database_holds_none_of_them(linked: World) -> None:
    linked.watch(TRIAL, readers=[immediate(), immediate(SECOND)])
    linked.registry.publish_nothing()
    linked.round()
    linked.registry.publish(TRIAL, status="TERMINATED")
    linked.round()
    links = {last_links(linked), last_links(linked, SECOND)}
    assert len({link for pair in links for link in pair}) == 4
    stored = repr(everything(linked)["token"])
    assert not any(link.rpartition("/")[2] in stored for pair in links for link in pair)


def test_links_leave_a_large_digest_below_what_mail_programs_show(sqlite_world: World) -> None:
    world = sqlite_world
    world.restart(web={"public_url": "https://" + "long-name." * 12 + "example.org/trialwatch"})
    trials = [f"NCT{number:08}" for number in range(1, 251)]
    world.watch(*trials)
    world.begin(*trials)
    world.registry.publish_all({trial: {"status": "SUSPENDED", "enrollment": 400} for trial in trials})
    world.round()
    (mail,) = world.mail_server.accepted
    shown = mail.html.count(">Acknowledge</a>")
    assert shown >= 40
    assert len(mail.html.encode()) <= 80_000
    # What was drawn for sentences that found no room is not in force.
    assert len([row for row in everything(world)["token"] if "acknowledge" in row]) == shown


# --- following a link -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_no_method_but_post_changes_anything_at_any_address(linked: World, method: str) -> None:
    reached = known_tokens(linked)
    client = pages_of(linked)
    before = everything(linked)
    for path in (*reached.values(), f"{reached[Purpose.UNSUBSCRIBE]}/undo", "/style.css", "/", "/docs"):
        for headers in ({}, {"X-HTTP-Method-Override": "POST"}):
            answer = client.request(method, path, headers=headers, params=ONE_CLICK)
            assert answer.status_code in ({200, 404, 405} if method in {"GET", "HEAD"} else {404, 405})
    assert everything(linked) == before


def test_post_does_nothing_where_there_is_nothing_to_do(linked: World) -> None:
    reached = known_tokens(linked)
    client = pages_of(linked)
    before = everything(linked)
    for path in (reached[Purpose.FEED], "/style.css", "/", "/u/", "/a/"):
        assert client.post(path, data=ONE_CLICK).status_code in {404, 405}
    assert everything(linked) == before


def test_a_method_that_is_not_taken_is_told_which_are(sqlite_linked: World) -> None:
    path = known_tokens(sqlite_linked)[Purpose.FEED]
    answer = pages_of(sqlite_linked).delete(path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/u", "/u/", "/a/x/y", "/feeds/", "/admin"]
)
def test_nothing_else_is_there(sqlite_linked: World, path: str) -> None:
    assert pages_of(sqlite_linked).get(path).status_code == 404


# --- unsubscribe ------------------------------------------------------------------------------------------------------


def subjects_to(world: World, address: str) -> list[str]:
    return [mail.subject for mail in world.mail_server.to(address)]


def test_one_click_unsubscribes_once_and_a_mail_confirms_it(linked: World) -> None:
    unsubscribing, _ = last_links(linked)
    client = pages_of(linked)
    page = client.get(unsubscribing)
    assert f"{READER} gets mail about the watch list &#34;Our trials&#34;." in words(page.text)

    answers = [client.post(unsubscribing, data=ONE_CLICK) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "You are unsubscribed" in answers[0].text
    assert not any(name in answers[0].headers for name in ("set-cookie", "location"))
    linked.round()
    linked.registry.publish(TRIAL, status="TERMINATED")
    linked.round()
    assert subjects_to(linked, READER)[1:] == [f"No longer watching {TRIAL}"]
    told = f'trialwatch needs you: {READER} unsubscribed from "Our trials", by the link in a mail.'
    assert subjects_to(linked, OPERATOR) == [told]
    farewell = linked.mail_server.to(READER)[-1]
    assert 'You asked by a link to hear no more of the watch list "Our trials".' in words(farewell.text)
    assert "Hear of it again: " in farewell.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded", id="as a form"),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            id="as a form in parts, which RFC 8058 prefers",
        ),
        pytest.param(b"", "application/x-www-form-urlencoded", id="empty"),
        pytest.param(b"\xff\x00\xfe", "text/plain; charset=utf-7", id="garbled"),
    ],
)
def test_one_click_is_taken_whatever_its_form(sqlite_linked: World, body: bytes, kind: str) -> None:
    unsubscribing, _ = last_links(sqlite_linked)
    answer = pages_of(sqlite_linked).post(unsubscribing, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert len(everything(sqlite_linked)["opt_out"]) == 1


def test_the_answer_offers_to_take_it_back(linked: World) -> None:
    unsubscribing, _ = last_links(linked)
    client = pages_of(linked)
    assert f'action="{PREFIX}{unsubscribing}/undo"' in client.post(unsubscribing, data=ONE_CLICK).text

    assert [client.post(f"{unsubscribing}/undo").status_code for _ in range(2)] == [200, 200]

    assert everything(linked)["opt_out"] == []
    linked.registry.publish_nothing()
    linked.round()
    assert f"Now watching {TRIAL}" in " ".join(linked.mail_server.subjects)


def test_an_opt_out_survives_the_settings_file_that_names_the_reader(linked: World) -> None:
    unsubscribing, _ = last_links(linked)
    pages_of(linked).post(unsubscribing, data=ONE_CLICK)
    linked.watch(TRIAL)
    linked.registry.publish(TRIAL, status="TERMINATED")
    linked.round()
    assert subjects_to(linked, READER)[1:] == [f"No longer watching {TRIAL}"]


def test_a_mail_of_several_lists_is_unsubscribed_from_all_of_them(sqlite_world: World) -> None:
    world = sqlite_world
    world.restart(**LINKED)
    world.declare(
        Watchlist(name="First", trials=(TRIAL,), recipients=(immediate(),)),
        Watchlist(name="Second", trials=(OTHER,), recipients=(immediate(), immediate(SECOND))),
    )
    world.begin(TRIAL, OTHER)
    world.registry.publish_all({TRIAL: {"status": "SUSPENDED"}, OTHER: {"status": "SUSPENDED"}})
    world.round()
    (unsubscribing,) = paths(world.mail_server.to(READER)[-1], "u")
    pages_of(world).post(unsubscribing)
    assert [row[:2] for row in everything(world)["opt_out"]] == [(READER, "")]
    world.registry.publish_all({TRIAL: {"status": "TERMINATED"}, OTHER: {"status": "TERMINATED"}})
    world.mail_server.accepted.clear()
    world.round()
    assert subjects_to(world, READER) == ["No longer watching 2 trials"]
    assert subjects_to(world, SECOND) == [f"[{OTHER}] Recruitment status: Suspended → Terminated"]


def test_who_leaves_one_list_still_hears_of_a_trial_by_another(sqlite_world: World) -> None:
    world = sqlite_world
    world.declare(
        Watchlist(name="First", trials=(TRIAL, OTHER), recipients=(immediate(),)),
        Watchlist(name="Second", trials=(OTHER,), recipients=(immediate(),)),
    )
    world.begin(TRIAL, OTHER)
    with world.app.database.writing() as db:
        assert opt_out(db, READER, "First", now=world.clock())
        assert not opt_out(db, READER, "First", now=world.clock())
    world.registry.publish_all({TRIAL: {"status": "TERMINATED"}, OTHER: {"status": "TERMINATED"}})
    world.round()
    assert sorted(subjects_to(world, READER)) == [
        f"No longer watching {TRIAL}",
        f"[{OTHER}] Recruitment status: Recruiting → Terminated",
    ]


# --- acknowledge ------------------------------------------------------------------------------------------------------


def acts(world: World) -> list[tuple[Act, str, str | None]]:
    with world.app.database.reading() as db:
        done = acts_of(db, [step.id for step in revisions(db, TRIAL)])
    return [(each.act, each.by, each.comment) for each in done]


def test_the_button_acknowledges_with_a_comment_and_a_second_press_changes_nothing(linked: World) -> None:
    _, acknowledging = last_links(linked)
    client = pages_of(linked)
    page = client.get(acknowledging)
    assert "Recruitment status: Recruiting → Suspended" in page.text
    assert f'action="{PREFIX}{acknowledging}"' in page.text

    first = client.post(acknowledging, data={"comment": "Sites were\r\ncalled"})
    second = client.post(acknowledging, data={"comment": "again"})

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Thank you" in first.text
    assert acts(linked) == [(Act.ACKNOWLEDGED, READER, "Sites were called")]
    for answer in (second, client.get(acknowledging)):
        assert f"acknowledged by {READER} on 2026-03-02 12:00 UTC: Sites were called" in words(answer.text)
        assert "<form" not in answer.text


def test_of_two_presses_at_once_one_counts(linked: World) -> None:
    _, acknowledging = last_links(linked)
    client = pages_of(linked)
    answers = together(
        *(lambda n=n: client.post(acknowledging, data={"comment": str(n)}).status_code for n in range(4))
    )
    assert answers == [200] * 4
    assert len(acts(linked)) == 1


def test_of_two_unsubscriptions_at_once_one_counts(linked: World) -> None:
    unsubscribing, _ = last_links(linked)
    client = pages_of(linked)
    assert together(*[lambda: client.post(unsubscribing).status_code] * 4) == [200] * 4
    assert len(everything(linked)["opt_out"]) == 1


@pytest.mark.parametrize(
    ("body", "comment"),
    [
        pytest.param(b"comment=" + b"%E2%82%AC" * 1_500, "€" * 1_500, id="other characters"),
        pytest.param(b"comment=" + b"x" * 3_000, "x" * 1_999 + "…", id="too long: cut"),
        pytest.param(b"comment=%00%ff%ed%a0%80x%0d%0aBcc:", None, id="control characters and no UTF-8"),
        pytest.param(b"&".join([b"a=b"] * 500), None, id="many fields"),
        pytest.param("comment=é".encode(), None, id="not encoded"),
    ],
)
def test_a_comment_may_be_anything(linked: World, body: bytes, comment: str | None) -> None:
    _, acknowledging = last_links(linked)
    assert pages_of(linked).post(acknowledging, content=body).status_code == 200
    ((_, _, said),) = acts(linked)
    assert said is None or (said.isprintable() and len(said) <= 2_000)
    if comment is not None:
        assert said == comment


def test_a_body_that_is_too_large_is_refused_and_does_nothing(linked: World) -> None:
    before = everything(linked)
    client = pages_of(linked)
    for path in last_links(linked):
        assert client.post(path, content=b"x" * (LARGEST_BODY + 1)).status_code == 413
        pieces = (b"comment=" + b"x" * 1_000 for _ in range(100))
        assert client.post(path, content=pieces).status_code == 413
    assert everything(linked) == before


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}\x1b[31m\u202e&amp;'


def test_what_a_record_or_a_person_says_stays_text(sqlite_world: World) -> None:
    world = sqlite_world
    world.restart(**LINKED)
    world.watch(TRIAL, name=HOSTILE.replace("\x1b", "").replace("\u202e", ""))
    world.begin()
    world.registry.publish(
        TRIAL, extra={"protocolSection": {"statusModule": {"whyStopped": HOSTILE}}}, status="SUSPENDED"
    )
    world.round()
    unsubscribing, acknowledging = last_links(world)
    client = pages_of(world)
    for answer in (
        client.get(unsubscribing),
        client.get(acknowledging),
        client.post(acknowledging, data={"comment": HOSTILE}),
        client.post(unsubscribing),
    ):
        assert answer.status_code == 200
        assert not any(piece in answer.text for piece in ("<script", "<img", "\x1b", "\u202e"))
        assert "&lt;script&gt;" in answer.text
        assert "{{ 7*7 }}" in answer.text


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_every_wrong_token_is_answered_alike(linked: World) -> None:
    reached = known_tokens(linked)
    client = pages_of(linked)
    crossed = [
        f"{path}{TOKENS[wrong]}" for path, wrong in product(("/u/", "/a/"), Purpose) if wrong.value[0] != path[1]
    ]
    with linked.app.database.writing() as db:
        revoke_tokens(db, address=READER, purpose=Purpose.FEED, now=linked.clock())
    wrong = [*crossed, reached[Purpose.FEED], "/u/" + "x" * 22, "/a/%00", "/feeds/x.atom", f"/feeds/{'é' * 400}.atom"]
    answers = [client.get(path) for path in wrong] + [client.post(path) for path in wrong if "feeds" not in path]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert "This link does not work" in answers[0].text


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=40))
def test_a_guessed_token_opens_nothing(guessing: httpx.Client, token: str) -> None:
    for path in (f"/u/{token}", f"/a/{token}", f"/feeds/{token}.atom"):
        assert guessing.get(path).status_code == 404
    assert guessing.post(f"/u/{token}").status_code == 404


@pytest.fixture
def guessing(sqlite_linked: World) -> httpx.Client:
    known_tokens(sqlite_linked)
    return pages_of(sqlite_linked)


# --- every answer -----------------------------------------------------------------------------------------------------


def test_every_answer_keeps_a_browser_from_harm(sqlite_linked: World) -> None:
    reached = known_tokens(sqlite_linked)
    client = pages_of(sqlite_linked)
    answers = [client.get(path) for path in (*reached.values(), "/style.css", "/u/x", "/nowhere")]
    answers += [client.delete("/u/x"), client.post(reached[Purpose.ACKNOWLEDGE], content=b"x" * 100_000)]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in answer.headers
        if "style.css" not in str(answer.url) and ".atom" not in str(answer.url):
            assert answer.headers["cache-control"] == "no-store"
            assert "<style" not in answer.text
            assert "style=" not in answer.text
            assert "<script" not in answer.text
            assert "http" not in answer.text.replace("https://clinicaltrials.gov/study/", "")


def test_links_do_not_follow_what_a_request_says_of_its_host(sqlite_linked: World) -> None:
    reached = known_tokens(sqlite_linked)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    for path in reached.values():
        assert "evil" not in pages_of(sqlite_linked).get(path, headers=headers).text


def test_a_database_that_does_not_answer_is_said_and_not_taken_for_done(sqlite_linked: World) -> None:
    unsubscribing, _ = last_links(sqlite_linked)
    client = pages_of(sqlite_linked)
    with sqlite_linked.app.database.writing() as db:
        db.exec_driver_sql("ALTER TABLE opt_out RENAME TO elsewhere")
    answer = client.post(unsubscribing)
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text
