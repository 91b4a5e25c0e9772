"""Routes, tags, opt-outs and mutes: who is noted to hear what, in which window, and what is held back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import Connection, insert, select, text, update

from tests.store.factories import (
    NOW,
    OTHER_READER,
    OTHER_TRIAL,
    READER,
    TRIAL,
    change,
    recipient,
    record,
    record_step,
    release_on,
    schedule,
    watchlist,
)
from watcher.core.routing import CATCH_ALL
from watcher.model import Cadence, Change, NoticeKind, Recipient, Route, Severity
from watcher.store import tables
from watcher.store.database import Database
from watcher.store.incidents import open_incidents, untold_incidents
from watcher.store.lists import (
    declare_lists,
    opt_in,
    opt_out,
    recipients,
    schedules,
    subscribe,
    tag_trials,
    untag_trials,
)
from watcher.store.mutes import active_mutes, add_mute, end_mutes
from watcher.store.notices import CHANGES, Notice, due_windows, notices_in
from watcher.store.noting import notify_address, notify_readers
from watcher.store.routes import Origin, catch_all_route, routes_of_trial, stored_routes
from watcher.store.schema import upgrade
from watcher.store.welcomes import welcome_readers

LATER, MUCH_LATER = NOW + timedelta(days=1), NOW + timedelta(days=10)
OPERATOR = "operator@example.org"
NOTICE = tables.notice


def route(name: str = "Safety", *, address: str = OTHER_READER, cadence: Cadence = Cadence.DAILY) -> Route:
    return Route(name=name, address=address, schedule=schedule(cadence))


def declare(db: Connection, *routes: Route, trials: Sequence[str] = (TRIAL,), tags: Sequence[str] = ()) -> int:
    """Declare a list with one reader, further routes and a catch-all; welcome all, and return the release's ID."""
    listed = replace(watchlist(trials=trials), tags=tuple(tags))
    declare_lists(db, [listed], now=NOW, routes=routes, catch_all=recipient(OPERATOR))
    release_id = release_on(db, 2)
    for nct_id in trials:
        record_step(db, record(nct_id), release_id=release_id)
    welcome_readers(db, release_id=release_id, now=NOW)
    return release_id


def step(db: Connection, release_id: int, *changes: Change, title: str = "B") -> int:
    return record_step(db, record(title=title), changes, release_id=release_id)


def of(number: int, category: str, severity: Severity = Severity.MAJOR) -> Change:
    return replace(change(number, severity=severity), category=category)


def noted(db: Connection) -> list[tuple[str, list[str] | None, str | None]]:
    """Return who is noted to hear which stories of changes, and why."""
    rows = db.execute(select(NOTICE).where(NOTICE.c.kind == NoticeKind.CHANGED).order_by(NOTICE.c.id))
    return [(row.address, row.stories, row.why) for row in rows]


def due(db: Connection, *, now: object = MUCH_LATER, address: str = READER) -> list[Notice]:
    windows = [one for one in due_windows(db, now=now) if (one.address, one.subject_matter) == (address, CHANGES)]  # type: ignore[arg-type]
    return [one for window in windows for one in notices_in(db, window, now=now)]  # type: ignore[arg-type]


def readers(db: Connection) -> list[tuple[str, str]]:
    reader = tables.reader
    return [tuple(row) for row in db.execute(select(reader.c.address, reader.c.nct_id).order_by("address", "nct_id"))]


STORY = {number: f"{number:016x}" for number in range(1, 9)}


# --- routes -----------------------------------------------------------------------------------------------------------


def test_a_route_is_read_back_as_it_was_declared(database: Database) -> None:
    whole = Route(
        name="Safety",
        address=OTHER_READER,
        schedule=replace(
            schedule(Cadence.WEEKLY, time_zone="Europe/Berlin", hour=16, weekday=4),
            working_days=(0, 2),
            holidays=(date(2026, 12, 25),),
            quiet=(time(22), time(6, 5)),
            merged_for=timedelta(seconds=90),
            critical_pierces=True,
        ),
        watchlists=("Cardiology", "Oncology"),
        tags=("x", "y"),
        severity=Severity.CRITICAL,
        categories=("status", "dates"),
        countries=("Germany",),
    )
    with database.writing() as db:
        declare_lists(db, [], now=NOW, routes=[whole])
        [stored] = stored_routes(db)
        assert (stored.route, stored.origin) == (whole, Origin.FILE)
        declare_lists(db, [], now=LATER, routes=[replace(whole, watchlists=("Oncology", "Cardiology"))])
        assert [one.id for one in stored_routes(db)] == [stored.id]
        declare_lists(db, [], now=LATER)
        assert stored_routes(db) == []
        assert db.execute(select(tables.route_scope)).all() == []


@pytest.mark.parametrize(
    ("scope", "heard"),
    [
        pytest.param({}, [TRIAL, OTHER_TRIAL], id="everything"),
        pytest.param({"watchlists": ("Cardiology",)}, [OTHER_TRIAL], id="one list"),
        pytest.param({"watchlists": ("Cardiology", "Oncology")}, [TRIAL, OTHER_TRIAL], id="two lists"),
        pytest.param({"tags": ("x",)}, [TRIAL], id="one tag"),
        pytest.param({"tags": ("x", "y")}, [TRIAL, OTHER_TRIAL], id="either tag"),
        pytest.param(
            {"watchlists": ("Oncology",), "tags": ("y",)}, [], id="a list and a tag that no trial has both of"
        ),
        pytest.param({"watchlists": ("Neither",)}, [], id="a list without trials"),
    ],
)
def test_readers_follow_from_the_scopes_of_routes(
    database: Database, scope: dict[str, tuple[str, ...]], heard: list[str]
) -> None:
    lists = [
        replace(watchlist("Oncology", [TRIAL], recipients=[]), tags=("x",)),
        replace(watchlist("Cardiology", [OTHER_TRIAL], recipients=[]), tags=("y",)),
    ]
    with database.writing() as db:
        declare_lists(db, lists, now=NOW, routes=[replace(route(), **scope)], catch_all=recipient(OPERATOR))  # type: ignore[arg-type]
        assert readers(db) == [(OTHER_READER, trial) for trial in heard]


def test_a_tag_by_command_makes_somebody_join_and_without_it_they_leave_and_are_told(database: Database) -> None:
    with database.writing() as db:
        release_id = declare(db, replace(route(), tags=("x",)))
        assert readers(db) == [(READER, TRIAL)]
        assert tag_trials(db, "x", [TRIAL, TRIAL], now=NOW) == [TRIAL]
        assert readers(db) == [(OTHER_READER, TRIAL), (READER, TRIAL)]
        welcome_readers(db, release_id=release_id, now=NOW)
        assert [one.name for one in routes_of_trial(db, TRIAL)] == ["Oncology", "Safety"]
        assert untag_trials(db, "x", [TRIAL, OTHER_TRIAL], now=NOW) == [TRIAL]
        assert readers(db) == [(READER, TRIAL)]
        last = db.execute(select(NOTICE.c.address, NOTICE.c.kind).order_by(NOTICE.c.id.desc())).first()
        assert last == (OTHER_READER, NoticeKind.NO_LONGER_WATCHING)


def test_the_catch_all_reads_no_trial_and_is_no_recipient_of_a_list(database: Database) -> None:
    with database.writing() as db:
        declare(db)
        assert catch_all_route(db) == Route(name=CATCH_ALL, address=OPERATOR, schedule=schedule())
        assert readers(db) == [(READER, TRIAL)]
        assert recipients(db) == {"Oncology": [recipient()]}


# --- noting -----------------------------------------------------------------------------------------------------------


def test_each_address_is_noted_for_the_stories_of_its_routes_and_why(database: Database) -> None:
    with database.writing() as db:
        release_id = declare(
            db, replace(route(), severity=Severity.MAJOR), replace(route("Dates"), categories=("dates",))
        )
        step(db, release_id, of(1, "dates"), of(2, "sites", Severity.MINOR), of(3, "status", Severity.CRITICAL))
        assert noted(db) == [
            (OTHER_READER, [STORY[1], STORY[3]], '"Dates", "Safety"'),
            (READER, [STORY[1], STORY[2], STORY[3]], '"Oncology"'),
        ]
        assert {row.severity for row in db.execute(select(NOTICE.c.severity).where(NOTICE.c.stories.is_not(None)))} == {
            "critical"
        }


def test_what_no_route_takes_is_noted_for_the_catch_all(database: Database) -> None:
    with database.writing() as db:
        declare_lists(
            db,
            [watchlist(recipients=[])],
            now=NOW,
            routes=[replace(route(), severity=Severity.CRITICAL)],
            catch_all=recipient(OPERATOR),
        )
        release_id = release_on(db, 2)
        record_step(db, record(), release_id=release_id)
        step(db, release_id, of(1, "dates"))
        assert noted(db) == [(OPERATOR, [STORY[1]], f'"{CATCH_ALL}"')]


def test_a_trial_that_nobody_reads_is_told_as_gone_to_the_catch_all(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist(recipients=[])], now=NOW, catch_all=recipient(OPERATOR))
        record_step(db, record(), release_id=release_on(db, 2))
        assert notify_readers(db, TRIAL, NoticeKind.GONE, now=NOW) == 1
        assert [one.kind for one in due(db, address=OPERATOR)] == [NoticeKind.GONE]


@pytest.mark.parametrize(
    ("country", "hears"),
    [pytest.param("Germany", [OTHER_READER], id="its own"), pytest.param("France", [], id="another")],
)
def test_a_route_of_a_country_looks_at_the_sites_before_and_after(
    database: Database, country: str, hears: list[str]
) -> None:
    sites = {"contactsLocationsModule": {"locations": [{"facility": "A", "city": "B", "country": "Germany"}]}}
    with database.writing() as db:
        release_id = declare(db, replace(route(), countries=(country,)))
        placed = record(title="B", extra={"protocolSection": sites})
        record_step(db, placed, [of(1, "dates")], release_id=release_id)
        assert [address for address, _, _ in noted(db) if address != READER] == hears


def test_a_notice_for_one_person_comes_in_their_own_window_or_in_five_minutes(database: Database) -> None:
    with database.writing() as db:
        declare(db)
        notify_address(db, READER, NoticeKind.READER_LOST, now=NOW, nct_id=TRIAL, detail="x", severity=Severity.MAJOR)
        notify_address(db, "nobody@example.org", NoticeKind.READER_LOST, now=NOW)
        [mine] = due(db)
        [theirs] = due(db, address="nobody@example.org")
    assert (mine.detail, mine.severity, mine.wanted_at.hour) == ("x", Severity.MAJOR, 7)
    assert theirs.wanted_at - NOW == timedelta(minutes=5)


# --- mutes and holds --------------------------------------------------------------------------------------------------


def test_a_mute_holds_back_what_came_before_it_and_after_it_until_it_is_taken_back(database: Database) -> None:
    with database.writing() as db:
        release_id = declare(db)
        step(db, release_id, of(1, "dates"))
        add_mute(db, READER, now=NOW)
        step(db, release_id, of(2, "dates"), title="C")
        assert due(db) == []
        assert end_mutes(db, READER, now=LATER, nct_id=OTHER_TRIAL) == 0
        assert end_mutes(db, READER, now=LATER) == 1
        assert [one.stories for one in due(db)] == [(STORY[1],), (STORY[2],)]


def test_a_mute_ends_by_itself(database: Database) -> None:
    with database.writing() as db:
        release_id = declare(db)
        step(db, release_id, of(1, "dates"))
        add_mute(db, READER, now=NOW, until=MUCH_LATER, reason="away")
        assert due(db, now=MUCH_LATER - timedelta.resolution) == []
        assert len(due(db, now=MUCH_LATER)) == 1
        assert active_mutes(db, now=MUCH_LATER) == []
        assert [one.reason for one in active_mutes(db, now=LATER)] == ["away"]


@pytest.mark.parametrize("before", [True, False], ids=["what waits already", "what comes"])
def test_a_mute_of_a_category_holds_back_its_stories_and_no_others(database: Database, *, before: bool) -> None:
    with database.writing() as db:
        release_id = declare(db)
        changes = (of(1, "dates", Severity.CRITICAL), of(2, "sites", Severity.MINOR), of(3, "dates"))
        if before:
            step(db, release_id, *changes)
        add_mute(db, READER, now=NOW, category="sites", nct_id=TRIAL)
        if not before:
            step(db, release_id, *changes)
        [told] = due(db)
        assert (told.stories, told.severity) == ((STORY[1], STORY[3]), Severity.CRITICAL)
        end_mutes(db, READER, now=LATER, category="sites")
        _, held = due(db)
        assert (held.stories, held.severity, held.why) == ((STORY[2],), Severity.MINOR, '"Oncology"')


def test_a_mute_of_a_trial_holds_back_no_other_trial(database: Database) -> None:
    with database.writing() as db:
        declare(db, trials=[TRIAL, OTHER_TRIAL])
        add_mute(db, READER, now=NOW, nct_id=TRIAL)
        for nct_id in (TRIAL, OTHER_TRIAL):
            notify_readers(db, nct_id, NoticeKind.FOUND_AGAIN, now=NOW)
        assert [one.nct_id for one in due(db)] == [OTHER_TRIAL]


def test_what_is_critical_pierces_a_mute_if_the_reader_wants_that(database: Database) -> None:
    pierced = replace(schedule(), critical_pierces=True)
    with database.writing() as db:
        listed = watchlist(recipients=[Recipient(address=READER, schedule=pierced), recipient(OTHER_READER)])
        declare_lists(db, [listed], now=NOW)
        release_id = release_on(db, 2)
        record_step(db, record(), release_id=release_id)
        welcome_readers(db, release_id=release_id, now=NOW)
        for address in (READER, OTHER_READER):
            add_mute(db, address, now=NOW)
        step(db, release_id, of(1, "status", Severity.CRITICAL), of(2, "dates"))
        assert [one.stories for one in due(db, now=NOW)] == [(STORY[1],)]
        assert due(db, address=OTHER_READER) == []
        end_mutes(db, READER, now=NOW)
        assert [one.stories for one in due(db)] == [(STORY[1],), (STORY[2],)]


def test_a_hold_keeps_back_its_notices_until_it_has_ended(database: Database) -> None:
    with database.writing() as db:
        release_id = declare(db)
        step(db, release_id, of(1, "dates"))
        values = {"release_id": release_id, "reason": "many_changes", "summary": "x", "opened_at": NOW}
        db.execute(insert(tables.hold).values(id=1, **values))
        db.execute(update(NOTICE).where(NOTICE.c.stories.is_not(None)).values(hold_id=1))
        assert due(db) == []
        db.execute(update(tables.hold).values(ended_at=LATER))
        assert len(due(db)) == 1


# --- opting out -------------------------------------------------------------------------------------------------------


def test_somebody_who_opts_out_leaves_is_told_and_the_operator_hears_of_it(database: Database) -> None:
    with database.writing() as db:
        declare(db)
        assert opt_out(db, READER, "Oncology", now=LATER) is True
        assert opt_out(db, READER, "Oncology", now=LATER) is False
        assert readers(db) == []
        assert schedules(db, TRIAL) == {}
        assert recipients(db) == {}
        last = db.execute(select(NOTICE.c.address, NOTICE.c.kind).order_by(NOTICE.c.id.desc())).first()
        assert last == (READER, NoticeKind.NO_LONGER_WATCHING)
        assert [one.summary for one in untold_incidents(db)] == [
            f'{READER} unsubscribed from "Oncology", by the link in a mail.'
        ]
        assert open_incidents(db) == []
        assert opt_in(db, READER, "Oncology", now=LATER) is True
        assert opt_in(db, READER, "Oncology", now=LATER) is False
        assert readers(db) == [(READER, TRIAL)]


@pytest.mark.parametrize(
    ("refused", "left"),
    [
        pytest.param("Oncology", [(READER, TRIAL)], id="one of two lists: the other one stays"),
        pytest.param("", [], id="everything"),
    ],
)
def test_opting_out_lasts_whatever_the_file_and_commands_say(
    database: Database, refused: str, left: list[tuple[str, str]]
) -> None:
    lists = [watchlist("Oncology"), watchlist("Cardiology")]
    with database.writing() as db:
        declare_lists(db, lists, now=NOW)
        opt_out(db, READER, refused, now=NOW)
        subscribe(db, "Oncology", recipient(), now=LATER)
        declare_lists(db, lists, now=LATER)
        assert readers(db) == left


def test_what_nobody_hears_any_more_goes_to_the_catch_all_who_cannot_opt_out(database: Database) -> None:
    with database.writing() as db:
        release_id = declare(db)
        opt_out(db, READER, "", now=NOW)
        opt_out(db, OPERATOR, "", now=NOW)
        step(db, release_id, of(1, "dates"))
        assert [address for address, _, _ in noted(db)] == [OPERATOR]


# --- upgrading --------------------------------------------------------------------------------------------------------


def test_subscriptions_become_routes_of_their_lists(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(empty_url)
    try:
        with monkeypatch.context() as earlier:
            earlier.setattr("watcher.store.schema.HEAD", "0002")
            upgrade(database)
        row = (
            "INSERT INTO subscription (watchlist, address, origin, cadence, time_zone, hour, weekday, added_at) VALUES "
        )
        with database.writing() as db:
            for origin, cadence in (("file", "daily"), ("command", "weekly")):
                values = {"origin": origin, "cadence": cadence, "at": "2026-03-02 12:00:00"}
                db.execute(
                    text(row + "('Oncology', 'reader@example.org', :origin, :cadence, 'Europe/Berlin', 9, 4, :at)"),
                    values,
                )
        upgrade(database)
        with database.writing() as db:
            wanted = schedule(time_zone="Europe/Berlin", hour=9, weekday=4)
            merged = replace(wanted, merged_for=timedelta(minutes=5))
            daily = Route(name="Oncology", address=READER, schedule=merged, watchlists=("Oncology",))
            weekly = replace(daily, schedule=replace(merged, cadence=Cadence.WEEKLY))
            assert [(one.origin, one.route) for one in stored_routes(db)] == [
                (Origin.FILE, daily),
                (Origin.COMMAND, weekly),
            ]
            assert db.execute(select(tables.route.c.added_at)).scalars().all() == [NOW, NOW]
            # What the settings file says then is found to be there already.
            declare_lists(db, [watchlist(recipients=[Recipient(address=READER, schedule=merged)])], now=LATER)
            subscribe(db, "Cardiology", recipient(), now=LATER)
            assert len(stored_routes(db)) == 3
    finally:
        database.close()
