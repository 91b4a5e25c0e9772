"""What the replay server does beyond answering: connections, faults of the line, closing, the clock, and commands."""

import http.client
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event, Thread, active_count
from time import monotonic
from urllib.parse import urlsplit

import pytest
import requests
import urllib3

from tests.factories import study
from watcher.replay.days import Dataset
from watcher.replay.server import RegistryServer

ONE = "NCT00000001"
MON, TUE, WED = "2026-03-02", "2026-03-03", "2026-03-04"
TIMEOUT = 10  # seconds; no test waits for it unless it fails


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset.of({MON: [study(ONE)], TUE: [], WED: []})


@pytest.fixture
def server(dataset: Dataset) -> Iterator[RegistryServer]:
    with RegistryServer(dataset) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as client:
        client.trust_env = False
        yield client


# --- connections ------------------------------------------------------------------------------------------------------


def test_a_slow_body_drips_and_arrives(server: RegistryServer, session: requests.Session) -> None:
    server.fault("slow", pause=timedelta(milliseconds=1), drop=20)

    assert session.get(f"{server.url}/version", timeout=TIMEOUT).json()["apiVersion"] == "2.0.5"


def test_a_hanging_request_is_let_go_without_an_answer(server: RegistryServer) -> None:
    server.fault("hang")
    address = urlsplit(server.url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=TIMEOUT) as client:
        client.sendall(b"GET /api/v2/version HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: len(server.requests) == 1)
        server.clear_faults()

        assert client.recv(1) == b""


def until(condition: Callable[[], bool]) -> None:
    """Wait, looking again at every turn of a clock that gives way to other threads, at most ``TIMEOUT`` seconds."""
    pause, end = Event(), monotonic() + TIMEOUT
    while not condition():
        assert monotonic() < end, "what was waited for did not come"
        pause.wait(0.005)


def test_a_connection_serves_many_requests(server: RegistryServer) -> None:
    address = urlsplit(server.url)
    client = http.client.HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT)
    client.connect()
    own_port = client.sock.getsockname()[1]
    bodies = []
    for target in ("/version", "/studies/NCT99999999", "/nowhere", "/version"):
        client.request("GET", f"/api/v2{target}")
        bodies.append(client.getresponse().read())

    assert client.sock.getsockname()[1] == own_port
    assert bodies[0] == bodies[-1] != b""
    client.close()


def test_closing_does_not_wait_for_clients_and_leaves_no_thread(dataset: Dataset) -> None:
    threads = active_count()
    server = RegistryServer(dataset)
    server.start()
    server.fault("hang")
    server.fault("slow", pause=timedelta(minutes=1))
    address = (str(urlsplit(server.url).hostname), urlsplit(server.url).port or 0)
    clients = [socket.create_connection(address, timeout=TIMEOUT) for _ in range(3)]
    for client in clients[:2]:  # one hangs, one drips, and the third has asked nothing
        client.sendall(b"GET /api/v2/version HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: len(server.requests) == 2)

    start = monotonic()
    server.close()

    assert monotonic() - start < 4  # less than closing waits for threads that do not end
    until(lambda: active_count() == threads)
    for client in clients:
        client.close()


def test_a_server_that_never_started_can_be_closed(dataset: Dataset) -> None:
    RegistryServer(dataset).close()


def test_the_day_moves_by_the_clock_when_told(dataset: Dataset) -> None:
    with RegistryServer(dataset, start_day=TUE, every=timedelta(milliseconds=10)) as server:
        until(lambda: server.day == WED)
        server.go_to(MON)

        until(lambda: server.day == WED)  # the clock goes on from wherever the registry stands


def test_many_clients_are_served_at_once(server: RegistryServer) -> None:
    pool = urllib3.PoolManager(maxsize=8)
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(pool.request("GET", f"{server.url}/studies").status for _ in range(20))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    pool.clear()

    assert statuses == [200] * 160
    assert len(server.requests) == 160


# --- commands from other processes ------------------------------------------------------------------------------------


def test_another_process_can_look_and_move(server: RegistryServer, session: requests.Session) -> None:
    control = f"{server.site}/control"
    session.get(f"{server.url}/version", timeout=TIMEOUT)
    session.post(f"{control}/advance", timeout=TIMEOUT)
    session.post(f"{control}/day", json={"day": WED}, timeout=TIMEOUT)
    session.post(f"{control}/faults", json={"kind": "rate_limited", "times": 3, "retry_after": 90}, timeout=TIMEOUT)
    standing = session.get(control, timeout=TIMEOUT).json()

    assert (standing["day"], standing["days"]) == (WED, [MON, TUE, WED])
    assert standing["requests"] == [{"method": "GET", "target": "/api/v2/version", "status": 200}]
    assert [(f["kind"], f["times"], f["retry_after"]) for f in standing["faults"]] == [("rate_limited", 3, 90.0)]
    assert session.get(f"{server.url}/version", timeout=TIMEOUT).headers["Retry-After"] == "90"
    assert session.delete(f"{control}/faults", timeout=TIMEOUT).json()["faults"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "complaint"),
    [
        pytest.param("POST", "/day", '{"day":"2026-03-09"}', 409, "no dataset of '2026-03-09'", id="unknown day"),
        pytest.param("POST", "/day", '{"date":"2026-03-03"}', 400, 'send {"day": "yyyy-MM-dd"}', id="no day"),
        pytest.param("POST", "/day", "tomorrow", 400, "not JSON", id="no JSON"),
        pytest.param(
            "POST", "/faults", '{"kind":"sulk"}', 400, "kind: Input should be 'forbidden'", id="no such fault"
        ),
        pytest.param("POST", "/faults", '{"kind":"cut","tmies":1}', 400, "tmies: ", id="a slip of the pen"),
        pytest.param("POST", "/faults", '{"kind":"missing"}', 400, "needs nct_id", id="half a fault"),
        pytest.param("GET", "/days", "", 404, "there are GET /control, POST /control/advance", id="no such command"),
        pytest.param("POST", "/faults", " " * 70_000, 413, "at most 65536 bytes", id="too much"),
    ],
)
def test_a_bad_command_is_refused_in_words(
    server: RegistryServer, session: requests.Session, method: str, path: str, body: str, status: int, complaint: str
) -> None:
    response = session.request(method, f"{server.site}/control{path}", data=body, timeout=TIMEOUT)

    assert response.status_code == status
    assert complaint in response.text
    assert server.day == MON


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "registry.example"}, id="another host"),
        pytest.param({"Host": "127.0.0.1.registry.example:80"}, id="a host that begins alike"),
        pytest.param({"Origin": "http://localhost"}, id="a web page"),
    ],
)
def test_commands_are_for_programs_on_this_machine(
    server: RegistryServer, session: requests.Session, headers: dict[str, str]
) -> None:
    response = session.post(f"{server.site}/control/advance", headers=headers, timeout=TIMEOUT)

    assert response.status_code == 403
    assert server.day == MON


@pytest.mark.parametrize("host", ["localhost:8080", "[::1]:8080", "127.0.0.1"])
def test_the_usual_names_of_this_machine_are_known(
    server: RegistryServer, session: requests.Session, host: str
) -> None:
    assert session.get(f"{server.site}/control", headers={"Host": host}, timeout=TIMEOUT).status_code == 200


def test_a_server_for_all_addresses_takes_no_commands(dataset: Dataset, session: requests.Session) -> None:
    with RegistryServer(dataset, host="0.0.0.0") as server:
        base = server.site.replace("0.0.0.0", "127.0.0.1")

        assert session.get(f"{base}/api/v2/version", timeout=TIMEOUT).status_code == 200
        assert session.get(f"{base}/control", timeout=TIMEOUT).status_code == 404
