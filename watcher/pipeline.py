"""The main flow.

    recover   put what a dead process left half-sent back into the queue
    bounces   read what came back, and see to it that somebody else hears
    check     ask the registry, compare, and record snapshot, changes and notices in one transaction
    proof     what cannot be verified for too long, and a registry that publishes nothing: note who must hear that
    remind    for every critical change that nobody has acknowledged: a notice, once an interval
    digest    for every window that has closed: notices → one mail in the outbox
    reconcile whatever is missing between a change and its reader's mailbox: put it right, tell the operator
    deliver   for every mail that is due: hand it over, record the receipt; settle what was perhaps taken

Each stage asks the database what there is to do, records each item as soon as it is done, and may be repeated at any
moment.  What is due stands in the database alone, so it does not matter who runs the stages, or how often; only how
long a mail server is left alone, and which message is in hand, the running process knows itself.

A command runs one round.  The service recovers when it starts; from then on one of its threads checks and composes, and
another delivers (``service/jobs.py``).  A replay sets its clock between the check and the telling.
"""

from dataclasses import dataclass
from datetime import datetime

from watcher.errors import RegistryError
from watcher.model import DeliveryState
from watcher.stages.bounces import Bounces, Read
from watcher.stages.check import Check, Outcome, Progress
from watcher.stages.deliver import Deliver, Handed
from watcher.stages.digest import Digest
from watcher.stages.proof import Proof
from watcher.stages.reconciliation import Reconciliation
from watcher.stages.remind import Remind


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of the whole flow did."""

    outcome: Outcome | None  # None: the registry could not be asked
    trouble: RegistryError | None  # why not
    composed: list[str]  # IDs of messages
    handed: Handed
    read: Read | None = None  # of the mailbox of reports; None: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    check: Check
    proof: Proof
    remind: Remind
    digest: Digest
    reconciliation: Reconciliation
    deliver: Deliver
    bounces: Bounces | None = None  # None: nobody reads what comes back

    def run_round(self, *, now: datetime, progress: Progress | None = None) -> Round:
        """Run everything once, in order.  Only the one instance that does the work may call this."""
        self.deliver.recover(now=now)
        read = self.bounces.run(now=now) if self.bounces else None
        outcome, trouble = None, None
        try:
            outcome = self.check.run(now=now, progress=progress)
        except RegistryError as error:
            trouble = error  # what is due is told all the same
        composed, handed = self._hand_over(self.compose(now=now), now)
        return Round(outcome=outcome, trouble=trouble, composed=composed, handed=handed, read=read)

    def compose(self, *, now: datetime) -> list[str]:
        """Compose what is due, with reminders and what has to be said of the watching itself; return the mails' IDs."""
        self.proof.run(now=now)
        self.remind.run(now=now)
        composed = self.digest.run(now=now)
        if self.reconciliation.run(now=now):
            composed += self.digest.run(now=now)
        return composed

    def tell(self, *, now: datetime) -> tuple[list[str], Handed]:
        """Compose the digests that are due, and hand over all that is; return the mails' IDs, and what was handed over.

        Nobody is reminded of anything.
        """
        return self._hand_over(self.digest.run(now=now), now)

    def _hand_over(self, composed: list[str], now: datetime) -> tuple[list[str], Handed]:
        """Hand over all that is due; what turned out too old is composed anew."""
        handed = self.deliver.run_all(now=now)
        if handed.states[DeliveryState.FOLDED]:
            composed += self.digest.run(now=now)
            handed.add(self.deliver.run_all(now=now))
        return composed, handed
