"""The pages: which path does what, and how it is answered.

GET and HEAD look, POST acts; no other method is taken.  Links are built from the settings, never from the request.
Whatever is wrong with a token, the answer is the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from hashlib import sha256
from typing import Annotated
from urllib.parse import parse_qsl

import structlog
from anyio import to_thread
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from watcher.app import Application, links_of
from watcher.errors import StoreError
from watcher.render.feed import MEDIA_TYPE, atom_feed
from watcher.render.links import Links
from watcher.render.pages import Pages
from watcher.render.templates import Templates
from watcher.web.guard import Asgi, guarded
from watcher.web.links import (
    COMMENT_LENGTH,
    NoSuchLink,
    Standing,
    Subscription,
    acknowledge_story,
    look_at_story,
    look_at_subscription,
    read_feed,
    undo_unsubscribe,
    unsubscribe,
)

AtWork = Callable[[], AbstractContextManager[Application]]  # gives the application in force, open until the block ends

_LOOKS = ["GET", "HEAD"]
_BODY_SECONDS = 10.0  # for a body to arrive
_THREADS = 4
_MOST_FIELDS = 20  # of a form
_log = structlog.get_logger("web")
_WORDS = {
    404: ("This link does not work", "It may have been cut off in a mail, or it is not in force any more."),
    405: ("That is not how this page works", "Open the link from the mail again, and use the button on the page."),
    408: ("That took too long", "Please try again."),
    413: ("That is too long", "Please shorten it and try again."),
    503: (
        "Not now",
        "The service cannot do this at the moment. Nothing was changed; please try again in some minutes.",
    ),
}
_OTHERWISE = ("That did not work", "Something is wrong with the service. Nothing was changed.")


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.body()
    except TimeoutError as error:
        raise HTTPException(408) from error


Body = Annotated[bytes, Depends(_body)]


def make_pages(at_work: AtWork) -> Asgi:
    """Return the web application, which asks for the application in force at every request."""
    pages = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=_few_threads)
    with at_work() as app:
        answers = Answers(app)
    _add_unsubscribe(pages, at_work, answers)
    _add_acknowledge(pages, at_work, answers)
    _add_feeds(pages, at_work, answers)
    _add_failures(pages, answers)
    return guarded(pages)


@asynccontextmanager
async def _few_threads(_pages: FastAPI) -> AsyncIterator[None]:
    """Let few requests use the database at once: its connections are shared with the daemon's jobs."""
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


class Answers:
    """Writes pages with the administrator's templates, or the built-in ones."""

    def __init__(self, app: Application) -> None:
        self._pages = Pages(Templates(app.settings.templates.directory), Templates())
        self._base = _links(app).base_path

    def page(self, name: str, facts: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
        return HTMLResponse(self._pages.render(name, {"base": self._base, **facts}), status_code=status)

    def failure(self, status: int, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        heading, words = _WORDS.get(status, _OTHERWISE)
        answer = self.page("notice", {"heading": heading, "words": words}, status=status)
        answer.headers.update(headers or {})
        return answer

    def subscription(self, links: Links, token: str, found: Subscription, *, again: bool = False) -> HTMLResponse:
        subject = f'the watch list "{found.watchlist}"' if found.watchlist else "the trials that are watched for you"
        facts = {
            "heading": "You are unsubscribed" if found.opted_out else "Unsubscribe",
            "address": found.address,
            "subject": subject,
            "opted_out": found.opted_out,
            "again": again,
            "action": f"{links.base_path}/u/{token}",
        }
        return self.page("unsubscribe", facts)

    def standing(self, links: Links, token: str, found: Standing) -> HTMLResponse:
        change = found.story.change
        facts = {
            "heading": "Acknowledged" if found.acknowledged else "Acknowledge a change",
            "nct_id": found.story.nct_id,
            "day": found.story.data_timestamp[:10],
            "severity": change.severity.value,
            "sentence": change.sentence,
            "acts": [done.words for done in found.acts],
            "acknowledged": found.acknowledged,
            "just_now": found.just_now,
            "address": found.address,
            "comment_length": COMMENT_LENGTH,
            "action": f"{links.base_path}/a/{token}",
        }
        return self.page("acknowledge", facts)

    def style(self) -> Response:
        return Response(self._pages.style(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def _add_unsubscribe(pages: FastAPI, at_work: AtWork, answers: Answers) -> None:
    @pages.api_route("/u/{token}", methods=_LOOKS)
    def show(token: str) -> Response:
        with at_work() as app:
            return answers.subscription(_links(app), token, look_at_subscription(app, token))

    # Also what mail programs send by themselves (RFC 8058): no cookie, no redirect, and the body says nothing new.
    @pages.post("/u/{token}")
    def act(token: str, _body: Body) -> Response:
        with at_work() as app:
            return answers.subscription(_links(app), token, unsubscribe(app, token))

    @pages.post("/u/{token}/undo")
    def undo(token: str, _body: Body) -> Response:
        with at_work() as app:
            return answers.subscription(_links(app), token, undo_unsubscribe(app, token), again=True)


def _add_acknowledge(pages: FastAPI, at_work: AtWork, answers: Answers) -> None:
    @pages.api_route("/a/{token}", methods=_LOOKS)
    def show(token: str) -> Response:
        with at_work() as app:
            return answers.standing(_links(app), token, look_at_story(app, token))

    @pages.post("/a/{token}")
    def act(token: str, body: Body) -> Response:
        with at_work() as app:
            return answers.standing(_links(app), token, acknowledge_story(app, token, comment=_field(body, "comment")))


def _add_feeds(pages: FastAPI, at_work: AtWork, answers: Answers) -> None:
    @pages.api_route("/feeds/{token}.atom", methods=_LOOKS)
    def feed(token: str, request: Request) -> Response:
        with at_work() as app:
            found = read_feed(app, token)
            link = _links(app).feed(token)
            document = atom_feed(found.watchlist, found.entries, domain=app.settings.mail.domain, link=link)
        tag = f'"{sha256(document).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if _names(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return Response(document, media_type=MEDIA_TYPE, headers=headers)

    @pages.api_route("/style.css", methods=_LOOKS)
    def style() -> Response:
        return answers.style()


def _add_failures(pages: FastAPI, answers: Answers) -> None:
    @pages.exception_handler(NoSuchLink)
    def no_such_link(_request: Request, _error: Exception) -> Response:
        return answers.failure(404)

    @pages.exception_handler(HTTPException)
    def refused(_request: Request, error: Exception) -> Response:
        known = error if isinstance(error, HTTPException) else HTTPException(500)
        return answers.failure(known.status_code, known.headers)

    @pages.exception_handler(StoreError)
    def not_now(_request: Request, error: Exception) -> Response:
        _log.error("a page could not be answered", error=str(error))
        return answers.failure(503, {"Retry-After": "60"})

    @pages.exception_handler(Exception)
    def our_fault(_request: Request, error: Exception) -> Response:
        _log.error("a page could not be answered by a fault of ours", error=type(error).__name__)
        return answers.failure(500)


def _links(app: Application) -> Links:
    links = links_of(app.settings)
    if links is None:
        raise HTTPException(404)  # the settings were changed a moment ago, and the pages are about to end
    return links


def _field(body: bytes, name: str) -> str:
    """Return a field of a form; empty when there is none, or the body is not a form."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return ""
    return next((value for key, value in fields if key == name), "")


def _names(header: str, tag: str) -> bool:
    """Return whether If-None-Match names a tag (RFC 9110, 13.1.2)."""
    named = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tag in named or named == ["*"]
