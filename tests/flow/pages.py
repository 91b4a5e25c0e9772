"""The pages of a world, as the readers of its mails open them.

The real application answers; only the socket is left out: see ``tests/process/test_web.py`` for that.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import select

from tests.flow.world import World
from tests.smtp_conversation import Accepted
from watcher.app import Application
from watcher.store.tables import metadata
from watcher.web.guard import Asgi
from watcher.web.pages import make_pages

PUBLIC_URL = "https://trials.example.org/watch"
PREFIX = "/watch"  # which the proxy in front takes off
LINKED = {"web": {"public_url": PUBLIC_URL}}


class _InProcess(httpx.BaseTransport):
    """Hands requests to an application, each in an event loop of its own, so that threads may share it."""

    def __init__(self, pages: Asgi) -> None:
        self._transport = httpx.ASGITransport(pages)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answered(request))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        # The application reads asynchronously what the client gives piece by piece.
        pieces = list(request.stream) if isinstance(request.stream, httpx.SyncByteStream) else []
        whole = httpx.Request(request.method, request.url, headers=request.headers, stream=_Pieces(pieces))
        answer = await self._transport.handle_async_request(whole)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def pages_of(world: World) -> httpx.Client:
    """Return a client of the pages on the world's application, as it is at each request."""

    @contextmanager
    def at_work() -> Iterator[Application]:
        yield world.app

    return httpx.Client(transport=_InProcess(make_pages(at_work)), base_url="http://127.0.0.1:8710")


def paths(mail: Accepted, kind: str) -> list[str]:
    """Return the paths of a mail's links of one kind, "u" or "a", as the service sees them; each once, in order."""
    found = re.findall(rf"{re.escape(PUBLIC_URL)}(/{kind}/[\w-]+)", mail.text)
    assert sorted(set(found)) == sorted(set(re.findall(rf"{re.escape(PUBLIC_URL)}(/{kind}/[\w-]+)", mail.html)))
    return list(dict.fromkeys(found))


def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables, to see that nothing was changed."""
    with world.app.database.reading() as db:
        return {
            table.name: [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
        }
