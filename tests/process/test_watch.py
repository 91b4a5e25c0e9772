"""``trialwatch watch add`` and ``remove``: what the file declares stays, and a refusal says where the thing is."""

import pytest

from tests.process.office import FIRST, READER, SECOND, UNKNOWN, Office

BY_COMMAND = "Watched by command"


def test_some_wrong_of_what_is_added_ends_with_1_when_the_rest_was_wanted(office: Office) -> None:
    ended = office.run("watch", "add", SECOND, UNKNOWN, "--skip-wrong", "--to", "a@example.org")
    assert ended.code == 1
    assert UNKNOWN in ended.err
    assert SECOND in ended.out
    assert office.lists()[BY_COMMAND] == [SECOND]


@pytest.mark.parametrize("name", [" ", "a\nb", "x" * 201], ids=["empty", "two lines", "too long"])
def test_a_list_cannot_be_given_a_name_that_the_settings_file_refuses(office: Office, name: str) -> None:
    ended = office.run("watch", "add", SECOND, "--list", name)
    assert ended.code == 2
    assert "the name of the watch list" in ended.err


def test_a_registry_that_blocks_us_ends_with_4_and_adds_nothing(office: Office) -> None:
    office.registry.fault("forbidden", times=None)
    ended = office.run("watch", "add", SECOND)
    assert ended.code == 4
    assert "403" in ended.err
    office.registry.clear_faults()
    assert office.lists() == {"Ours": [FIRST]}


def test_people_named_by_command_hear_as_the_settings_say_that_they_want_to(office: Office) -> None:
    person = '[[recipient]]\naddress = "' + READER + '"\ncadence = "weekly"\n'
    office.settings.write_text(office.settings.read_text(encoding="utf-8") + person, encoding="utf-8")
    ended = office.run("watch", "add", SECOND, "--to", READER, "--to", "other@example.org")
    assert (ended.code, ended.err) == (0, "")
    assert sorted(office.people()[BY_COMMAND]) == ["other@example.org (daily)", f"{READER} (weekly)"]


# --- remove -----------------------------------------------------------------------------------------------------------


def test_a_trial_on_another_list_is_not_removed_and_the_list_is_named(office: Office) -> None:
    office.run("watch", "add", SECOND, "--list", "Elsewhere")
    ended = office.run("watch", "remove", SECOND)
    assert ended.code == 2
    assert '"Elsewhere" (by command); name the list with --list' in ended.err


def test_a_trial_declared_on_another_list_is_not_removed_and_its_origin_is_named(office: Office) -> None:
    ended = office.run("watch", "remove", FIRST)
    assert ended.code == 2
    assert '"Ours" (declared in the settings file)' in ended.err


def test_a_person_who_was_named_by_command_is_taken_off_by_command(office: Office) -> None:
    office.run("watch", "add", SECOND, "--to", "other@example.org", "--list", "Mine")
    assert office.people()["Mine"] == ["other@example.org (daily)"]
    assert office.run("watch", "remove", "--to", "other@example.org", "--list", "Mine").code == 0
    assert office.people()["Mine"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--to", "nobody@example.org"], "hears of no list", id="hears nothing"),
        pytest.param(["--to", "reader@example.org"], 'of "Ours"', id="hears of another list"),
        pytest.param(["--to", "reader@example.org", "--list", "Ours"], "declared in the settings file", id="declared"),
        pytest.param(["--to", "nobody"], "not a mail address", id="no address"),
        pytest.param([], "--to ADDRESS", id="nothing named"),
    ],
)
def test_a_person_who_is_not_on_the_list_by_command_stays(office: Office, arguments: list[str], words: str) -> None:
    ended = office.run("watch", "remove", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert office.people() == {"Ours": ["reader@example.org (immediate)"]}


def test_a_removal_that_is_wrong_in_part_removes_nothing(office: Office) -> None:
    office.run("watch", "add", SECOND)
    assert office.run("watch", "remove", SECOND, "--to", "nobody@example.org").code == 2
    assert office.lists()[BY_COMMAND] == [SECOND]
