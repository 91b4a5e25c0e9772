"""A registry in this process whose every answer is wrong in the way that it is told to; and what it said, to be judged.

What is packed, has a length of its own or another status than 200 passes through the program's own session, inflation
and limits: only the socket is missing.  What is a plain body goes straight to the client's reading, which is all that
would become of it, at a fifth of the cost.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import responses
from io import BytesIO
from random import Random
from typing import Any, TypeVar

import orjson
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse

from tests.reliability.questions import Json, Question, Sent, Way, id_of
from tests.reliability.strict_reader import release_in, studies_in
from watcher.registry.asking import Asker
from watcher.registry.connection import Answer

RELEASE = {"apiVersion": "2.0.5", "dataTimestamp": "2026-03-02T09:00:04"}
_RELEASE_LINE = orjson.dumps(RELEASE)
Read = TypeVar("Read")


class HostileAsker(Asker):
    """Asks the hostile registry; through the program's own asker where more than a plain body comes."""

    def __init__(self, transport: "HostileTransport", whole_way: Asker) -> None:
        self._transport = transport
        self._whole_way = whole_way

    def ask(self, path: str, params: Mapping[str, str], *, cap: int, read: Callable[[Answer], Read]) -> Read:
        sent = self._transport.prepare(path, params.get("filter.ids", ""))
        if sent.is_plain and len(sent.body) <= cap:
            return read(Answer(status=200, headers={}, pieces=iter([sent.body])))
        return self._whole_way.ask(path, params, cap=cap, read=read)


class HostileTransport(BaseAdapter):
    """A transport adapter for ``requests``."""

    def __init__(self, studies: Sequence[Json]) -> None:
        super().__init__()
        self._studies = {id_of(study): study for study in studies}
        self._lines = {nct_id: orjson.dumps(study) for nct_id, study in self._studies.items()}
        self._said: list[tuple[Question, Sent]] = []
        self._prepared = Sent(body=b"")

    def answer(self, way: Way, chance: Random, *, alone: bool) -> None:
        """Answer wrongly in one way from now on.

        Args:
            way: of being wrong.
            chance: decides the rest.
            alone: lists come empty, and only records that are then asked for alone come in that way.
        """
        self._way, self._chance, self._alone = way, chance, alone
        self._said.clear()

    @property
    def answered(self) -> int:
        """How many wrong answers were given since ``answer``."""
        return len(self._said)

    def said_of(self, nct_id: str) -> Iterator[Json]:
        """Yield what was said of a record beyond doubt."""
        for asked, sent in self._said:
            if nct_id in asked.ids and sent.status == 200:
                found = studies_in(sent.body, alone=asked.alone)
                if nct_id in found:
                    yield found[nct_id]

    def says_gone(self, nct_id: str) -> bool:
        """Whether an answer said that there is no such record, or that another one answers for it."""
        for asked, sent in self._said:
            if asked.alone and sent.status == 404 and sent.body == f"NCT number {nct_id} not found".encode():
                return True
            if sent.status == 200 and nct_id in asked.ids and nct_id.encode() in sent.body:
                found = studies_in(sent.body, alone=asked.alone).items()
                if any(nct_id in _aliases(study) for other, study in found if other != nct_id):
                    return True
        return False

    def release_told(self) -> tuple[str, str] | None:
        """What the last answer says of the release beyond doubt."""
        return release_in(self._said[-1][1].body)

    def send(self, request: PreparedRequest, *_network: Any, **_details: Any) -> Response:
        sent = self._prepared
        headers = HTTPHeaderDict({"Content-Type": "application/json", **sent.headers})
        if sent.length_told and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(sent.body))
        response = Response()
        response.status_code = sent.status
        response.headers = CaseInsensitiveDict(headers)
        response.raw = HTTPResponse(
            body=BytesIO(sent.body),
            headers=headers,
            status=sent.status,
            reason=responses.get(sent.status, ""),
            version=11,
            preload_content=False,
            decode_content=False,
            request_method="GET",
        )
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""

    def prepare(self, path: str, listed: str) -> Sent:
        """Return the answer to the request that comes next; it is noted as said."""
        if path == "/version":
            asked = Question(ids=("version",), alone=True, studies=(RELEASE,), lines=(_RELEASE_LINE,), others=())
        elif listed and self._alone:
            return self._prepared_as(Sent(body=b'{"studies":[\n\n]}'))
        else:
            asked = self._question(listed.split(",") if listed else [path.rpartition("/")[2]], alone=not listed)
        sent = self._way(self._chance, asked)
        self._said.append((asked, sent))
        return self._prepared_as(sent)

    def _prepared_as(self, sent: Sent) -> Sent:
        self._prepared = sent
        return sent

    def _question(self, ids: Sequence[str], *, alone: bool) -> Question:
        return Question(
            ids=tuple(ids),
            alone=alone,
            studies=tuple(self._studies[nct_id] for nct_id in ids),
            lines=tuple(self._lines[nct_id] for nct_id in ids),
            others=tuple(study for nct_id, study in self._studies.items() if nct_id not in ids),
        )


def _aliases(study: Json) -> Sequence[Json]:
    aliases = study["protocolSection"]["identificationModule"].get("nctIdAliases")
    return aliases if isinstance(aliases, list) else ()
