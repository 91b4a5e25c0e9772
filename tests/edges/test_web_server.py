"""The server of the pages: it listens where the settings say, and where it cannot, it says so and goes on."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watcher.app import Application, open_application
from watcher.config.settings import Settings
from watcher.store.incidents import open_incidents
from watcher.web.server import WebServer

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Desk:
    """An application whose settings are changed as a reload does."""

    folder: Path
    url: str
    app: Application = field(init=False)

    def settle(self, listen: str | None) -> None:
        web = {"listen": listen, "public_url": "https://trials.example.org"} if listen else {}
        settings = {"operator": "operations@example.org", "database": {"url": self.url}, "web": web}
        self.app = open_application(Settings.model_validate(settings, context={"folder": self.folder}), now=lambda: NOW)

    @contextmanager
    def at_work(self) -> Iterator[Application]:
        yield self.app

    def troubles(self) -> list[str]:
        with self.app.database.reading() as db:
            return [incident.summary for incident in open_incidents(db)]


@pytest.fixture
def desk(tmp_path: Path, sqlite_url: str) -> Desk:
    return Desk(tmp_path, sqlite_url)


@pytest.fixture
def server(desk: Desk) -> Iterator[WebServer]:
    server = WebServer(desk.at_work)
    yield server
    server.stop()


def free_place() -> str:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{place.getsockname()[1]}"


def status_of(listen: str, method: str = "GET", path: str = "/u/x", head: bytes = b"") -> int | None:
    """Return the status of an answer; None when nobody listens."""
    host, _, port = listen.rpartition(":")
    if head:
        with socket.create_connection((host, int(port)), 10) as line:
            line.sendall(head)
            return int(line.makefile("rb").readline().split()[1])
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


def test_it_listens_from_the_first_look_at_the_settings_until_it_is_stopped(desk: Desk, server: WebServer) -> None:
    place = free_place()
    desk.settle(place)
    server.follow()
    server.follow()
    assert server.listens_on == place
    assert status_of(place) == 404
    server.stop()
    assert status_of(place) is None
    server.follow()  # a job that was still waiting
    assert server.listens_on is None


def test_it_follows_to_another_place_and_to_none(desk: Desk, server: WebServer) -> None:
    first, second = free_place(), free_place()
    for listen in (first, second, None, first):
        desk.settle(listen)
        server.follow()
        assert server.listens_on == listen
        assert [status_of(place) for place in (first, second)] == [
            404 if place == listen else None for place in (first, second)
        ]


def test_a_place_that_is_taken_is_told_once_and_tried_again(desk: Desk, server: WebServer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        place = f"127.0.0.1:{other.getsockname()[1]}"
        desk.settle(place)
        for _ in range(3):
            server.follow()
        assert desk.troubles() == [f"The pages that mails link to cannot be served on {place}: address already in use."]
    server.follow()
    assert server.listens_on == place
    assert desk.troubles() == []


def test_the_old_place_is_kept_while_the_new_one_is_taken(desk: Desk, server: WebServer) -> None:
    first = free_place()
    desk.settle(first)
    server.follow()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        desk.settle(f"127.0.0.1:{other.getsockname()[1]}")
        server.follow()
        assert server.listens_on == first
        assert status_of(first) == 404
        assert len(desk.troubles()) == 1


def test_an_incident_of_an_earlier_process_is_closed(desk: Desk, server: WebServer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        desk.settle(f"127.0.0.1:{other.getsockname()[1]}")
        server.follow()
    assert len(desk.troubles()) == 1
    another = WebServer(desk.at_work)
    another.follow()
    try:
        assert desk.troubles() == []
    finally:
        another.stop()


def test_a_thread_that_ended_is_replaced(desk: Desk, server: WebServer) -> None:
    place = free_place()
    desk.settle(place)
    server.follow()
    serving = server._serving
    assert serving is not None
    serving.server.should_exit = True
    serving.thread.join(10)
    assert status_of(place) is None
    server.follow()
    assert status_of(place) == 404


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /u/" + b"x" * 40_000, id="a line without end"),
        pytest.param(b"GET /u/x HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n", id="headers without end"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", id="TLS"),
        pytest.param(b"GET /u/x HTTP/1.1\r\n\r\n", id="no host"),
    ],
)
def test_what_is_not_a_request_is_refused_and_the_next_one_answered(desk: Desk, server: WebServer, head: bytes) -> None:
    place = free_place()
    desk.settle(place)
    server.follow()
    assert status_of(place, head=head) == 400
    assert status_of(place) == 404
