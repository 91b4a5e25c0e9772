"""Apprise in its own process: what arrives, what is kept away from, and that it cannot hold us up.

The service at the other end is Apprise's own "json://", which posts to a receiver of this machine.
"""

import json
import os
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from tests.edges.sample_mail import ignore_phase, message
from tests.webhook_receiver import Receiver
from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    MailError,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
)
from watcher.model import Message, Phase
from watcher.notify.apprise_child import Guard, harmless, shortened
from watcher.notify.apprise_target import AppriseChannel, AppriseTarget
from watcher.render.letters import Coverage, Letter
from watcher.render.payload import payload

CANARY = "canary4711"
TEXT = "NCT00000001\n\n  * [critical] Study terminated é\n\nVerified 1 of 1 trial."


def told(text: str = TEXT, *, number: int = 0, subject: str = "[NCT00000001] Study terminated") -> Message:
    coverage = Coverage(verified=1, watched=1, data_date="2026-03-02")
    letter = Letter(template="digest", subject=subject, summary="1 of 1 trial changed.", coverage=coverage)
    document = payload(letter, text=text, composed_at=datetime(2026, 3, 2, 12, tzinfo=UTC))
    return replace(message(number), mime=document, recipient="target:chat", channel="target:chat")


def channel(url: str, *, allow_private: bool = True, timeout: timedelta = timedelta(seconds=30)) -> AppriseChannel:
    return AppriseChannel(AppriseTarget(name="chat", url=url, allow_private=allow_private, timeout=timeout))


def local(receiver: Receiver) -> str:
    return f"json://127.0.0.1:{receiver.port}/{CANARY}"


def failure(through: AppriseChannel, what: Message | None = None) -> MailError:
    with pytest.raises(MailError) as caught, through.session() as session:
        session.send(what or told(), on_phase=ignore_phase)
    return caught.value


def test_title_and_text_arrive_in_order_through_one_process_and_phases_come_before() -> None:
    arrived_at: dict[Phase, int] = {}
    with Receiver() as receiver, channel(local(receiver)).session() as session:
        session.send(told(), on_phase=lambda phase: arrived_at.update({phase: len(receiver.bodies)}))
        with pytest.raises(MessageRefused):
            session.send(message(1), on_phase=ignore_phase)
        session.send(told("later", number=2), on_phase=ignore_phase)

    first, second = (json.loads(body) for body in receiver.bodies)
    assert (first["title"], first["message"]) == ("[NCT00000001] Study terminated", TEXT)
    assert second["message"] == "later"
    assert arrived_at == {Phase.DATA: 0, Phase.DOT: 0}


def test_what_could_not_be_recorded_is_not_sent() -> None:
    def record(phase: Phase) -> None:
        if phase is Phase.DOT:
            raise OSError("database is locked")

    with Receiver() as receiver:
        with pytest.raises(OSError, match="database is locked"), channel(local(receiver)).session() as session:
            session.send(told(), on_phase=record)
        assert receiver.bodies == []


def test_a_service_that_says_no_is_asked_again_later_and_the_session_goes_on() -> None:
    with Receiver() as receiver, channel(local(receiver)).session() as session:
        receiver.status = 500
        with pytest.raises(MessageDeferred):
            session.send(told(), on_phase=ignore_phase)
        receiver.status = 200
        session.send(told(), on_phase=ignore_phase)


def test_a_service_that_hangs_holds_nobody_and_leaves_it_uncertain() -> None:
    goes_on = Event()
    with Receiver() as receiver:
        receiver.before_answer = lambda: goes_on.wait(30)
        with channel(local(receiver), timeout=timedelta(seconds=2)).session() as session:
            with pytest.raises(MessageUncertain):
                session.send(told(), on_phase=ignore_phase)
            with pytest.raises(ChannelDown):
                session.send(told(), on_phase=ignore_phase)
        goes_on.set()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0.0.0.0"])
def test_this_machine_is_not_reached_unless_it_is_allowed(host: str) -> None:
    with Receiver() as receiver:
        error = failure(channel(f"json://{host}:{receiver.port}/", allow_private=False))
        assert isinstance(error, ChannelRefused)
        assert "see allow_private" in error.reply or "out of the URL" in error.reply  # a spelling that Apprise refuses
        assert receiver.bodies == []


def test_a_redirect_is_not_followed() -> None:
    with Receiver() as inner, Receiver() as outer:
        outer.status, outer.headers = 307, {"Location": f"http://127.0.0.1:{inner.port}/"}
        assert isinstance(failure(channel(local(outer))), MessageDeferred)
        assert inner.bodies == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"nosuch://{CANARY}", id="an unknown service"),
        pytest.param(f"slack://{CANARY}", id="a service that lacks a part"),
        pytest.param(f"syslog://{CANARY}", id="the log"),
        pytest.param(f"dbus://{CANARY}", id="a desktop"),
        pytest.param(f"file:///{CANARY}", id="a file"),
    ],
)
def test_what_is_no_service_is_refused_without_its_url(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    through = channel(url)
    error: BaseException | None = failure(through)
    assert isinstance(error, ChannelRefused)
    seen = f"{through!r} {through.name} {caplog.text} {''.join(capfd.readouterr())}"
    while error is not None:
        seen += f"{error!r} {error}"
        error = error.__cause__ or error.__context__
    assert CANARY not in seen


def test_the_url_is_in_no_list_of_processes_environment_log_or_error(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALWATCH_MAIL__SMTP__PASSWORD", "another secret")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    caplog.set_level(0)
    seen = ""

    def look() -> None:
        nonlocal seen
        for folder in _children():
            with suppress(OSError):
                seen += (folder / "cmdline").read_text() + (folder / "environ").read_text()

    with Receiver() as receiver:
        receiver.before_answer = look
        receiver.status = 500
        error = failure(channel(local(receiver)))
        assert len(receiver.bodies) == 1
    assert "apprise_child" in seen
    seen += f"{error!r} {error.reply} {caplog.text} {''.join(capfd.readouterr())}"
    assert CANARY not in seen
    assert "another secret" not in seen
    assert "127.0.0.1:9" not in seen


def _children() -> list[Path]:
    mine = f" {os.getpid()} "
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if mine in " ".join(stat.read_text().rpartition(")")[2].split()[1:2]).join("  "):
                found.append(stat.parent)
    return found


@pytest.mark.parametrize("event", ["subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn"])
def test_the_guard_lets_no_program_be_started(event: str) -> None:
    guard = Guard(allow_private=True)
    with pytest.raises(PermissionError, match="start a program"):
        guard(event, ())
    assert guard.blocked


@pytest.mark.parametrize(
    "address",
    [("127.0.0.1", 80), ("::1", 80, 0, 0), ("localhost", 80), "/dev/log", b"\0abstract", ("169.254.169.254", 80)],
    ids=str,
)
@pytest.mark.parametrize("event", ["socket.connect", "socket.sendto", "socket.sendmsg"])
def test_the_guard_judges_every_address(event: str, address: object) -> None:
    with socket.socket() as line, pytest.raises(PermissionError):
        Guard(allow_private=False)(event, (line, address))


def test_the_guard_lets_what_is_connected_and_what_is_public_pass() -> None:
    guard = Guard(allow_private=False)
    with socket.socket() as line:
        guard("socket.sendmsg", (line, None))
        guard("socket.connect", (line, ("93.184.215.14", 443)))
    guard("open", ("/etc/hosts", "r", 0))
    assert guard.blocked is None


@pytest.mark.parametrize("room", [0, 1, 20, 40, 60, 100, 200, 1000])
def test_what_a_service_has_no_room_for_is_counted(room: int) -> None:
    lines = [f"line {number}" for number in range(50)]
    text = "\n".join(lines)
    cut = shortened(text, room)
    assert len(cut) <= max(room, 1)
    if "more lines" in cut:
        *kept, rest = cut.split("\n")
        assert rest == f"… and {50 - len(kept)} more lines"
        assert kept == lines[: len(kept)]


def test_a_title_of_a_record_calls_nobody() -> None:
    assert "@everyone" not in harmless("A study @everyone of <!channel>")
    assert "<!channel>" not in harmless("A study @everyone of <!channel>")
