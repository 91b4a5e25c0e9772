"""Incidents: opened once, told once, closed when they are over."""

from datetime import timedelta

from sqlalchemy import Connection

from tests.store.factories import NOW
from tests.store.together import together
from watcher.store.database import Database
from watcher.store.incidents import (
    Incident,
    close_incident,
    close_incidents,
    mark_told,
    open_incident,
    open_incidents,
    untold_incidents,
)

LATER = NOW + timedelta(hours=1)


def keys(incidents: list[Incident]) -> list[str]:
    return [incident.key for incident in incidents]


def opened(db: Connection, *names: str) -> None:
    for name in names:
        assert open_incident(db, name, f"Something is wrong with {name}.", now=NOW)


def test_an_incident_is_kept_as_it_was_opened(database: Database) -> None:
    with database.writing() as db:
        open_incident(db, "registry", "not \x00 found \ud800", now=NOW)
        [found] = open_incidents(db)
    assert found == Incident(
        id=found.id,
        key="registry",
        summary="not \x00 found \ud800",
        opened_at=NOW,
        told_at=None,
        target_told_at=None,
        closed_at=None,
    )


def test_an_incident_that_is_known_is_not_opened_again(database: Database) -> None:
    with database.writing() as db:
        opened(db, "registry")
        assert open_incident(db, "registry", "It is still so.", now=LATER) is False
        [found] = open_incidents(db)
    assert (found.summary, found.opened_at) == ("Something is wrong with registry.", NOW)


def test_two_instances_that_see_the_same_trouble_open_one_incident(database: Database) -> None:
    def see() -> bool:
        with database.writing() as db:
            return open_incident(db, "registry", "It does not answer.", now=NOW)

    assert sorted(map(bool, together(see, see, see))) == [False, False, True]
    with database.reading() as db:
        assert keys(open_incidents(db)) == ["registry"]


def test_an_incident_that_is_over_is_closed_once(database: Database) -> None:
    with database.writing() as db:
        opened(db, "registry", "mail server")
        assert close_incident(db, "registry", now=LATER) is True
        assert close_incident(db, "registry", now=LATER) is False
        assert keys(open_incidents(db)) == ["mail server"]


def test_several_incidents_are_closed_as_far_as_they_are_open(database: Database) -> None:
    with database.writing() as db:
        opened(db, "registry", "mail server", "templates")
        close_incidents(db, ["registry", "templates", "never opened"], now=LATER)
        close_incidents(db, [], now=LATER)
        assert keys(open_incidents(db)) == ["mail server"]
        assert [incident.closed_at for incident in untold_incidents(db)] == [LATER, None, LATER]


def test_trouble_that_comes_back_is_a_new_incident(database: Database) -> None:
    with database.writing() as db:
        opened(db, "registry")
        close_incident(db, "registry", now=LATER)
        opened(db, "registry")
        assert keys(open_incidents(db)) == ["registry"]
        assert keys(untold_incidents(db)) == ["registry", "registry"]


def test_an_incident_is_told_once_also_when_it_is_over(database: Database) -> None:
    with database.writing() as db:
        opened(db, "registry", "mail server", "templates")
        close_incident(db, "registry", now=LATER)
        untold = untold_incidents(db)
        assert keys(untold) == ["registry", "mail server", "templates"]
        assert untold[0].closed_at == LATER
        mark_told(db, [incident.id for incident in untold[:2]], now=LATER)
        assert keys(untold_incidents(db)) == ["templates"]
        assert [incident.told_at for incident in open_incidents(db)] == [LATER, None]


def test_telling_nothing_changes_nothing(database: Database) -> None:
    with database.writing() as db:
        opened(db, "registry")
        mark_told(db, [], now=LATER)
        assert keys(untold_incidents(db)) == ["registry"]
