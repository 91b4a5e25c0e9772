"""Bad input ends every command with 2, and a registry that is not reached with 4; each says what is wrong.

The exit codes 0, 1 and 3 are where what leads to them is: 3 in ``test_one_instance.py``.
"""

import socket

import pytest

from tests.process.office import FIRST, SECOND, UNKNOWN, Office


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["nonsense"], "nonsense", id="no such command"),
        pytest.param(["status", "--nonsense"], "--nonsense", id="no such option"),
        pytest.param(["history"], "NCT…", id="an argument too few"),
        pytest.param(["history", FIRST, SECOND], SECOND, id="an argument too many"),
        pytest.param(["history", "NCT1"], "NCT1", id="not an ID"),
        pytest.param(["watch", "add", "NCT1"], "NCT1", id="adding what is not an ID"),
        pytest.param(["watch", "add", UNKNOWN], UNKNOWN, id="adding an ID that the registry does not have"),
        pytest.param(["watch", "add", SECOND, "--to", "nobody"], "nobody", id="adding somebody who has no address"),
        pytest.param(
            ["watch", "add", SECOND, "--to", "a@example.org", "--time-zone", "Mars"], "Mars", id="adding no time zone"
        ),
        pytest.param(["watch", "remove", SECOND], "on no list", id="removing what is not on the list"),
        pytest.param(["watch", "import", "nothing.csv"], "nothing.csv", id="importing a file that is not there"),
        pytest.param(["replay", "nothing"], "nothing", id="replaying a folder that is not there"),
        pytest.param(["compare", "only-one.json"], "AFTER.json", id="comparing one file"),
        pytest.param(["test-mail", "nobody"], "nobody", id="mailing to what is no address"),
        pytest.param(["status", "--settings", "nothing.toml"], "nothing.toml", id="settings that are not there"),
        pytest.param(["demo", "--folder", "."], "--folder", id="a demo in somebody's folder"),
    ],
)
def test_bad_input_ends_with_2_and_says_what_is_wrong(office: Office, arguments: list[str], words: str) -> None:
    ended = office.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert office.lists() == {"Ours": [FIRST]}


def test_a_port_in_use_is_named_and_another_asked_for(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = office.run("registry", "serve", "days", "--port", str(port))
    assert ended.code == 2
    assert f"port {port}" in ended.err
    assert "--port" in ended.err


def test_a_registry_that_is_not_reached_ends_with_4(office: Office) -> None:
    office.registry.close()
    for arguments in (["check"], ["doctor"], ["watch", "add", SECOND]):
        ended = office.run(*arguments)
        assert (arguments, ended.code) == (arguments, 4)
        assert "Traceback" not in ended.err
    assert office.run("status").code == 0
    assert office.lists() == {"Ours": [FIRST]}
