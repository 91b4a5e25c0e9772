"""How much of an answer is taken and how long it may last, and that nothing is left behind."""

import gzip
import os
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from tests.edges.raw_server import RawServer, drops, http_answer
from tests.edges.registry_clients import each_once, wired
from tests.edges.registry_connections import CHUNKED, MIB, SHORT, SOON, WHOLE, always, connection, get, refusal
from tests.factories import study
from watcher.errors import RegistryError
from watcher.model import Reason
from watcher.registry.client import Caps
from watcher.registry.connection import Connection
from watcher.replay.days import Dataset
from watcher.replay.server import RegistryServer

OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def client() -> Iterator[Connection]:
    opened = connection()
    yield opened
    opened.close()


# --- size -------------------------------------------------------------------------------------------------------------


def bomb(mebibytes: int, *, times: int = 1) -> bytes:
    packer = zlib.compressobj(level=9, wbits=31)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(mebibytes)) + packer.flush()
    for _ in range(times - 1):
        packed = gzip.compress(packed)
    return packed


def most_memory_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_body_may_be_as_large_as_the_cap_and_no_larger(client: Connection, *, packed: bool) -> None:
    def sent(size: int) -> bytes:
        body = os.urandom(size)
        return http_answer(gzip.compress(body), Content_Encoding="gzip") if packed else http_answer(body)

    with RawServer(lambda head: [sent(int(head.split("size=")[1].split()[0]))]) as server:
        assert len(get(client, server.url, cap=700_000, params={"size": "700000"}).body) == 700_000
        with pytest.raises(RegistryError, match="larger than 700,000 bytes") as caught:
            get(client, server.url, cap=700_000, params={"size": "700001"})

    assert (caught.value.reason, caught.value.retry) == (Reason.TOO_LARGE, False)


@pytest.mark.parametrize(
    ("times", "coding"),
    [pytest.param(1, "gzip", id="packed once"), pytest.param(2, "gzip, gzip", id="packed twice")],
)
def test_a_few_bytes_that_inflate_to_very_many_are_stopped_early(client: Connection, times: int, coding: str) -> None:
    with RawServer(always(http_answer(bomb(64, times=times), Content_Encoding=coding))) as server:
        errors: list[RegistryError] = []
        assert most_memory_of(lambda: errors.append(refusal(client, server.url))) < 8 * MIB

    assert errors[0].reason is Reason.TOO_LARGE


def test_the_body_of_a_redirect_has_a_limit_too(client: Connection) -> None:
    moved = http_answer(bomb(64), status=301, Location="/elsewhere", Content_Encoding="gzip")
    with RawServer(always(moved)) as server:
        assert most_memory_of(lambda: refusal(client, server.url)) < 8 * MIB


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([WHOLE[:-5_000], *drops(WHOLE[-5_000:])], id="in the body"),
        pytest.param([http_answer(told=-1), *drops(b"x" * 5_000)], id="in a body without a length"),
        pytest.param([b"HTTP/1.0 200 OK\r\n\r\n", *drops(b"x" * 5_000)], id="in a body of HTTP 1.0"),
        pytest.param(drops(CHUNKED), id="in a body in chunks"),
        pytest.param(drops(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5_000), id="in the headers"),
        pytest.param(drops(b"HTTP/1.1 200 " + b"x" * 5_000), id="in the first line"),
        pytest.param([http_answer(status=301, told=5_000, Location="/x"), *drops(b"x" * 5_000)], id="in a redirect"),
        pytest.param(drops(b"HTTP/1.1 100 Continue\r\n\r\n" * 300), id="in answers before the answer"),
    ],
)
def test_a_server_that_drips_is_cut_off_at_the_deadline(answer: list[bytes]) -> None:
    begun = monotonic()
    with RawServer(lambda _head: answer, pause=timedelta(milliseconds=5)) as server:
        error = refusal(connection(deadline=SHORT), server.url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)
    assert "longer than 0.06 s" in error.detail
    assert monotonic() - begun < SOON


def test_a_server_that_drips_while_it_greets_is_cut_off_at_the_deadline() -> None:
    begun = monotonic()
    greeting = drops(b"\x16\x03\x03\x40\x00" + b"\x02" * 5_000)  # the beginning of a TLS record of 16 KiB
    with RawServer(lambda _head: greeting, pause=timedelta(milliseconds=5), greets=True) as server:
        error = refusal(connection(deadline=SHORT), f"https://{server.address}")

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)
    assert monotonic() - begun < SOON


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"], ids=["nothing", "a beginning"]
)
def test_a_server_that_hangs_is_left_after_the_read_timeout(sent: bytes) -> None:
    with RawServer(always(sent), hangs=True) as server:
        error = refusal(connection(read=SHORT), server.url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)


def test_a_server_that_drips_on_a_connection_kept_open_is_cut_off_at_the_deadline() -> None:
    begun = monotonic()
    client = connection(deadline=timedelta(milliseconds=300))
    with RegistryServer(Dataset.of({"2026-03-02": [study("NCT00000001")]})) as server:
        get(client, f"{server.url}/version")
        server.fault("slow", pause=timedelta(milliseconds=20))
        error = refusal(client, f"{server.url}/studies")

    assert "longer than 0.3 s" in error.detail
    assert monotonic() - begun < SOON


def test_a_deadline_that_passes_before_there_is_a_connection_counts() -> None:
    begun = monotonic()
    client = connection(deadline=timedelta(0))
    with RawServer(always(b""), hangs=True) as server:
        for _ in range(10):
            assert "longer than 0 s" in refusal(client, server.url).detail

    assert monotonic() - begun < SOON


def test_a_transfer_that_is_cut_does_not_spoil_the_next_one() -> None:
    client = connection(deadline=SHORT)
    with RawServer(always(b""), hangs=True) as server:
        refusal(client, server.url)
    with RawServer(always(http_answer(b"{}"))) as server:
        assert get(client, server.url).body == b"{}"


@pytest.mark.parametrize("sent", [b"", http_answer(b"x", told=9), http_answer(b"x", told=-1)])
def test_abort_ends_a_transfer_that_hangs(client: Connection, sent: bytes) -> None:
    with RawServer(always(sent), hangs=True) as server, ThreadPoolExecutor(1) as executor:
        transfer = executor.submit(refusal, client, server.url)
        server.wait_for_requests(1)
        begun = monotonic()
        client.abort()
        error = transfer.result(timeout=SOON)

    assert monotonic() - begun < SOON
    assert (error.reason, error.detail) == (Reason.UNREACHABLE, "the transfer was cut off: this program is ending")


def test_abort_with_nothing_under_way_does_nothing(client: Connection) -> None:
    client.abort()
    with RawServer(always(http_answer(b"{}"))) as server:
        assert get(client, server.url).body == b"{}"


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are counted in /proc")
def test_nothing_is_left_open_or_running(client: Connection) -> None:
    with RawServer(always(http_answer(b"{}"))) as server:
        get(client, server.url)
        client.close()
        before = len(list(OPEN_FILES.iterdir()))
        for _ in range(20):
            get(client, server.url)
        with pytest.raises(RegistryError):
            get(client, server.url, cap=1)
        client.close()
        timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]

    assert all(timer.finished.is_set() for timer in timers)
    assert len(list(OPEN_FILES.iterdir())) <= before


def test_answers_that_are_too_large_are_forgotten_before_the_halves_are_asked_for() -> None:
    cap = 2 * 1024 * 1024
    too_large = http_answer(b'{"studies":[\n' + b" " * (cap + 1))
    ids = [f"NCT{number:08}" for number in range(1, 65)]  # halved six times
    with RawServer(lambda head: [too_large if "filter.ids" in head else http_answer(b"", status=500)]) as server:
        asker = wired(url=server.url, attempts=1, caps=Caps(batch=cap))
        tracemalloc.start()
        try:
            fetched = asker.fetch(ids)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert each_once(fetched) == ids
    assert len(server.heads) > 6
    assert peak < 4 * cap
