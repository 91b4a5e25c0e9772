"""A mail server in this process, written by hand: a channel that keeps what it takes and misbehaves on request.

    server.down = True
    server.defer("reader@example.org", times=1)
    server.lose_answer()
    server.die_at(Phase.DOT)

It passes the same contract tests as the channels that the program has (``tests/edges/test_channel_contract.py``).
Does not speak SMTP: ``tests/smtp_server.py`` does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.flow.journal import FakeJournal
from tests.smtp_conversation import Accepted
from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    LineBroken,
    MailError,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
)
from watcher.model import Message, Phase, Receipt

_STEPS = (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT)
_FATAL = (ChannelDown, ChannelRefused, MessageUncertain)  # the session is of no more use


class Died(BaseException):
    """The process is dead: nothing below may catch this, as nothing can run after a SIGKILL."""


@dataclass(slots=True)
class _Rule:
    phase: Phase
    error: Callable[[], BaseException]
    times: int | None  # left; None = for ever
    recipient: str | None  # None = everybody
    takes: bool = False  # the message is taken first


@dataclass(slots=True)
class FakeMailServer:
    """The channel and what lies at its other end."""

    accepted: list[Accepted] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)  # recipients, one for each attempt that reached the server
    sessions: int = 0
    down: bool = False
    locked: str | None = None  # the words with which nobody is let in; None = everybody is
    journal: FakeJournal | None = None  # gets what is taken
    journal_refusal: str | None = None  # the words with which it is not named as a recipient; None = it is
    _rules: list[_Rule] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "memory"

    @property
    def subjects(self) -> list[str]:
        """The subjects of what was taken, in order."""
        return [mail.subject for mail in self.accepted]

    def to(self, recipient: str) -> list[Accepted]:
        """Return what was taken for one person, in order."""
        return [mail for mail in self.accepted if mail.recipient == recipient]

    def defer(
        self, recipient: str | None = None, *, reply: str = "450 4.2.1 not now", times: int | None = None
    ) -> None:
        self._add(Phase.RCPT, lambda: MessageDeferred(Phase.RCPT, reply), recipient, times)

    def refuse(
        self, recipient: str | None = None, *, reply: str = "554 5.6.0 not this mail", times: int | None = None
    ) -> None:
        self._add(Phase.RCPT, lambda: MessageRefused(Phase.RCPT, reply), recipient, times)

    def refuse_by_policy(
        self, recipient: str | None = None, *, reply: str = "550 5.7.1 relaying denied", times: int | None = None
    ) -> None:
        """Answer as servers do whose words the channel cannot put down to the message: see ``notify/smtp_reply.py``."""
        self._add(Phase.RCPT, lambda: ChannelRefused(Phase.RCPT, reply), recipient, times)

    def hang_up(self, recipient: str | None = None, *, times: int | None = None) -> None:
        """Say "421 closing" when somebody is named."""
        self._add(Phase.RCPT, lambda: ChannelDown(Phase.RCPT, "421 4.3.2 closing"), recipient, times)

    def break_line(
        self,
        recipient: str | None = None,
        *,
        at: Phase = Phase.DATA,
        times: int | None = None,
        then_die_at: Phase | None = None,
    ) -> None:
        """Break the line, with the message not taken; ``then_die_at``: end the sending process at its next attempt."""

        def broken() -> LineBroken:
            if then_die_at is not None:
                self.die_at(then_die_at)
            return LineBroken(at, "the line broke before the message was complete")

        self._add(at, broken, recipient, times)

    def lose_answer(self, recipient: str | None = None, *, times: int = 1) -> None:
        """Take a message, and let the answer to the final dot be lost."""
        lost = "the answer to the final dot was lost"
        self._add(Phase.DOT, lambda: MessageUncertain(Phase.DOT, lost), recipient, times, takes=True)

    def lose_answer_and_mail(self) -> None:
        """Lose the line at the final dot, and the message with it, once."""
        self._add(Phase.DOT, lambda: MessageUncertain(Phase.DOT, "the answer to the final dot was lost"), None, 1)

    def die_at(self, phase: Phase, *, taken: bool = False) -> None:
        """End the sending process once: when a step was announced; at ``DOT`` perhaps after the message was taken."""
        self._add(phase, Died, None, 1, takes=taken)

    def before(self, phase: Phase, error: Exception) -> None:
        """Let whoever hands a message over fail by itself at a step, once."""
        self._add(phase, lambda: error, None, 1)

    def dawdle(self, meanwhile: Callable[[], None]) -> None:
        """Let something happen before the next recipient is answered, who is then put off; once."""

        def put_off() -> MessageDeferred:
            meanwhile()
            return MessageDeferred(Phase.RCPT, "450 4.2.1 not now")

        self._add(Phase.RCPT, put_off, None, 1)

    def behave(self) -> None:
        """Forget all misbehaviour."""
        self.down, self.locked, self.journal_refusal = False, None, None
        self._rules.clear()

    @contextmanager
    def session(self) -> Iterator["FakeSession"]:
        """Let somebody in.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        if self.down:
            raise ChannelDown(Phase.CONNECT, "memory: connection refused")
        if self.locked:
            raise ChannelRefused(Phase.CONNECT, self.locked)
        self.sessions += 1
        yield FakeSession(self)

    def answer(self, phase: Phase, message: Message) -> None:
        """Do what was scripted for a step; called by sessions."""
        if phase is Phase.RCPT:
            self.tried.append(message.recipient)
            if not message.recipient.isprintable():
                raise MessageRefused(Phase.RCPT, "501 5.1.3 this is not an address")
        for rule in self._rules:
            if rule.phase is phase and rule.recipient in {None, message.recipient} and rule.times != 0:
                rule.times = None if rule.times is None else rule.times - 1
                if rule.takes:
                    self.take(message)
                raise rule.error()

    def take(self, message: Message) -> None:
        self.accepted.append(Accepted(message.sender, message.recipient, message.mime))
        if self.journal is not None and self.journal_refusal is None:
            self.journal.put(message.mime)

    @property
    def last_phase(self) -> Phase:
        """What is announced before a message can be taken."""
        return Phase.DOT if self.journal is None or self.journal_refusal is not None else Phase.JOURNALLED

    def _add(
        self,
        phase: Phase,
        error: Callable[[], BaseException],
        recipient: str | None,
        times: int | None,
        *,
        takes: bool = False,
    ) -> None:
        self._rules.append(_Rule(phase, error, times, recipient, takes))


class FakeSession:
    """One conversation with it."""

    def __init__(self, server: FakeMailServer) -> None:
        self._server = server
        self._over = False

    def send(self, message: Message, *, on_phase: Callable[[Phase], None]) -> Receipt:
        """Hand one message over; see ``channel.Session.send``."""
        if self._over:
            raise ChannelDown(Phase.CONNECT, "this session is over; open a new one")
        try:
            for phase in _STEPS:
                on_phase(self._server.last_phase if phase is Phase.DOT else phase)
                self._server.answer(phase, message)
        except MailError as error:
            self._over = isinstance(error, _FATAL)
            raise
        except BaseException:
            self._over = True
            raise
        self._server.take(message)
        reply = f"250 2.0.0 queued as {len(self._server.accepted)}"
        return Receipt(reply=reply, journal_refusal=self._server.journal_refusal)
