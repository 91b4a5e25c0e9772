"""A dataset that answers ``requests`` in the same process: the registry's client runs on it without a network.

``session.mount("https://", DatasetAdapter(dataset))``.  Answers as the HTTP server does, byte for byte, and plays its
faults as far as they can be played without a connection: one that hangs is a time-out at once, and none drips.
"""

from dataclasses import replace
from http.client import responses
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, ReadTimeout, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse

from watcher.replay.answers import Answer
from watcher.replay.days import Dataset
from watcher.replay.faults import Fault, FaultKind
from watcher.replay.playback import Asked, Playback


class DatasetAdapter(BaseAdapter):
    """A transport adapter for ``requests`` that answers from a dataset, for any host."""

    def __init__(self, dataset: Dataset, *, start_day: str | None = None) -> None:
        """Stand on ``start_day``, or on the first day."""
        super().__init__()
        self._playback = Playback(dataset, start_day=start_day)

    @property
    def day(self) -> str:
        """The day that the registry stands on; set it to one of the dataset's days to move."""
        return self._playback.day

    @day.setter
    def day(self, day: str) -> None:
        self._playback.go_to(day)

    def advance(self) -> str:
        """Go to the next day and return it; raises DatasetError on the last."""
        return self._playback.advance()

    @property
    def requests(self) -> tuple[Asked, ...]:
        """The last requests, oldest first: (method, target, status)."""
        return self._playback.requests

    def fault(self, kind: FaultKind | str, **details: Any) -> None:
        """Misbehave: ``fault("forbidden", times=2)``; the details are the fields of ``Fault``.

        Raises:
            ValueError: "slow", which needs a real connection: use ``RegistryServer``.
        """
        if kind == FaultKind.SLOW:
            raise ValueError("the fault 'slow' needs a real connection; serve the dataset with RegistryServer")
        self._playback.add_fault(Fault(kind=FaultKind(kind), **details))

    def clear_faults(self) -> None:
        """Behave from now on."""
        self._playback.clear_faults()

    def send(self, request: PreparedRequest, *_network: Any, **_details: Any) -> Response:
        """Answer a request; all else that ``requests`` passes on concerns a network that is not there."""
        url = urlsplit(str(request.url))
        target = f"{url.path}?{url.query}" if url.query else url.path
        reply = self._playback.ask(str(request.method), target, request.headers)
        answer = reply.answer if reply.fault is None else _broken(reply.answer, reply.fault, request)
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is open."""


def _broken(answer: Answer, fault: Fault, request: PreparedRequest) -> Answer:
    """Return what a client would make of a connection that breaks so."""
    match fault.kind:
        case FaultKind.HANG:
            raise ReadTimeout("no answer: the replay was told to hang", request=request)
        case FaultKind.CUT_HEADERS:  # http.client takes the end of the connection for the end of the headers
            return Answer(status=answer.status, headers={"Content-Type": answer.headers.get("Content-Type", "")})
        case _:
            end = len(answer.body) // 2 if fault.after is None else fault.after
            headers = {
                name: value for name, value in answer.headers.items() if fault.length_told or name != "Content-Length"
            }
            return replace(answer, headers=headers, body=answer.body[:end])


def _response(request: PreparedRequest, answer: Answer) -> Response:
    headers = HTTPHeaderDict(answer.headers)
    raw = HTTPResponse(
        body=BytesIO(b"" if request.method == "HEAD" else answer.body),
        headers=headers,
        status=answer.status,
        reason=responses.get(answer.status, ""),
        version=11,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    response = Response()
    response.status_code = answer.status
    response.reason = raw.reason or ""
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = raw
    response.request = request
    response.url = str(request.url)
    return response
