"""Each reader hears at the time that they chose, in their own zone, and of every change once."""

import dataclasses
import re

import pytest

from tests.flow.world import OPERATOR, OTHER, READER, TRIAL, World, daily, immediate, weekly, words
from watcher.model import Recipient, Watchlist
from watcher.render.letters import Letter, Letters
from watcher.render.templates import Rendered, TemplateFailed, Templates
from watcher.stages.digest import Digest
from watcher.stages.writing import Sender, Writer

BERLIN, NEW_YORK, AUCKLAND = "Europe/Berlin", "America/New_York", "Pacific/Auckland"


def walk(world: World, *moments: str) -> list[str]:
    """Run a round at each moment; return who was sent a mail and when."""
    sent = []
    for moment in moments:
        world.at(moment)
        before = len(world.mail_server.accepted)
        world.round()
        sent += [f"{mail.recipient} at {moment}" for mail in world.mail_server.accepted[before:]]
    return sent


def test_immediate_daily_and_weekly_readers_each_get_one_mail_at_their_time(world: World) -> None:
    world.watch(TRIAL, readers=[immediate("i@example.org"), daily("d@example.org"), weekly("w@example.org")])
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    days = ["2026-03-04", "2026-03-05", "2026-03-08", "2026-03-09", "2026-03-10", "2026-03-16"]
    ticks = [f"{day}T{time}" for day in days for time in ("06:59:59", "07:00")]

    assert walk(world, "2026-03-03T14:00", *ticks) == [
        "i@example.org at 2026-03-03T14:00",
        "d@example.org at 2026-03-04T07:00",
        "w@example.org at 2026-03-09T07:00",  # the Monday
    ]
    assert set(world.mail_server.subjects) == {f"[{TRIAL}] Recruitment status: Recruiting → Suspended"}


@pytest.mark.parametrize(
    ("reader", "not_yet", "due"),
    [
        pytest.param(daily(READER, time_zone=BERLIN), "03-04T05:59:59", "03-04T06:00", id="daily in Berlin"),
        pytest.param(
            daily(READER, time_zone=NEW_YORK, hour=8), "03-04T12:59:59", "03-04T13:00", id="daily in New York at eight"
        ),
        pytest.param(
            daily(READER, time_zone=AUCKLAND), "03-03T17:59:59", "03-03T18:00", id="daily in Auckland, a day ahead"
        ),
        pytest.param(
            daily(READER, time_zone="Asia/Kolkata"),
            "03-04T01:29:59",
            "03-04T01:30",
            id="where hours begin at half past",
        ),
        pytest.param(
            weekly(READER, time_zone=BERLIN, weekday=4), "03-06T05:59:59", "03-06T06:00", id="on Fridays in Berlin"
        ),
    ],
)
def test_a_digest_comes_at_the_reader_s_own_hour(
    sqlite_world: World, reader: Recipient, not_yet: str, due: str
) -> None:
    world = sqlite_world
    world.watch(TRIAL, readers=[reader])
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    ticks = ["2026-03-03T14:00", f"2026-{not_yet}", f"2026-{due}", "2026-03-14T00:00"]
    assert walk(world, *ticks) == [f"{READER} at 2026-{due}"]


def test_a_daily_reader_gets_one_mail_a_day_across_the_change_of_the_clocks(sqlite_world: World) -> None:
    world = sqlite_world
    world.watch(TRIAL, readers=[daily(READER, time_zone=BERLIN, hour=2)])
    world.begin()
    sent = []
    for day in (27, 28, 29, 30):
        world.registry.publish(TRIAL, enrollment=day)
        night = [f"2026-03-{day + 1}T{time}" for time in ("00:00", "00:30", "01:00", "02:00")]
        sent += walk(world, f"2026-03-{day}T20:00", *night)
    # The night of 29 March has no two o'clock in Berlin; it has a digest all the same.
    assert sent == [
        f"{READER} at {moment}"
        for moment in ("2026-03-28T01:00", "2026-03-29T01:00", "2026-03-30T00:00", "2026-03-31T00:00")
    ]


def test_a_daily_digest_gathers_what_came_since_the_last_one(world: World) -> None:
    world.watch(TRIAL, OTHER, readers=[daily(READER)])
    world.begin(TRIAL, OTHER)
    world.at("2026-03-03T08:00")
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.at("2026-03-03T20:00")
    world.registry.publish_all({TRIAL: {"status": "TERMINATED"}, OTHER: {"enrollment": 400}})
    world.round()
    world.at("2026-03-04T07:00")
    world.round()

    (mail,) = world.mail_server.accepted
    assert mail.subject.startswith(f"2 of 2 trials changed: {TRIAL} Recruitment status: ")
    text = words(mail.text)
    assert "Recruitment status: Recruiting → Suspended" in text
    assert "Recruitment status: Suspended → Terminated" in text
    assert "Enrollment: 40 (estimated) → 400 (estimated)" in text
    assert "Verified 2 of 2 trials against registry data of 2026-03-04." in text


def test_a_change_that_is_seen_at_the_end_of_a_window_belongs_to_the_next(world: World) -> None:
    world.watch(TRIAL, readers=[daily(READER)])
    world.begin()
    world.at("2026-03-03T06:59:59")
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.check()
    world.at("2026-03-03T07:00")
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.at("2026-03-04T07:00")
    world.round()

    assert world.mail_server.subjects == [
        f"[{TRIAL}] Recruitment status: Recruiting → Suspended",
        f"[{TRIAL}] Recruitment status: Suspended → Terminated",
    ]


def test_a_service_that_was_off_tells_each_window_afterwards_in_its_own_mail(world: World) -> None:
    world.watch(TRIAL, readers=[daily(READER)])
    world.begin()
    for day, enrollment in (("2026-03-03T12:00", 41), ("2026-03-04T12:00", 42)):
        world.at(day)
        world.registry.publish(TRIAL, enrollment=enrollment)
        world.check()
    world.at("2026-03-09T12:00")
    world.restart()
    world.round()

    assert [words(mail.text).count("→") for mail in world.mail_server.accepted] == [1, 1]
    assert "40 (estimated) → 41 (estimated)" in words(world.mail_server.accepted[0].text)
    assert "41 (estimated) → 42 (estimated)" in words(world.mail_server.accepted[1].text)


def test_a_digest_is_sent_in_time_although_the_registry_is_down(world: World) -> None:
    world.watch(TRIAL, readers=[daily(READER)])
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.registry.fault("server_error", times=None)
    world.at("2026-03-03T07:00")
    assert world.round().trouble is not None
    assert world.mail_server.subjects == [f"[{TRIAL}] Recruitment status: Recruiting → Suspended"]


def test_no_digest_is_sent_when_nothing_changed(world: World) -> None:
    world.watch(TRIAL, readers=[daily(READER), weekly("w@example.org")])
    world.begin()
    for _ in range(10):
        world.later(days=1)
        world.registry.publish_nothing()
        world.round()
    assert world.mail_server.accepted == []


def test_each_reader_hears_only_of_their_own_trials(world: World) -> None:
    world.declare(
        Watchlist(name="a", trials=(TRIAL,), recipients=(immediate("a@example.org"),)),
        Watchlist(name="b", trials=(OTHER,), recipients=(immediate("b@example.org"),)),
    )
    world.begin(TRIAL, OTHER)
    world.registry.publish_all({TRIAL: {"status": "TERMINATED"}, OTHER: {"enrollment": 400}})
    world.round()

    (to_a,), (to_b,) = world.mail_server.to("a@example.org"), world.mail_server.to("b@example.org")
    assert to_a.subject == f"[{TRIAL}] Recruitment status: Recruiting → Terminated"
    assert to_b.subject == f"[{OTHER}] Enrollment +900 %"
    assert OTHER not in to_a.text + to_a.html
    assert "Verified 1 of 1 trial" in words(to_a.text)


def test_the_text_and_the_html_of_a_digest_tell_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED", enrollment=400, title="Another <Title> & More")
    world.round()
    (mail,) = world.mail_server.accepted
    for sentence in (
        "Recruitment status: Recruiting → Suspended",
        "Enrollment: 40 (estimated) → 400 (estimated)",
        f"https://clinicaltrials.gov/study/{TRIAL}",
        "Verified 1 of 1 trial against registry data of 2026-03-03.",
    ):
        assert sentence in words(mail.text)
        assert sentence in re.sub(r"<span class=.date.[^>]*>([^<]*)</span>", r"\1", words(mail.html))
    assert "Another <Title> & More" in words(mail.text)
    assert "Another &lt;Title&gt; &amp; More" in words(mail.html)


class _PoisonedLetters(Letters):
    """Fails on one letter, as a fault of ours would."""

    def render(self, letter: Letter) -> tuple[Rendered, TemplateFailed | None]:
        if "Suspended" in letter.subject:
            raise ZeroDivisionError("made up for this test")
        return super().render(letter)


def test_a_digest_on_which_we_fail_does_not_stop_the_others_and_is_sent_when_we_are_mended(world: World) -> None:
    world.watch(TRIAL, OTHER, readers=[daily(READER)])
    world.begin(TRIAL, OTHER)
    sender = Sender(address="trialwatch@example.org", name="", reply_to=None, domain="example.org")
    writer = Writer(_PoisonedLetters(Templates(), Templates()), sender)
    poisoned = Digest(world.app.database, world.app.table, writer, operator=OPERATOR)
    world.app = dataclasses.replace(world.app, pipeline=dataclasses.replace(world.app.pipeline, digest=poisoned))
    for day, fields in ((3, {"status": "SUSPENDED"}), (4, {"enrollment": 400}), (5, {"enrollment": 40})):
        world.at(f"2026-03-0{day}T12:00")
        world.registry.publish(TRIAL, **fields)
        world.round()
        world.at(f"2026-03-0{day + 1}T07:00")
        world.round()
        world.round()

    assert [mail.subject for mail in world.mail_server.to(READER)] == [
        f"[{TRIAL}] Enrollment +900 %",
        f"[{TRIAL}] Enrollment −90 %",
    ]
    (told,) = world.mail_server.to(OPERATOR)
    assert f"A mail to {READER} cannot be written (ZeroDivisionError); see the log." in words(told.text)

    world.restart()
    world.round()
    assert world.mail_server.subjects[-1] == f"[{TRIAL}] Recruitment status: Recruiting → Suspended"
    assert world.incidents() == []
