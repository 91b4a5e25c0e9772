"""What a mail carries beside its words: the thread and the list it belongs to, a table, events."""

import csv
import io

from icalendar import Calendar

from tests.flow.world import OTHER, READER, TRIAL, World, daily, immediate
from tests.smtp_conversation import Accepted
from watcher.model import Watchlist

PRIMARY = "NCT00000001-primary-completion@example.org"


def attached(mail: Accepted, kind: str) -> bytes | None:
    """Return the attachment of a kind that a mail has, if it has one."""
    found = [part for part in mail.message.iter_attachments() if part.get_content_type() == kind]
    payload = found[0].get_payload(decode=True) if found else None
    return payload if isinstance(payload, bytes) else None


def told(world: World) -> Accepted:
    """Run a round and return the one mail that it sends."""
    world.mail_server.accepted.clear()
    world.round()
    (mail,) = world.mail_server.accepted
    return mail


def moved(world: World, day: str) -> Accepted:
    world.registry.publish(TRIAL, completion=day)
    return told(world)


def test_all_mails_about_a_trial_are_one_thread_from_the_first_one_on(world: World) -> None:
    world.registry.publish_all({TRIAL: {}})
    welcome = told(world)
    world.registry.publish(TRIAL, status="SUSPENDED")
    first = told(world)
    world.registry.publish(TRIAL, status="TERMINATED")
    second = told(world)
    mails = [mail.message for mail in (welcome, first, second)]
    assert len({mail["References"] for mail in mails}) == 1
    assert all(mail["References"] and mail["References"] == mail["In-Reply-To"] for mail in mails)
    assert {str(mail["List-Id"]).rpartition("<")[2] for mail in mails} == {"nct00000001.trials.example.org>"}


def test_a_digest_of_one_watch_list_is_of_that_list_and_one_of_two_lists_of_neither(sqlite_world: World) -> None:
    world = sqlite_world
    ours = Watchlist(name="Ours", trials=(TRIAL, OTHER), recipients=(daily("one@example.org"),))
    here, there = (
        Watchlist(name=name, trials=(trial,), recipients=(daily("two@example.org"),))
        for name, trial in (("Here", TRIAL), ("There", OTHER))
    )
    world.declare(ours, here, there)
    world.begin(TRIAL, OTHER)
    world.registry.publish_all({TRIAL: {"status": "SUSPENDED"}, OTHER: {"status": "SUSPENDED"}})
    world.round()
    world.later(hours=24)
    world.round()
    lists = {mail.recipient: str(mail.message["List-Id"]) for mail in world.mail_server.accepted}
    assert lists["one@example.org"].startswith("Ours <ours-")
    assert lists["two@example.org"] == "trialwatch digests <digests.example.org>"


def test_a_date_that_moves_and_moves_again_is_one_event_with_rising_numbers(sqlite_world: World) -> None:
    world = sqlite_world
    world.restart(mail={"calendar": True})
    world.begin()
    found = []
    for day in ("2027-09-30", "2028-01"):
        content = attached(moved(world, day), "text/calendar")
        assert content is not None
        events = {str(event["uid"]): event for event in Calendar.from_ical(content).walk("VEVENT")}
        found.append((events[PRIMARY]["sequence"], str(events[PRIMARY].decoded("dtstart"))))
    assert found == [(1, "2027-09-30"), (2, "2028-01-31")]


def test_dates_are_not_attached_unless_that_is_wanted(sqlite_world: World) -> None:
    sqlite_world.begin()
    assert attached(moved(sqlite_world, "2027-09-30"), "text/calendar") is None


def test_what_a_digest_has_no_room_for_is_attached_as_a_table_and_nothing_of_it_is_lost(sqlite_world: World) -> None:
    world = sqlite_world
    trials = [f"NCT{number:08}" for number in range(1, 301)]
    world.watch(*trials, readers=[immediate()])
    world.begin(*trials)
    world.registry.publish_all({trial: {"status": "SUSPENDED"} for trial in trials})
    mail = told(world)
    content = attached(mail, "text/csv")
    assert content is not None
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert {line[0] for line in lines[1:]} == set(trials)
    assert {line[9] for line in lines[1:] if line[6] == "Recruitment status"} <= {"Suspended"}
    assert len(mail.html.encode()) <= 80_000
    assert "changes of this mail are all attached as changes.csv." in mail.words
    assert mail.recipient == READER


def test_a_digest_with_room_for_all_has_no_table(sqlite_world: World) -> None:
    sqlite_world.begin()
    assert attached(moved(sqlite_world, "2027-09-30"), "text/csv") is None
