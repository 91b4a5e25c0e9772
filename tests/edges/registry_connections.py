"""Connections to the registry wired for tests, and the two ways to use one: an answer, or a refusal."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from tests.edges.raw_server import http_answer
from watcher.errors import RegistryError
from watcher.registry.connection import Answer, Connection, Limits

AMPLE = timedelta(seconds=20)  # no test waits for it unless it fails
SOON = 5  # seconds: far less than AMPLE, far more than any deadline here
SHORT = timedelta(milliseconds=60)
MIB = 2**20
WHOLE = http_answer(b"x" * 5_000)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1_000


def connection(
    *, proxy: str | None = None, ca_bundle: str | None = None, deadline: timedelta = AMPLE, read: timedelta = AMPLE
) -> Connection:
    limits = Limits(connect_timeout=AMPLE, read_timeout=read, deadline=deadline)
    return Connection(
        user_agent="trialwatch/0 (+mailto:operator@example.org)", proxy=proxy, ca_bundle=ca_bundle, limits=limits
    )


def get(client: Connection, url: str, *, cap: int = MIB, params: Mapping[str, str] | None = None) -> Answer:
    with client.get(url, params=params or {}, cap=cap) as answer:
        assert answer.body is not None  # taken while the request is open; it stays
        return answer


def refusal(client: Connection, url: str, *, cap: int = MIB) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        get(client, url, cap=cap)
    return caught.value


def always(*pieces: bytes) -> Callable[[str], list[bytes]]:
    return lambda _head: list(pieces)
