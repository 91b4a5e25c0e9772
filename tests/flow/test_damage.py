"""A stored version that cannot be read back is put aside, the last good one is used, and somebody is told."""

import pytest
from sqlalchemy import select

from tests.flow.world import OPERATOR, OTHER, READER, TRIAL, World, words
from watcher.store.tables import snapshot


def damage(world: World, *positions: int, nct_id: str = TRIAL) -> None:
    """Spoil stored versions of a trial: 0 is the first, -1 the newest."""
    with world.app.database.writing() as db:
        query = select(snapshot.c.id, snapshot.c.body).where(snapshot.c.nct_id == nct_id).order_by(snapshot.c.id)
        rows = db.execute(query).all()
        for position in positions:
            row = rows[position]
            spoiled = bytes([*row.body[:-8], *(byte ^ 0x55 for byte in row.body[-8:])])
            db.execute(snapshot.update().where(snapshot.c.id == row.id).values(body=spoiled))


def quarantined(world: World) -> int:
    with world.app.database.reading() as db:
        return len(db.execute(select(snapshot.c.id).where(snapshot.c.quarantined_at.is_not(None))).all())


def begin_with_three_versions(world: World) -> None:
    """Recruiting, then suspended, then suspended with another target; all told."""
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.registry.publish(TRIAL, enrollment=400)
    world.round()
    world.mail_server.accepted.clear()


def test_with_a_damaged_version_nothing_is_told_twice_and_nothing_is_lost(world: World) -> None:
    begin_with_three_versions(world)
    damage(world, -1)
    world.registry.publish(TRIAL, title="Another Title")
    world.round()
    world.round()

    (mail,) = world.mail_server.to(READER)
    assert mail.subject == f"[{TRIAL}] Brief Title: Example Drug in Example Disease → Another Title"
    assert "Suspended" not in words(mail.text)
    assert "400" not in words(mail.text)
    assert quarantined(world) == 1


def test_the_operator_is_told_once_of_a_damaged_version(world: World) -> None:
    begin_with_three_versions(world)
    damage(world, -1)
    for title in ("A Second Title", "A Third Title"):
        world.registry.publish(TRIAL, title=title)
        world.round()
        world.round()

    (mail,) = world.mail_server.to(OPERATOR)
    text = words(mail.text)
    assert "A stored version is damaged and was put aside; the last good one is used" in text
    assert TRIAL in text
    assert len(world.mail_server.to(READER)) == 2
    assert world.incidents() == []


def test_a_version_that_went_back_is_told_although_the_one_between_is_damaged(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    damage(world, -1)
    world.registry.publish(TRIAL, status="RECRUITING")
    world.round()

    assert [mail.subject for mail in world.mail_server.to(READER)] == [
        f"[{TRIAL}] Recruitment status: Recruiting → Suspended",
        f"[{TRIAL}] Study resumed: Suspended → Recruiting",
    ]


def test_a_list_that_grew_and_shrank_is_told_although_the_version_between_is_damaged(world: World) -> None:
    sites = [{"facility": f"Site {number}", "city": "Exampletown", "country": "Examplia"} for number in range(3)]
    world.registry.publish(TRIAL, locations=sites[:2])
    world.round()
    world.registry.publish(TRIAL, locations=sites)
    world.round()
    damage(world, -1)
    world.mail_server.accepted.clear()
    world.registry.publish(TRIAL, locations=sites[:2], title="Another Title")
    world.round()

    (mail,) = world.mail_server.to(READER)
    text = words(mail.text)
    assert "Location removed: Site 2" in text
    assert "Another Title" in text


def test_damage_in_the_middle_of_a_chain_leads_back_to_the_last_good_version(world: World) -> None:
    begin_with_three_versions(world)
    damage(world, 1)  # the newest is stored against it
    world.registry.publish(TRIAL, title="Another Title")
    world.round()

    (mail,) = world.mail_server.to(READER)
    assert mail.subject == f"[{TRIAL}] Brief Title: Example Drug in Example Disease → Another Title"
    assert quarantined(world) == 2


def test_without_any_good_version_the_operator_hears_that_changes_may_be_lost(world: World) -> None:
    world.begin()
    damage(world, 0)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.round()
    world.round()
    assert world.mail_server.to(READER) == []
    (mail,) = world.mail_server.to(OPERATOR)
    assert f"No stored version of {TRIAL} can be read" in words(mail.text)

    world.registry.publish(TRIAL, status="RECRUITING")
    world.round()
    assert [mail.subject for mail in world.mail_server.to(READER)] == [
        f"[{TRIAL}] Study resumed: Suspended → Recruiting"
    ]


@pytest.mark.parametrize("position", [0, -1], ids=["the first", "the newest"])
def test_damage_does_not_stop_other_trials_or_the_mails(world: World, position: int) -> None:
    world.watch(TRIAL, OTHER)
    world.begin(TRIAL, OTHER)
    world.registry.publish(TRIAL, status="SUSPENDED")
    world.check()
    damage(world, position)
    world.digest()
    world.deliver()
    world.registry.publish(OTHER, status="SUSPENDED")
    world.round()
    assert [mail.subject for mail in world.mail_server.to(READER)] == [
        f"[{TRIAL}] Recruitment status: Recruiting → Suspended",
        f"[{OTHER}] Recruitment status: Recruiting → Suspended",
    ]


def test_a_damaged_version_that_the_registry_serves_again_is_whole_again(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, completion="2028-01-01", updated="2026-03-02")
    world.round()
    damage(world, -1)
    for completion in ("2027-06-30", "2028-01-01", "2029-01-01"):
        world.registry.publish(TRIAL, completion=completion, updated="2026-03-02")
        world.round()
    assert quarantined(world) == 0
    assert len(world.mail_server.to(READER)) == 4
