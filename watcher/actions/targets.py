"""Try a target, examine all of them, and say what waits for each.

None of it sends what a reader is to hear: a test is marked as one, and an examination only connects.
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from watcher.actions.doctor import Finding, Verdict
from watcher.app import Application
from watcher.config.target_rules import why_undeclared
from watcher.core.targets import TARGET, target_of
from watcher.errors import MailError, SettingsError
from watcher.model import DeliveryState, Message, Receipt
from watcher.render.letters import Coverage, Letter
from watcher.render.payload import payload
from watcher.store.lists import recipients
from watcher.store.outbox import unfinished

_TEXT = "This is a test of trialwatch's targets. Whoever can read it will hear of changes here. Nothing changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanding:
    """A target, and what it was not told yet."""

    name: str
    kind: str
    waiting: int
    given_up: int

    @property
    def words(self) -> str:
        """Return it for people."""
        rest = f"{self.waiting:,} waiting, {self.given_up:,} given up"
        return f"{self.name} ({self.kind}): {rest if self.waiting or self.given_up else 'nothing waits'}"


def standing_of_targets(app: Application) -> list[TargetStanding]:
    """Return the declared targets, in their order."""
    with app.database.reading() as db:
        open_messages = [(one.recipient, one.state is DeliveryState.FAILED) for one in unfinished(db)]
    counted = Counter(open_messages)
    return [
        TargetStanding(
            name=one.name,
            kind=one.kind,
            waiting=counted[TARGET + one.name, False],
            given_up=counted[TARGET + one.name, True],
        )
        for one in app.settings.target
    ]


def send_test_to_target(app: Application, name: str) -> Receipt:
    """Hand a test over to a target now, past the outbox.

    Raises:
        SettingsError: no such target.
        MailError: it was not taken.
    """
    reader = TARGET + (target_of(name) or name)
    channel = app.targets.get(reader)
    if channel is None:
        raise SettingsError([str(why_undeclared(reader, _names(app)))])
    nothing = Coverage(verified=0, watched=0, data_date=None)
    letter = Letter(template="test", subject="trialwatch: test", summary=_TEXT, coverage=nothing)
    key = secrets.token_hex(16)
    message = Message(
        id=key,
        message_id=f"<{key}@{app.settings.mail.domain}>",
        sender=app.settings.mail.sender,
        recipient=reader,
        subject=letter.subject,
        mime=payload(letter, text=_TEXT, composed_at=app.now()),
        channel=reader,
    )
    with channel.session() as session:
        return session.send(message, on_phase=lambda _phase: None)


def examine_targets(app: Application) -> Iterator[Finding]:
    """Yield a finding for each target, and for each that is named and not declared; connects, and sends nothing."""
    for reader, channel in app.targets.items():
        try:
            with channel.session():
                words = f"{channel.name} can be reached; `trialwatch test-target {target_of(reader)}` sends a test"
                yield Finding(subject="target", verdict=Verdict.GOOD, words=words)
        except MailError as error:
            words = f"{error.reply}; see [[target]]"
            yield Finding(subject="target", verdict=Verdict.BAD, words=words, unreachable=True)
    for reader in sorted(_readers(app)):
        why = why_undeclared(reader, _names(app))
        if why is not None:
            yield Finding(subject="target", verdict=Verdict.BAD, words=f"{reader} hears of a watch list, but {why}")


def _names(app: Application) -> list[str]:
    return [one.name for one in app.settings.target]


def _readers(app: Application) -> set[str]:
    with app.database.reading() as db:
        hearing = recipients(db)
    return {one.address for people in hearing.values() for one in people}
