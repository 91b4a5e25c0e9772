"""An alert reaches its reader through outages of the mail server, once, or somebody is told."""

from tests.flow.world import World


def test_an_alert_survives_a_mail_outage_and_is_sent_once(world: World) -> None:
    world.begin()
    world.registry.publish("NCT00000001", status="TERMINATED")
    world.mail_server.down = True
    world.check()
    world.digest()
    world.deliver()
    assert world.mail_server.accepted == []

    world.mail_server.down = False
    world.later(hours=1)
    world.deliver()
    world.deliver()

    assert world.mail_server.subjects == ["[NCT00000001] Recruitment status: Recruiting → Terminated"]
