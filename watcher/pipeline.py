"""The main flow.

    check     ask the registry, compare, and record snapshot, changes and notices in one transaction
    digest    for every window that has closed: notices → one mail in the outbox
    deliver   for every mail that is due: hand it over, record the receipt
    recover   put what a dead process left half-sent back into the queue

Each stage asks the database what there is to do, records each item as soon as it is done, and may be repeated at any
moment.  Nothing is kept in memory between them, so it does not matter who runs them, or how often.
"""

from dataclasses import dataclass
from datetime import datetime

from watcher.errors import RegistryError
from watcher.model import Message
from watcher.stages.check import Check, Outcome, Progress
from watcher.stages.deliver import Deliver, Handed
from watcher.stages.digest import Digest


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
    digest: Digest
    deliver: Deliver

    def run_round(self, *, now: datetime, progress: Progress | None = None) -> Round:
        """Run every stage once, in order."""
        outcome, trouble = None, None
        try:
            outcome = self.check.run(now=now, progress=progress)
        except RegistryError as error:
            trouble = error  # what is due is told all the same
        composed = self.digest.run(now=now)
        return Round(outcome=outcome, trouble=trouble, composed=composed, handed=self.deliver.run(now=now))
