"""Other rules over the same data: an upgrade, or other settings.  Nothing is mailed for it, and nothing is lost."""

import dataclasses
from collections.abc import Mapping

import pytest

from tests.factories import Json
from tests.flow.world import OTHER, TRIAL, World, daily, words
from watcher.core.fields import FieldTable
from watcher.model import FieldRule, Severity
from watcher.stages.check import Check
from watcher.tables import load_rules
from watcher.tables.overrides import categories

ENROLLMENT = "protocolSection.designModule.enrollmentInfo.count"
ALL_CRITICAL = {
    "severity": dict.fromkeys(categories(load_rules()), "critical"),
    "place": dict.fromkeys(categories(load_rules()), "line"),
}
ALL_NOISE = {"severity": dict.fromkeys(categories(load_rules()), "noise")}
SITES = [{"facility": f"Site {number}", "city": "Exampletown", "country": "Examplia"} for number in range(4)]


def site_order(*numbers: int) -> Mapping[str, Json]:
    return {"protocolSection": {"contactsLocationsModule": {"locations": [SITES[number] for number in numbers]}}}


def with_other_rows(world: World, **different: object) -> None:
    """Let the check work with another field table, as the next version of this program may have."""
    rules = load_rules()
    rows: dict[str, FieldRule] = {
        path: dataclasses.replace(row, **different)  # type: ignore[arg-type]  # of several types
        for path, row in rules.fields.items()
    }
    table = FieldTable(dataclasses.replace(rules, fields=rows))
    check = Check(world.app.database, world.app.registry, table)
    world.app = dataclasses.replace(
        world.app, table=table, pipeline=dataclasses.replace(world.app.pipeline, check=check)
    )


def seen_with_noise(world: World) -> None:
    """See a trial, and then a version in which only what no reader is told is different."""
    world.begin()
    world.registry.publish(TRIAL)
    world.round()
    assert len(world.history()) == 2
    assert world.mail_server.accepted == []


@pytest.mark.parametrize(
    "changes", [pytest.param(ALL_CRITICAL, id="everything"), pytest.param(ALL_NOISE, id="nothing at all")]
)
def test_other_settings_over_the_same_data_mail_nothing_though_they_would_tell(
    world: World, changes: dict[str, dict[str, str]]
) -> None:
    seen_with_noise(world)
    recorded = world.history()

    world.restart(changes=changes)
    for _ in range(2):
        world.round()
        world.later(hours=1)
        world.registry.publish_nothing()
    world.round()

    assert world.mail_server.accepted == []
    assert world.history() == recorded


@pytest.mark.parametrize(
    "different",
    [
        pytest.param({"label": "Another label", "plural": None}, id="labels"),
        pytest.param({"category": "another"}, id="categories"),
        pytest.param({"identity": (("facility",),)}, id="identities of lists"),
        pytest.param({"identity": (), "naming": ()}, id="no identities at all"),
        pytest.param({"enum": None}, id="no words for values"),
    ],
)
def test_another_table_over_the_same_data_mails_nothing(world: World, different: dict[str, object]) -> None:
    world.registry.publish(TRIAL, extra=site_order(0, 1, 2, 3), updated="2026-03-02")
    world.round()
    world.mail_server.accepted.clear()

    with_other_rows(world, **different)
    world.round()
    # The same content, but other bytes: it is compared, by the new table.
    world.registry.publish(TRIAL, extra=site_order(3, 1, 0, 2), updated="2026-03-02")
    done = world.round()

    assert done.outcome is not None
    assert (done.outcome.asked, done.outcome.unchanged) == (1, 1)
    assert world.mail_server.accepted == []
    assert len(world.history()) == 1


def test_a_change_that_came_while_the_rules_were_changed_is_told_by_the_new_ones_and_nothing_else_is(
    world: World,
) -> None:
    seen_with_noise(world)
    world.registry.publish(TRIAL, enrollment=41)  # while the service is down

    world.restart(changes={"severity": {ENROLLMENT: "critical"}})
    world.round()
    world.round()

    (mail,) = world.mail_server.accepted
    assert "[critical]" in words(mail.text)
    assert [change.path for change in world.history()[2] if change.told] == [ENROLLMENT]
    assert [change for change in world.history()[1] if change.told] == []


def test_what_was_recorded_as_told_is_told_also_when_the_new_rules_would_not(world: World) -> None:
    """The weight is recorded with the change, so that a digest tells what its notices are about."""
    world.watch(TRIAL, OTHER, readers=[daily("reader@example.org")])
    world.begin(TRIAL, OTHER)
    world.later(days=1)
    world.round()
    world.mail_server.accepted.clear()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.round()
    assert world.mail_server.accepted == []  # the window is open

    world.restart(changes=ALL_NOISE)
    world.registry.publish(OTHER, enrollment=400)
    world.round()
    world.later(days=1)
    world.round()
    world.round()

    (mail,) = world.mail_server.accepted
    assert mail.subject == f"[{TRIAL}] Recruitment status: Recruiting → Terminated"
    assert [change.severity for change in world.history(OTHER)[1]] == [Severity.NOISE] * len(world.history(OTHER)[1])


def test_what_was_noise_is_not_told_later_though_a_change_of_the_same_field_is(world: World) -> None:
    seen_with_noise(world)
    world.restart(changes=ALL_CRITICAL)
    world.round()
    world.registry.publish(TRIAL)  # the dates of the update move on
    world.round()
    world.round()

    (mail,) = world.mail_server.accepted
    posted = [change for change in world.history()[2] if change.path.endswith("lastUpdateSubmitDate")]
    assert [(change.old, change.new, change.told) for change in posted] == [("2026-03-03", "2026-03-04", True)]
    assert "2026-03-02" not in words(mail.text).partition("Verified")[0]
