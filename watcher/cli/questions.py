"""Ask at a terminal for the first settings: one question at a time, each again until its answer is right.

Judges no answer: the settings that it would make are checked as a whole, and the answers before it were right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from watcher.cli.wiring import complain, say
from watcher.errors import SettingsError

if TYPE_CHECKING:
    from watcher.config.template import Wishes

_ADDRESS = "operator@example.org"  # stands for the operator's until that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    words: str
    default: Callable[[Wishes, Wishes], str]  # of the wishes that were given, and of those that are right so far
    put: Callable[[Wishes, str], Wishes]
    needed: str | None  # what to say to an empty answer; None = it is as good as others


def ask(given: Wishes, problems_with: Callable[[Wishes], list[str]]) -> Wishes:
    """Return wishes that were asked for, and with which nothing is wrong.

    Args:
        given: as options; what is asked for is the answer to confirm.
        problems_with: returns what is wrong with settings, one sentence each that begins with a key.

    Raises:
        SettingsError: something is wrong that is not asked for; or the answers ended too early.
    """
    with suppress(ImportError):
        import readline  # noqa: F401  lets answers be edited as they are typed, and recalled
    right = _without_answers(given)
    if problems := problems_with(right):
        raise SettingsError(problems)
    say("Some questions first. An empty answer takes what stands in brackets; nothing is written before the last one.")
    try:
        for question in _QUESTIONS:
            right = _answered(question, question.default(given, right), right, problems_with=problems_with)
    except typer.Abort:
        say()
        raise SettingsError(["the questions were not answered to the end; nothing was written"]) from None
    return right


def _answered(
    question: _Question, default: str, right: Wishes, *, problems_with: Callable[[Wishes], list[str]]
) -> Wishes:
    while True:
        answer = str(typer.prompt(question.words, default=default, show_default=bool(default))).strip()
        if question.needed and not answer:
            complain(question.needed)
            continue
        answered = question.put(right, answer)
        problems = problems_with(answered)
        if not problems:
            return answered
        for problem in problems:
            complain(problem.partition(": ")[2])  # the key says nothing to somebody who has seen no file yet


def _without_answers(given: Wishes) -> Wishes:
    """Return the wishes with right answers to all questions."""
    # A login is checked only beside a server.
    host = "mail.example.org" if given.smtp_username or given.smtp_password_file else None
    return replace(given, operator=_ADDRESS, recipients=(_ADDRESS,), trials=(), time_zone="UTC", smtp_host=host)


def _listed(answer: str) -> tuple[str, ...]:
    """Return what an answer lists, each once, however it is separated."""
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", answer) if word))


_QUESTIONS = (
    _Question(
        words="Your own address, which is told about trouble and named to the registry",
        default=lambda given, _: given.operator,
        put=lambda right, answer: replace(right, operator=answer, recipients=(answer,)),
        needed='an address is needed; write it as in "name@example.org"',
    ),
    _Question(
        words="NCT IDs to watch, separated by spaces",
        default=lambda given, _: " ".join(given.trials),
        put=lambda right, answer: replace(right, trials=_listed(answer)),
        needed="at least one ID is needed; write it as in NCT01234567",
    ),
    _Question(
        words="Addresses that hear of them, separated by spaces",
        default=lambda given, right: " ".join(given.recipients) or right.operator,
        put=lambda right, answer: replace(right, recipients=_listed(answer)),
        needed=None,  # there is always a default
    ),
    _Question(
        words="Their time zone",
        default=lambda given, _: given.time_zone,
        put=lambda right, answer: replace(right, time_zone=answer),
        needed=None,
    ),
    _Question(
        words="Mail server; without one, mails are written to files",
        default=lambda given, _: given.smtp_host or "",
        put=lambda right, answer: replace(right, smtp_host=answer or None),
        needed=None,
    ),
)
