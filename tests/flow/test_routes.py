"""Who hears what, and when: routes, the catch-all, mutes, quiet hours, and mail that was held back."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from tests.flow.world import NOON, OPERATOR, OTHER, READER, TRIAL, World, daily, immediate, words
from tests.smtp_conversation import Accepted
from watcher.model import Recipient, Route, Severity, Watchlist
from watcher.store.lists import opt_out
from watcher.store.mutes import add_mute, end_mutes

SAFETY = "safety@example.org"
OURS = Watchlist(name="Ours", trials=(TRIAL,), recipients=(daily(READER),))
MERGED = timedelta(minutes=5)


def route(name: str = "Safety", address: str = SAFETY, **values: object) -> Route:
    return replace(Route(name=name, address=address, schedule=immediate().schedule), **values)  # type: ignore[arg-type]


def scheduled(**values: object) -> Recipient:
    """Return the reader whose mail is immediate, merged for five minutes, with further wishes."""
    wishes = {"merged_for": MERGED, **values}
    return Recipient(address=READER, schedule=replace(immediate().schedule, **wishes))  # type: ignore[arg-type]


def mute(world: World, **what: str) -> None:
    with world.app.database.writing() as db:
        add_mute(db, READER, now=world.clock(), **what)  # type: ignore[arg-type]


def unmute(world: World) -> None:
    with world.app.database.writing() as db:
        end_mutes(db, READER, now=world.clock())


# --- routes -----------------------------------------------------------------------------------------------------------


def test_each_reader_is_told_the_stories_of_their_routes_and_not_how_many_others_hear(world: World) -> None:
    world.declare(OURS, routes=[route(categories=("status",))], catch_all=daily(OPERATOR))
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED", enrollment=400, title="Another title")
    world.round()
    world.at("2026-03-03T07:00")
    world.round()

    (status,) = world.mail_server.to(SAFETY)
    (everything,) = world.mail_server.to(READER)
    assert status.subject == f"[{TRIAL}] Recruitment status: Recruiting → Terminated"
    assert "Enrollment" not in status.text + status.html
    assert "more change" not in status.text
    assert "Enrollment: 40 (estimated) → 400 (estimated)" in words(everything.text)
    assert "Recruitment status: Recruiting → Terminated" in words(everything.text)
    assert world.mail_server.to(OPERATOR) == []


def test_what_no_route_takes_is_told_to_the_catch_all_with_the_coverage_of_all_trials(world: World) -> None:
    listed = replace(OURS, recipients=())
    world.declare(listed, routes=[route(severity=Severity.CRITICAL)], catch_all=daily(OPERATOR))
    world.begin()
    world.registry.publish(TRIAL, enrollment=41)
    world.round()
    world.at("2026-03-03T07:00")
    world.round()

    (mail,) = world.mail_server.accepted
    assert mail.recipient == OPERATOR
    assert "Enrollment: 40 (estimated) → 41 (estimated)" in words(mail.text)
    assert "Verified 1 of 1 trial" in words(mail.text)


def test_a_person_whom_two_routes_tell_of_a_change_hears_of_it_once_and_sooner(world: World) -> None:
    world.declare(OURS, routes=[route(address=READER, severity=Severity.MAJOR)])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED", enrollment=41)
    world.round()
    world.at("2026-03-03T07:00")
    world.round()

    at_once, by_day = world.mail_server.to(READER)
    assert at_once.subject == f"[{TRIAL}] Recruitment status: Recruiting → Terminated"
    assert "Terminated" not in by_day.text
    assert "Enrollment: 40 (estimated) → 41 (estimated)" in words(by_day.text)


def test_a_welcome_says_what_comes_by_which_route_and_when(world: World) -> None:
    late = replace(daily(READER, time_zone="Europe/Berlin", hour=9))
    world.declare(
        replace(OURS, recipients=(late,)),
        routes=[route(address=READER, severity=Severity.MAJOR, categories=("status", "results"))],
    )
    world.registry.publish_all({TRIAL: {}})
    world.round()

    (mail,) = world.mail_server.accepted
    for text in (mail.text, mail.html.replace("&#34;", '"')):
        assert 'By "Ours" you hear of every change, every day at 09:00 (Europe/Berlin).' in words(text)
        assert 'By "Safety" you hear of changes from major up of status and results, at once.' in words(text)


def test_somebody_who_unsubscribes_is_told_and_so_is_the_operator(world: World) -> None:
    world.declare(OURS, catch_all=daily(OPERATOR))
    world.begin()
    with world.app.database.writing() as db:
        opt_out(db, READER, "Ours", now=world.clock())
    world.round()

    assert [mail.subject for mail in world.mail_server.to(READER)] == [f"No longer watching {TRIAL}"]
    (told,) = world.mail_server.to(OPERATOR)
    assert f'{READER} unsubscribed from "Ours", by the link in a mail.' in words(told.text)


# --- five minutes -----------------------------------------------------------------------------------------------------


def test_what_is_seen_within_five_minutes_is_one_mail(world: World) -> None:
    world.watch(TRIAL, OTHER, readers=[scheduled()])
    world.begin(TRIAL, OTHER)
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    world.later(minutes=4)
    world.restart()
    world.registry.publish(OTHER, enrollment=41)
    world.round()
    assert world.mail_server.accepted == []

    world.at((NOON + MERGED).isoformat())
    world.round()
    world.round()

    assert len(world.mail_server.accepted) == 1
    assert world.mail_server.subjects[0].startswith("2 of 2 trials changed: ")
    assert "held back" not in world.mail_server.accepted[0].text


# --- held back --------------------------------------------------------------------------------------------------------


def test_quiet_hours_hold_mail_back_until_they_end_and_it_says_since_when(world: World) -> None:
    world.watch(TRIAL, readers=[scheduled(quiet=(time(22), time(6)))])
    world.begin()
    for moment, enrollment in (("2026-03-02T23:00", 41), ("2026-03-03T03:00", 42)):
        world.at(moment)
        world.registry.publish(TRIAL, enrollment=enrollment)
        world.round()
    world.at("2026-03-03T05:59")
    world.round()
    assert world.mail_server.accepted == []
    world.at("2026-03-03T06:00")
    world.round()

    (mail,) = world.mail_server.accepted
    assert words(mail.text).count("→") == 2
    assert "seen at 2026-03-02 23:00 UTC, and has waited since 2026-03-02 23:05 UTC." in words(mail.text)


def test_what_is_critical_comes_in_the_night_if_the_reader_wants_that(world: World) -> None:
    free = {"working_days": (0, 1, 2, 3, 4), "holidays": (date(2026, 3, 3),), "quiet": (time(22), time(6))}
    world.watch(TRIAL, readers=[scheduled(critical_pierces=True, **free)])
    world.begin()
    world.at("2026-03-03T01:01")
    world.registry.publish(TRIAL, status="SUSPENDED", enrollment=41)
    world.round()
    world.at("2026-03-03T01:05")
    world.round()
    assert world.mail_server.subjects == [f"[{TRIAL}] Recruitment status: Recruiting → Suspended"]

    world.at("2026-03-04T06:00")
    world.round()
    assert len(world.mail_server.accepted) == 2
    assert "Suspended" not in world.mail_server.accepted[1].text


def test_what_a_mute_held_back_comes_as_one_mail_that_says_since_when(world: World) -> None:
    world.watch(TRIAL, OTHER, readers=[daily(READER)])
    world.begin(TRIAL, OTHER)
    mute(world)
    for day, trial in ((3, TRIAL), (4, OTHER), (5, TRIAL)):
        world.at(f"2026-03-0{day}T12:00")
        world.registry.publish(trial, enrollment=40 + day)
        world.round()
    world.at("2026-03-09T12:00")
    world.round()
    assert world.mail_server.accepted == []
    unmute(world)
    world.round()
    world.round()

    (mail,) = world.mail_server.accepted
    assert mail.subject.startswith("2 of 2 trials changed: ")
    assert words(mail.text).count("→") == 3
    assert "seen at 2026-03-03 12:00 UTC, and has waited since 2026-03-04 07:00 UTC." in words(mail.text)
    assert "held back" in words(mail.html)


@pytest.mark.parametrize("category", ["status", "enrolment"])
def test_a_mute_of_a_category_splits_what_one_step_tells(world: World, category: str) -> None:
    world.begin()
    mute(world, category=category)
    world.registry.publish(TRIAL, status="TERMINATED", enrollment=400)
    world.round()
    unmute(world)
    world.later(hours=2)
    world.round()

    told, held = (_categories(mail) for mail in world.mail_server.accepted)
    assert told == {"status", "enrolment"} - {category}
    assert held == {category}


def _categories(mail: Accepted) -> set[str]:
    signs = {"status": "Recruiting → Terminated", "enrolment": "40 (estimated) → 400 (estimated)"}
    return {category for category, sign in signs.items() if sign in words(mail.text)}


def test_daily_mail_waits_for_the_next_working_day(world: World) -> None:
    workdays = replace(daily(READER).schedule, working_days=(0, 1, 2, 3, 4), holidays=(date(2026, 3, 9),))
    world.watch(TRIAL, readers=[Recipient(address=READER, schedule=workdays)])
    world.begin()
    world.at("2026-03-06T12:00")  # a Friday
    world.registry.publish(TRIAL, enrollment=41)
    world.round()
    for day in range(7, 10):
        world.at(f"2026-03-{day:02}T07:00")
        world.round()
        assert world.mail_server.accepted == []
    world.at("2026-03-10T07:00")
    world.round()
    assert len(world.mail_server.accepted) == 1
