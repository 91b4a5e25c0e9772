"""Targets by command: a test, an examination, what is shown, and who may be named."""

from pathlib import Path

import pytest

from tests.process.office import FIRST, Office
from tests.webhook_receiver import SECRET, Receiver

TARGET = """
[[target]]
name = "hook"
kind = "webhook"
url = "{url}/canary4711"
secret = "{secret}"
allow_private = {private}
"""


def declare(office: Office, url: str, *, to: str = "target:hook", private: bool = True) -> None:
    office.settle(to=to)
    text = office.settings.read_text(encoding="utf-8")
    office.settings.write_text(text + TARGET.format(url=url, secret=SECRET, private=str(private).lower()))
    office.settings.chmod(0o600)


def test_a_test_goes_to_the_target_and_its_answer_is_shown(office: Office) -> None:
    with Receiver() as receiver:
        declare(office, receiver.url)
        ended = office.run("test-target", "hook")
        assert (ended.code, ended.out) == (0, "Handed over to hook: HTTP 204 No Content\n")
        (line,) = office.run("test-target", "target:hook", "--json").lines
        assert (line["sent"], line["reply"]) == (True, "HTTP 204 No Content")
        receiver.status = 403
        ended = office.run("test-target", "hook")
    assert ended.code == 4
    assert "HTTP 403 Forbidden" in ended.err
    assert "canary4711" not in ended.out + ended.err


def test_a_target_that_is_not_declared_is_named_with_what_is_near(office: Office) -> None:
    declare(office, "http://127.0.0.1:9")
    for arguments in (["test-target", "hok"], ["watch", "add", FIRST, "--to", "target:hok"]):
        ended = office.run(*arguments)
        assert ended.code == 2
        assert 'no target is named "hok"; did you mean "hook"?' in ended.err


def test_the_doctor_connects_to_targets_and_sends_nothing(office: Office) -> None:
    with Receiver() as receiver:
        declare(office, receiver.url)
        findings = [one for one in office.run("doctor", "--json").lines if one["subject"] == "target"]
        receiver.wait_until_idle()
        assert receiver.posted == []
    assert [one["verdict"] for one in findings] == ["good"]

    ended = office.run("doctor")
    assert ended.code == 4
    assert "FAIL  target: webhook hook: no connection" in ended.out
    assert "canary4711" not in ended.out + ended.err

    declare(office, "https://127.0.0.1", private=False)
    assert "is this machine itself" in office.run("doctor").out


def test_the_doctor_names_a_reader_that_is_no_target_any_more(office: Office) -> None:
    declare(office, "http://127.0.0.1:9")
    assert office.run("watch", "add", FIRST, "--to", "target:hook").code == 0
    office.settle()
    assert 'target:hook hears of a watch list, but no target is named "hook"' in office.run("doctor").out


def test_status_and_lists_show_targets_without_their_urls(office: Office) -> None:
    with Receiver() as receiver:
        declare(office, receiver.url)
        receiver.status = 503
        office.run("check")
    assert office.people() == {"Ours": ["target:hook (immediate)"]}
    ended = office.run("status")
    assert "Target hook (webhook): 1 waiting, 0 given up\n" in ended.out
    (status,) = office.run("status", "--json").lines
    assert status["targets"] == [{"name": "hook", "kind": "webhook", "waiting": 1, "given_up": 0}]
    assert "canary4711" not in ended.out + str(status)


def test_the_service_tells_a_target(office: Office) -> None:
    with Receiver() as receiver:
        declare(office, receiver.url)
        with receiver.changed:
            daemon = office.started()
            assert receiver.changed.wait_for(lambda: bool(receiver.posted), 30)
        assert "canary4711" not in daemon.log
        assert SECRET not in daemon.log


@pytest.mark.parametrize("mode", [0o644])
def test_a_url_in_a_file_that_others_may_open_stops_every_command(office: Office, mode: int) -> None:
    declare(office, "https://hooks.example.org")
    Path(office.settings).chmod(mode)
    ended = office.run("status")
    assert ended.code == 2
    assert "target[0].url: is a secret in a file that other users of this machine may open" in ended.err
    assert "canary4711" not in ended.err
