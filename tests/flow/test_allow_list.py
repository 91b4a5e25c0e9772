"""Outside production nobody gets mail who is not on the list, and nothing is made of that."""

from dataclasses import replace

import pytest

from tests.flow.world import OPERATOR, READER, TRIAL, World, immediate
from watcher.errors import MessageBarred
from watcher.model import DeliveryState
from watcher.notify.allow_list import AllowListChannel
from watcher.store import outbox


def test_only_those_on_the_list_get_mail_and_the_operator_hears_of_no_other(world: World) -> None:
    world.restart(mail={"only_to": ["*@example.org"]})
    world.watch(TRIAL, readers=[immediate(), immediate("customer@example.com")])
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    for _ in range(3):
        world.round()
        world.later(hours=1)

    assert [mail.recipient for mail in world.mail_server.accepted] == [READER]
    assert "customer@example.com" not in world.mail_server.tried
    assert world.incidents() == []
    with world.app.database.reading() as db:
        assert outbox.counts(db)[DeliveryState.BARRED] == 2  # the welcome, too
        assert outbox.unfinished(db) == []
        barred = [one for one in outbox.all_messages(db) if one.state is DeliveryState.BARRED]
    assert barred[0].reply == "customer@example.com is not on mail.only_to: nothing was sent"


def test_no_way_of_sending_leads_past_the_list(world: World) -> None:
    world.restart(mail={"only_to": [READER]})
    assert isinstance(world.app.channel, AllowListChannel)
    world.registry.publish_all({TRIAL: {}})
    world.check()
    [mail] = world.digest()
    with world.app.channel.session() as session:
        session.send(mail, on_phase=lambda _phase: None)
        with pytest.raises(MessageBarred, match="is not on mail.only_to"):
            session.send(replace(mail, recipient=OPERATOR), on_phase=lambda _phase: None)
    assert len(world.mail_server.accepted) == 1
