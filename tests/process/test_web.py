"""The pages beside the daemon's jobs: served by the real process, through a socket, as the settings in force say."""

import http.client
import re
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.process.office import FIRST, READER, Office
from tests.process.processes import until

ONE_CLICK = ("List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})


@pytest.fixture
def port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@pytest.fixture
def other_port(port: int) -> Iterator[int]:
    """Give a port that somebody listens on."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen()
        yield int(place.getsockname()[1])


def open_pages(office: Office, port: int | None, public_url: str = "https://trials.example.org") -> None:
    """Settle an office with pages, or without; its mails go to the server."""
    office.by_smtp = True
    office.settle()
    if port is not None:
        web = f'[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "{public_url}"\n'
        text = office.settings.read_text(encoding="utf-8")
        office.settings.write_text(text.replace("[[watchlist]]", web + "[[watchlist]]"), encoding="utf-8")


def asked(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def answers(port: int) -> bool:
    try:
        return asked(port, "GET", "/u/nothing")[0] == 404
    except OSError:
        return False


def test_one_click_at_the_daemon_ends_the_mails_and_the_daemon_ends_in_time(office: Office, port: int) -> None:
    open_pages(office, port)
    daemon = office.started()
    daemon.logged('"serving pages"')
    office.mail.wait_for(1)
    office.registry.advance()
    told = office.mail.wait_for(2)[1]
    link = re.search(r"https://trials\.example\.org(/u/[\w-]{22})", told.text)
    assert link is not None
    assert asked(port, "GET", link[1])[0] == 200
    with office.store() as store:
        assert store.execute("SELECT count(*) FROM opt_out").fetchone() == (0,)

    body, headers = ONE_CLICK
    assert [asked(port, "POST", link[1], body, **headers)[0] for _ in range(2)] == [200, 200]

    farewell = (READER, f"No longer watching {FIRST}")  # beside it the operator hears of it, sooner or later
    office.mail.wait_until(
        lambda: farewell in [(one.recipient, one.subject) for one in office.mail.accepted], "the reader's farewell"
    )
    assert link[1].rpartition("/")[2] not in daemon.log
    assert daemon.end(signal.SIGTERM) == 0
    assert not answers(port)


def test_the_daemon_ends_in_time_while_somebody_keeps_a_connection_open(office: Office, port: int) -> None:
    open_pages(office, port)
    daemon = office.started()
    daemon.logged('"serving pages"')
    with (
        socket.create_connection(("127.0.0.1", port), 10) as idle,
        socket.create_connection(("127.0.0.1", port)) as slow,
    ):
        idle.sendall(b"")
        slow.sendall(b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nList")
        assert daemon.end(signal.SIGTERM) == 0


def test_without_a_public_address_nothing_listens(office: Office) -> None:
    open_pages(office, None)
    daemon = office.started()
    daemon.logged('"checked"')
    assert "serving pages" not in daemon.log
    with open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8") as mapped:  # noqa: PTH123
        assert "pydantic_core" in mapped.read()


def test_at_a_hangup_the_pages_follow_the_settings(office: Office, port: int) -> None:
    open_pages(office, None)
    daemon = office.started()
    for times in (1, 2):
        open_pages(office, port)
        daemon.tell(signal.SIGHUP)
        daemon.logged('"serving pages"', times=times)
        assert answers(port)
        open_pages(office, None)
        daemon.tell(signal.SIGHUP)
        until(lambda: not answers(port), "pages that end")

    open_pages(office, port, "https://trials.example.org/watch")
    daemon.tell(signal.SIGHUP)
    daemon.logged('"serving pages"', times=3)
    assert 'href="/watch/style.css"' in asked(port, "GET", "/u/nothing")[1]
    assert daemon.end() == 0


def test_a_port_in_use_is_told_to_the_operator_and_the_daemon_goes_on(
    office: Office, port: int, other_port: int
) -> None:
    open_pages(office, other_port)
    daemon = office.started()
    daemon.logged("the pages cannot be served")
    mails = office.mail.wait_for(2)
    (told,) = [mail for mail in mails if mail.recipient == "operations@example.org"]
    assert f"cannot be served on 127.0.0.1:{other_port}: address already in use" in told.words
    office.registry.advance()
    office.mail.wait_for(3)

    open_pages(office, port)
    daemon.tell(signal.SIGHUP)
    daemon.logged('"serving pages"')
    with office.store() as store:
        assert store.execute("SELECT count(*) FROM incident WHERE closed_at IS NULL").fetchone() == (0,)
    assert daemon.end() == 0
