"""The process that Apprise runs in: orders on standard input, answers on standard output, one JSON object a line.

    {"url": …, "allow_private": …, "seconds": …}   →  {"problem": null}
    {"title": …, "body": …}                        →  {"sent": true, "blocked": null}

Apprise and its two hundred services are other people's code, which may hang, log URLs with their tokens, follow names
to machines that it should not reach, or start programs.  In a process of its own it can be ended, has nowhere to write
but the line above, and a hook of the interpreter judges each connection by its address, whatever asks for it.  The hook
stops mistakes and planted addresses; it is no cage for hostile code, which is why the URL is the operator's.

Not for anybody but ``apprise_target.py`` to start.  Ends when its input does.
"""

import json
import logging
import os
import sys
from typing import TextIO

from watcher.notify.apprise_schemas import why_not_offered
from watcher.notify.peers import why_refused

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTS = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "pty.")
_UNSEEN_JOINER = "\u2060"  # between "@" and a word: the service then calls nobody


class Guard:
    """The hook: what Apprise's services may not do."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.blocked: str | None = None  # why something was not done, since this was last set to None

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _CONNECTS:
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else None
            # Not a number: a name that the socket itself would look up, or a socket in the file system.
            why = why_refused(str(host), allow_private=self._allow_private)
            if why is not None and not (event != "socket.connect" and address is None):
                self._block(f"the address that it leads to {why}; see allow_private")
        elif event.startswith(_STARTS):
            self._block("it would start a program")

    def _block(self, why: str) -> None:
        self.blocked = why
        raise PermissionError(why)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    logging.disable(logging.CRITICAL)
    order = json.loads(sys.stdin.readline())
    try:
        import apprise
    except ImportError:
        _answer(answers, {"problem": "Apprise is not installed"})
        return
    guard = Guard(allow_private=order["allow_private"])
    sys.addaudithook(guard)
    asset = apprise.AppriseAsset(
        app_id="trialwatch",
        app_desc="trialwatch",
        app_url="",
        async_mode=False,
        http_redirects=False,
        interpret_escapes=False,
        pem_autogen=False,
        pgp_autogen=False,
        service_timeout=order["seconds"],
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        theme="",
    )
    service = apprise.Apprise.instantiate(order["url"], asset=asset)
    problem = _problem(service)
    _answer(answers, {"problem": problem})
    if problem is None and service is not None:
        _serve(service, apprise.Apprise(asset=asset), guard, answers)


def _problem(service: object) -> str | None:
    if service is None:
        return "Apprise cannot make a message out of the URL: the service is unknown, lacks a library, or lacks a part"
    module = type(service).__module__.rpartition(".")[2]
    return why_not_offered(module)


def _serve(service: object, sender: object, guard: Guard, answers: TextIO) -> None:
    from apprise import NotifyFormat, NotifyType, OverflowMode

    service.overflow_mode = OverflowMode.TRUNCATE  # type: ignore[attr-defined]  # what we cut says so
    sender.add(service)  # type: ignore[attr-defined]
    for line in sys.stdin:
        order = json.loads(line)
        guard.blocked = None
        room = service.body_maxlen - (0 if service.title_maxlen else len(order["title"]) + 2)  # type: ignore[attr-defined]
        sent = sender.notify(  # type: ignore[attr-defined]
            title=harmless(order["title"]),
            body=shortened(harmless(order["body"]), room),
            notify_type=NotifyType.INFO,
            body_format=NotifyFormat.TEXT,
        )
        _answer(answers, {"sent": bool(sent), "blocked": guard.blocked})


def harmless(text: str) -> str:
    """Return text from a record that calls nobody in a chat ("@everyone", "<!channel>")."""
    return text.replace("@", "@" + _UNSEEN_JOINER).replace("<!", "<" + _UNSEEN_JOINER + "!")


def shortened(text: str, room: int) -> str:
    """Return as many whole lines as a service takes, and how many are left out; part of a line where none fits.

    Args:
        text: of any length.
        room: characters.
    """
    if len(text) <= room:
        return text
    lines = text.split("\n")
    kept = len(lines)
    while kept > 1:
        kept -= 1
        end = f"\n… and {len(lines) - kept} more lines"
        if len("\n".join(lines[:kept])) + len(end) <= room:
            return "\n".join(lines[:kept]).rstrip() + end
    return lines[0][: max(room - 1, 0)] + "…"


def _answer(answers: TextIO, answer: dict[str, object]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
