"""A critical change that nobody acknowledges is brought back to its readers, once an interval, until somebody does."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from tests.flow.pages import LINKED, everything, pages_of, paths
from tests.flow.world import OPERATOR, OTHER, READER, TRIAL, World, daily, immediate, weekly, words
from watcher.actions.acknowledging import acknowledge_change, assign_change, inbox, reopen_change
from watcher.model import Act, Watchlist

SECOND = "second@example.org"
REMINDING = {"acknowledge": {"remind": True}}
REMINDED = f"[{TRIAL}] Not yet acknowledged: Recruitment status: Recruiting → Suspended"
TOLD = f"[{TRIAL}] Recruitment status: Recruiting → Suspended"


@pytest.fixture
def reminding(world: World) -> World:
    world.restart(**REMINDING)
    return world


@pytest.fixture
def sqlite_reminding(sqlite_world: World) -> World:
    sqlite_world.restart(**REMINDING)
    return sqlite_world


def suspended(world: World) -> str:
    """Let the trial be suspended and told; return the ID of the change."""
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    return next(each.id for each in world.history()[-1] if each.told)


def told(world: World, *, days: float = 0, hours: float = 0, step: timedelta = timedelta(hours=1)) -> list[str]:
    """Let time pass with a round at each step; return who was told what when."""
    told = []
    until = world.clock() + timedelta(days=days, hours=hours)
    while world.clock() < until:
        world.clock.moment += step
        before = len(world.mail_server.accepted)
        world.round()
        mails = world.mail_server.accepted[before:]
        told += [f"{mail.recipient} {world.clock():%d %H:%M} {mail.subject}" for mail in mails]
    return told


def test_it_comes_back_each_day_until_somebody_acknowledges(reminding: World) -> None:
    reminding.begin()
    change_id = suspended(reminding)

    assert told(reminding, days=2, hours=1) == [f"{READER} {day} 12:00 {REMINDED}" for day in ("03", "04")]
    text = words(reminding.mail_server.accepted[-1].text)
    assert "1 critical change not yet acknowledged." in text
    assert "changed." not in text
    assert "Seen on 2026-03-02, and not acknowledged since." in text
    assert f"trialwatch acknowledge {change_id}" in text

    acknowledge_change(reminding.app, change_id, comment=None, by="somebody")
    assert told(reminding, days=3) == []


def test_restarts_and_late_runs_remind_once_an_interval(reminding: World) -> None:
    reminding.begin()
    suspended(reminding)
    assert told(reminding, hours=30) == [f"{READER} 03 12:00 {REMINDED}"]
    for _ in range(3):
        reminding.restart()
        reminding.round()
    assert told(reminding, hours=30, step=timedelta(hours=30)) == [f"{READER} 05 00:00 {REMINDED}"]
    reminding.restart()
    assert told(reminding, hours=100, step=timedelta(hours=100)) == [f"{READER} 09 04:00 {REMINDED}"]
    reminding.later(hours=1)
    assert reminding.digest() == []
    assert told(reminding, hours=10) == [f"{READER} 09 12:00 {REMINDED}"]


def test_every_reader_is_reminded_in_a_digest_of_their_own_time(reminding: World) -> None:
    reminding.watch(TRIAL, readers=[daily("d@example.org"), weekly("w@example.org"), immediate("i@example.org")])
    reminding.begin()
    suspended(reminding)
    everything_told = told(reminding, days=14)
    of = {name: [line[14:22] for line in everything_told if line.startswith(name)] for name in "diw"}
    # Told at seven on the 3rd, reminded at seven from the 4th on; each week's digest reminds once.
    assert of["d"] == [f"{day:02} 07:00" for day in range(3, 17)]
    assert of["i"] == [f"{day:02} 12:00" for day in range(3, 17)]
    assert of["w"] == ["09 07:00", "16 07:00"]
    assert len([line for line in everything_told if line.endswith(TOLD)]) == 2


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("start", ["2026-03-06", "2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-10-30"])
def test_a_daily_reader_is_reminded_daily_across_the_change_of_the_clocks(
    sqlite_reminding: World, zone: str, start: str
) -> None:
    world = sqlite_reminding
    world.watch(TRIAL, readers=[daily(READER, time_zone=zone)])
    world.at(f"{start}T12:30")
    world.begin()
    suspended(world)
    assert len(told(world, days=6, step=timedelta(minutes=30))) == 6


def test_what_is_assigned_is_the_assignee_s_alone(reminding: World) -> None:
    reminding.watch(TRIAL, readers=[immediate(), immediate(SECOND)])
    reminding.begin()
    change_id = suspended(reminding)
    reminding.later(hours=2)

    assign_change(reminding.app, change_id, "third@example.org", comment="You know the site", by="the lead")

    assert [line.partition(" ")[0] for line in told(reminding, days=2, hours=1)] == ["third@example.org"] * 3
    asked, *reminders = reminding.mail_server.to("third@example.org")
    assert asked.subject == f"[{TRIAL}] Assigned: Recruitment status: Recruiting → Suspended"
    assert "the lead asks you to look after it: You know the site." in words(asked.text)
    assert {mail.subject for mail in reminders} == {REMINDED}

    reopen_change(reminding.app, change_id, comment=None, by="the lead")
    assert {line.partition(" ")[0] for line in told(reminding, days=1)} == {READER, SECOND}


def test_a_reminder_that_waits_is_taken_back_when_somebody_acknowledges(reminding: World) -> None:
    reminding.watch(TRIAL, readers=[weekly(READER)])
    reminding.begin()
    change_id = suspended(reminding)
    assert len(told(reminding, days=9)) == 1
    assert [row for row in everything(reminding)["notice"] if "unacknowledged" in row]

    acknowledge_change(reminding.app, change_id, comment=None, by="somebody")

    assert [row for row in everything(reminding)["notice"] if "unacknowledged" in row] == []
    assert told(reminding, days=9) == []


def test_a_reminder_has_the_link_that_ends_the_reminders(reminding: World) -> None:
    reminding.restart(**LINKED)
    reminding.begin()
    suspended(reminding)
    assert len(told(reminding, days=1)) == 1
    (acknowledging,) = paths(reminding.mail_server.accepted[-1], "a")
    assert pages_of(reminding).post(acknowledging).status_code == 200
    assert told(reminding, days=2) == []


def test_reminders_and_new_changes_share_a_digest_and_are_counted_apart(sqlite_reminding: World) -> None:
    world = sqlite_reminding
    world.watch(TRIAL, OTHER, readers=[daily(READER)])
    world.begin(TRIAL, OTHER)
    suspended(world)
    assert len(told(world, days=1)) == 1
    world.registry.publish(OTHER, status="TERMINATED")
    assert len(told(world, days=1)) == 1
    mail = world.mail_server.accepted[-1]
    assert mail.subject.startswith(f"1 of 2 trials changed: {TRIAL} Not yet acknowledged: ")
    assert "1 of 2 trials changed. 1 critical change not yet acknowledged." in words(mail.text)


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        pytest.param("RECRUITING", {"title": "Another title"}, id="minor"),
        pytest.param("RECRUITING", {"enrollment": 400}, id="major"),
    ],
)
def test_only_what_is_critical_comes_back(sqlite_reminding: World, status: str, fields: dict[str, object]) -> None:
    sqlite_reminding.begin()
    sqlite_reminding.registry.publish(TRIAL, status=status, **fields)
    sqlite_reminding.round()
    assert told(sqlite_reminding, days=3) == []


def test_what_was_told_before_reminders_were_in_force_does_not_come_back(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    suspended(world)
    world.later(hours=1)
    world.restart(**REMINDING)
    assert told(world, days=3) == []
    world.registry.publish(TRIAL, status="TERMINATED")
    assert len(told(world, days=2)) == 2

    world.restart(acknowledge={"remind": False})
    assert told(world, days=2) == []
    world.restart(**REMINDING)
    assert told(world, days=3) == []


def test_nobody_is_reminded_of_a_trial_that_is_not_watched_any_more(sqlite_reminding: World) -> None:
    world = sqlite_reminding
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    suspended(world)
    world.watch(OTHER)
    assert [line.partition("No longer")[1] for line in told(world, days=3)] == ["No longer"]


def test_who_reads_a_trial_no_longer_is_not_reminded_of_it(sqlite_reminding: World) -> None:
    world = sqlite_reminding
    world.watch(TRIAL, readers=[immediate(), immediate(SECOND)])
    world.begin()
    suspended(world)
    world.watch(TRIAL, readers=[immediate(SECOND)])
    assert [line for line in told(world, days=1) if "Not yet" in line] == [f"{SECOND} 03 12:00 {REMINDED}"]


def test_who_hears_as_the_last_one_is_reminded_in_the_digest_of_the_day(sqlite_reminding: World) -> None:
    world = sqlite_reminding
    trial = Watchlist(name="Ours", trials=(TRIAL,), recipients=())
    world.declare(trial, catch_all=daily(OPERATOR, hour=9))
    world.begin()
    suspended(world)
    mails = [line for line in told(world, days=3) if "critical" in line or TRIAL in line]
    assert mails == [f"{OPERATOR} 03 09:00 {TOLD}", *(f"{OPERATOR} {day} 09:00 {REMINDED}" for day in ("04", "05"))]


def test_a_reminder_that_was_not_taken_in_time_is_forgotten_when_somebody_acknowledged_meanwhile(
    sqlite_reminding: World,
) -> None:
    world = sqlite_reminding
    world.begin()
    change_id = suspended(world)
    assert told(world, days=1) == [f"{READER} 03 12:00 {REMINDED}"]
    world.mail_server.down = True
    assert told(world, days=2, step=timedelta(hours=6)) == []
    acknowledge_change(world.app, change_id, comment=None, by="somebody")
    assert told(world, days=3, step=timedelta(hours=6)) == []
    world.mail_server.down = False
    world.registry.publish(TRIAL, status="SUSPENDED", enrollment=400)
    assert [line for line in told(world, hours=12, step=timedelta(hours=6)) if READER in line] == [
        f"{READER} 08 18:00 [{TRIAL}] Enrollment +900 %"
    ]


def test_an_interval_of_one_s_own(sqlite_world: World) -> None:
    sqlite_world.restart(acknowledge={"remind_every": "6h"})
    sqlite_world.begin()
    suspended(sqlite_world)
    assert [line.split()[2] for line in told(sqlite_world, days=1)] == ["18:00", "00:00", "06:00", "12:00"]


def test_a_clock_that_was_ahead_does_not_silence_the_reminders(sqlite_reminding: World) -> None:
    world = sqlite_reminding
    world.begin()
    right = world.clock()
    world.at("2036-01-01T12:00")
    suspended(world)
    world.clock.moment = right
    sent = told(world, days=2)
    assert 2 <= len(sent) <= 3
    assert all(line.endswith(REMINDED) for line in sent)


def test_the_inbox_holds_what_was_told_and_is_open_the_worst_first(reminding: World) -> None:
    reminding.watch(TRIAL, OTHER)
    reminding.begin(TRIAL, OTHER)
    reminding.registry.publish(OTHER, enrollment=400)
    reminding.round()
    reminding.later(hours=1)
    change_id = suspended(reminding)

    def shown() -> list[tuple[str, str, str | None]]:
        found = inbox(reminding.app)
        tasks = [one.standing.assignee if one.standing else None for one in found]
        return [(one.story.nct_id, one.story.change.severity, task) for one, task in zip(found, tasks, strict=True)]

    assert shown() == [(TRIAL, "critical", None), (OTHER, "major", None)]
    assign_change(reminding.app, change_id, SECOND, comment=None, by="the lead")
    assert shown()[0] == (TRIAL, "critical", SECOND)
    done = acknowledge_change(reminding.app, change_id[:6], comment="done", by="the lead")
    assert (done.new, done.standing.act) == (True, Act.ACKNOWLEDGED)
    assert not acknowledge_change(reminding.app, change_id, comment=None, by="another").new
    assert shown() == [(OTHER, "major", None)]
    reopen_change(reminding.app, change_id, comment=None, by="the lead")
    assert shown() == [(TRIAL, "critical", None), (OTHER, "major", None)]


def test_what_waits_for_its_digest_is_not_in_the_inbox(sqlite_reminding: World) -> None:
    sqlite_reminding.watch(TRIAL, readers=[daily(READER)])
    sqlite_reminding.begin()
    suspended(sqlite_reminding)
    assert inbox(sqlite_reminding.app) == []


def test_acts_are_added_and_never_changed(reminding: World) -> None:
    reminding.begin()
    change_id = suspended(reminding)
    kept: list[tuple[object, ...]] = []
    acts: list[Callable[[], object]] = [
        partial(assign_change, reminding.app, change_id, SECOND, comment="a", by="x"),
        partial(acknowledge_change, reminding.app, change_id, comment="b", by="x"),
        partial(reopen_change, reminding.app, change_id, comment="c", by="x"),
        partial(acknowledge_change, reminding.app, change_id, comment="d", by="x"),
    ]
    for act in acts:
        act()
        rows = everything(reminding)["acknowledgement"]
        assert rows[:-1] == kept
        kept = rows
    assert len(kept) == 4
