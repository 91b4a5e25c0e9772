"""What a mail server's answer means for the message, the channel and a retry.

Pure: codes and words in, an error out.  Does not talk to a server, and does not know what a lost connection means:
only the caller knows what had been sent by then.

The decisions, with RFC 5321 sections 4.2 and 4.5.4 and RFC 3463 as sources:

- 421 says that the server is closing, in the middle of a message too: nothing was taken, and no message is to blame.
- 4yz defers, and 5yz refuses, the message at hand.  That it is too large is said in our words, with its size: it is
  neither the reader's fault nor the server's.
- Exception: an enhanced code 5.7.z ("security or policy": 5.7.1, 5.7.26, 5.7.515 …), and the codes that ask for a
  login (530, 534, 535, 538), are the operator's to put right (relaying, SPF, DKIM, password) and stop the channel, at
  whatever step.  Taking them as a verdict on the message would give up one alert after the other for a cause that lies
  outside of all of them.  The price: one reader's own server that answers so stops the others until somebody looks.
  The error's ``phase`` (RCPT or later) lets the caller set that one message aside and try the next.
- An answer that fits no step proves nothing.  Before the final dot the message cannot have been taken: deferred.
  After it: uncertain.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from watcher.errors import ChannelDown, ChannelRefused, MailError, MessageDeferred, MessageRefused, MessageUncertain
from watcher.model import Phase

WORDS_LIMIT = 500  # characters of a server's words that are kept
CLOSING = 421
LOGIN_CODES = frozenset({530, 534, 535, 538})
_EXCEEDED = 552  # RFC 1870: the message's size; RFC 5321: the mailbox's storage
_SIZE = re.compile(r"5\.(3\.4|2\.3)\b")  # too big for the system; longer than its administrator allows
_ENHANCED = re.compile(r"5\.\d{1,3}\.\d{1,3}\b")
_POLICY = re.compile(r"5\.7\.\d{1,3}\b")
# "try again in 299 seconds", "greylisted for 5 minutes", "retry after 300s"
_COME_BACK = re.compile(
    r"\b(?:in|for|after|wait)\s+(\d{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b", re.IGNORECASE
)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of the server."""

    code: int  # three digits; -1 = it was no SMTP answer
    words: str  # one printable line

    def __str__(self) -> str:
        return f"{self.code} {self.words}".rstrip() if self.code > 0 else f"not an SMTP answer: {self.words}"

    @property
    def positive(self) -> bool:
        return 200 <= self.code <= 299

    @property
    def transient(self) -> bool:
        return 400 <= self.code <= 499

    @property
    def permanent(self) -> bool:
        return 500 <= self.code <= 599


def reply_of(answer: tuple[int, bytes]) -> Reply:
    """Return an answer in a form that is safe to store, log and show."""
    code, octets = answer
    words = octets.decode("utf-8", "replace")
    visible = words if words.isprintable() else "".join(char if char.isprintable() else " " for char in words)
    line = " ".join(visible.split())
    return Reply(code=code, words=line[:WORDS_LIMIT])


def message_error(phase: Phase, reply: Reply, *, size: int) -> MailError:
    """Return the error for an answer other than the hoped-for one, while a message is being handed over.

    Args:
        phase: the step that was answered.
        reply: the answer.
        size: bytes of the message.
    """
    if reply.code == CLOSING:
        return ChannelDown(phase, str(reply))
    if reply.permanent and (reply.code in LOGIN_CODES or _POLICY.match(reply.words)):
        return ChannelRefused(phase, str(reply))
    if reply.permanent and _is_about_size(phase, reply):
        kilobytes = max(1, round(size / 1000))
        return MessageRefused(phase, f"the mail server refuses mails of this size ({kilobytes:,} KB): {reply}")
    if reply.permanent:
        return MessageRefused(phase, str(reply))
    if reply.transient or phase is not Phase.DOT:
        return MessageDeferred(phase, str(reply), retry_after=_wait_asked_for(reply))
    return MessageUncertain(phase, str(reply))


def _wait_asked_for(reply: Reply) -> timedelta | None:
    """Return how long the server's words ask us to wait; a hint, for no standard says how to write it."""
    found = _COME_BACK.search(reply.words) if reply.transient else None
    return int(found[1]) * _UNITS[found[2][0].lower()] if found else None


def _is_about_size(phase: Phase, reply: Reply) -> bool:
    """Whether the message was too large.  552 alone also says "mailbox full", but then when the reader is named."""
    if _ENHANCED.match(reply.words):
        return bool(_SIZE.match(reply.words))
    return reply.code == _EXCEEDED and phase is not Phase.RCPT


def channel_error(where: str, reply: Reply) -> ChannelDown | ChannelRefused:
    """Return the error for an answer other than the hoped-for one, before any message was begun.

    Args:
        where: "mail.example.org:587, at STARTTLS".
    """
    kind = ChannelRefused if reply.permanent else ChannelDown
    return kind(Phase.CONNECT, f"{where}: {reply}")
