"""Commands to a running replay server from other processes, below ``/control``.

``GET /control`` tells where it stands; ``POST /control/advance``, ``POST /control/day`` with ``{"day": …}``,
``POST /control/faults`` with the fields of ``Fault`` (durations in seconds) and ``DELETE /control/faults`` move it.

Only for processes on the same machine: a request that names another host, or comes from a web page, is refused.  Does
not read the request: see ``server``.
"""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from watcher.replay.answers import Answer, text_answer
from watcher.replay.days import DatasetError
from watcher.replay.faults import Fault
from watcher.replay.playback import Playback

PATH = "/control"
LARGEST_COMMAND = 65_536  # bytes

_FAULT = TypeAdapter(Fault)
_ROUTES = ", ".join(
    ("GET /control", "POST /control/advance", "POST /control/day", "POST /control/faults", "DELETE /control/faults")
)


def obey(playback: Playback, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
    """Carry out one command and return what to answer: the new standing, or a text that says what was wrong.

    Args:
        playback: what is being served.
        method: of the request.
        path: of the request, without a query.
        headers: of the request, with names in lower case.
        body: of the request.
    """
    if not is_loopback(_host_name(headers.get("host", ""))) or "origin" in headers:
        return text_answer(403, "control is for programs on this machine: ask 127.0.0.1, and not from a web page")
    try:
        match method, path:
            case "GET", "/control":
                pass
            case "POST", "/control/advance":
                playback.advance()
            case "POST", "/control/day":
                playback.go_to(_read_day(body))
            case "POST", "/control/faults":
                playback.add_fault(_FAULT.validate_json(body))
            case "DELETE", "/control/faults":
                playback.clear_faults()
            case _:
                return text_answer(404, f"no such command: {method} {path}; there are {_ROUTES}")
    except DatasetError as error:
        return text_answer(409, str(error))
    except ValidationError as error:
        return text_answer(400, "; ".join(_problem(found) for found in error.errors(include_url=False)))
    except ValueError as error:
        return text_answer(400, str(error))
    return _standing(playback)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine, without asking a name server."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    """Return the name in a Host header: without the port, and without the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _read_day(body: bytes) -> str:
    try:
        command = json.loads(body)
    except ValueError as error:
        raise ValueError(f'not JSON ({error}); send {{"day": "yyyy-MM-dd"}}') from error
    day = command.get("day") if isinstance(command, dict) else None
    if not isinstance(day, str):
        raise ValueError(f'no day in {command!r}; send {{"day": "yyyy-MM-dd"}}')  # noqa: TRY004 (of the world, no bug)
    return day


def _problem(found: Any) -> str:  # pydantic's ErrorDetails
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}" if where else str(found["msg"])


def _standing(playback: Playback) -> Answer:
    standing = {
        "day": playback.day,
        "days": playback.days,
        "requests": [asked._asdict() for asked in playback.requests],
        "faults": [_FAULT.dump_python(fault, mode="json") for fault in playback.faults],
    }
    return Answer(status=200, headers={"Content-Type": "application/json"}, body=orjson.dumps(standing))
