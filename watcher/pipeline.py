"""The main flow.

    recover   put what a dead process left half-sent back into the queue
    check     ask the registry, compare, and record snapshot, changes and notices in one transaction
    remind    for every critical change that nobody has acknowledged: a notice, once an interval
    digest    for every window that has closed: notices → one mail in the outbox
    deliver   for every mail that is due: hand it over, record the receipt

Each stage asks the database what there is to do, records each item as soon as it is done, and may be repeated at any
moment.  What is due stands in the database alone, so it does not matter who runs the stages, or how often; only how
long a mail server is left alone, and which message is in hand, the running process knows itself.

A command runs one round.  The service recovers when it starts; from then on one of its threads checks and composes, and
another delivers (``service/jobs.py``).  A replay sets its clock between the check and the telling.
"""

from dataclasses import dataclass
from datetime import datetime

from watcher.errors import RegistryError
from watcher.model import Message
from watcher.stages.check import Check, Outcome, Progress
from watcher.stages.deliver import Deliver, Handed
from watcher.stages.digest import Digest
from watcher.stages.remind import Remind


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of the whole flow did."""

    outcome: Outcome | None  # None: the registry could not be asked
    trouble: RegistryError | None  # why not
    composed: list[Message]
    handed: Handed


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    check: Check
    remind: Remind
    digest: Digest
    deliver: Deliver

    def run_round(self, *, now: datetime, progress: Progress | None = None) -> Round:
        """Run everything once, in order.  Only the one instance that does the work may call this."""
        self.deliver.recover(now=now)
        outcome, trouble = None, None
        try:
            outcome = self.check.run(now=now, progress=progress)
        except RegistryError as error:
            trouble = error  # what is due is told all the same
        composed, handed = self.tell(now=now)
        return Round(outcome=outcome, trouble=trouble, composed=composed, handed=handed)

    def tell(self, *, now: datetime) -> tuple[list[Message], Handed]:
        """Compose what is due, and hand over all that is; return both."""
        composed = self.compose(now=now)
        return composed, self.deliver.run_all(now=now)

    def compose(self, *, now: datetime) -> list[Message]:
        """Compose what is due, reminders included; return the mails."""
        self.remind.run(now=now)
        return self.digest.run(now=now)
