"""Do one round of the pipeline, and say what it did, for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watcher.app import Application
from watcher.errors import RegistryError, TrialwatchError
from watcher.model import DeliveryState, Reason, Refusal
from watcher.pipeline import Round
from watcher.render.counts import plural
from watcher.stages.check import Outcome, Progress
from watcher.store.outbox import Unfinished, unfinished

# The registry did not speak of the records at all.
_NOT_SERVED = frozenset({Reason.BLOCKED, Reason.RATE_LIMITED, Reason.SERVER_ERROR, Reason.UNREACHABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one round did, and what it could not do."""

    done: Round
    given_up: list[Unfinished]  # in this round
    waiting: list[Unfinished]  # after it
    mails_to: str

    @property
    def refusals(self) -> Sequence[Refusal]:
        return self.done.outcome.refusals if self.done.outcome else ()

    @property
    def trouble(self) -> TrialwatchError | None:
        """What kept the round from reaching a server."""
        return self.registry_trouble or self.done.handed.trouble

    @property
    def registry_trouble(self) -> RegistryError | None:
        """Why the registry could not be asked: not for its release, or not for a single record."""
        outcome = self.done.outcome
        if outcome is None or not outcome.refusals or not outcome.refused.keys() <= _NOT_SERVED:
            return self.done.trouble
        if len({refusal.nct_id for refusal in outcome.refusals}) < outcome.asked:
            return None
        first = outcome.refusals[0]
        return RegistryError(first.reason, f"none of the records that were asked for could be had: {first.detail}")

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        refused = [{"nct_id": one.nct_id, "reason": one.reason, "detail": one.detail} for one in self.refusals]
        trouble = self.registry_trouble
        return {
            **_counts(self.done),
            "registry_trouble": str(trouble) if trouble else None,
            "mails_to": self.mails_to,
            "refused_trials": refused,
            "mails_given_up": [_as_json(one) for one in self.given_up],
            "mails_waiting": [_as_json(one) for one in self.waiting],
        }

    def lines(self) -> Iterator[str]:
        """Yield for people what it did."""
        outcome, handed = self.done.outcome, self.done.handed.states.total()
        if outcome:
            yield f"Registry data of {outcome.release.data_timestamp}: {_outcome_words(outcome)}."
        yield f"{plural(len(self.done.composed), 'mail')} composed, {handed:,} handed over or tried: {self.mails_to}."

    def failures(self) -> Iterator[str]:
        """Yield for people what it could not do, beside reaching a server."""
        read = self.done.read
        for address in read.suspended if read else ():
            yield f"mail does not reach {address} any more; `trialwatch suspensions` says why"
        if read and read.trouble:
            yield f"reports of mail that came back cannot be read: {read.trouble}"
        for refusal in self.refusals:
            yield f"{refusal.nct_id} not verified: {refusal.reason.value.replace('_', ' ')}: {refusal.detail}"
        for one in self.given_up:
            yield f'the mail "{one.subject}" to {one.recipient} was given up: {one.reply}'
        if self.done.handed.trouble is None:  # else that is why
            for one in self.waiting:
                if one.state is DeliveryState.UNCERTAIN:
                    settled = f"that is settled from {one.next_attempt_at:%Y-%m-%d %H:%M} UTC on"
                    yield f'the mail "{one.subject}" to {one.recipient} was perhaps taken; {settled}: {one.reply}'
                    continue
                again = f"it is tried again from {one.next_attempt_at:%Y-%m-%d %H:%M} UTC on"
                words = f"is not handed over yet; {again}: {one.reply or 'not tried so far'}"
                yield f'the mail "{one.subject}" to {one.recipient} {words}'


def do_round(app: Application, *, progress: Progress) -> Report:
    """Do one round now, by whoever holds the lease.

    Raises:
        StoreError: the database cannot be used; what was recorded before stays so.
    """
    with app.database.reading() as db:
        before = {one.id for one in unfinished(db) if one.state is DeliveryState.FAILED}
    done = app.pipeline.run_round(now=app.now(), progress=progress)
    with app.database.reading() as db:
        left = [one for one in unfinished(db) if one.id not in before]
    return Report(
        done=done,
        given_up=[one for one in left if one.state is DeliveryState.FAILED],
        waiting=[one for one in left if one.state is not DeliveryState.FAILED],
        mails_to=app.channel.name,
    )


def _as_json(one: Unfinished) -> dict[str, object]:
    return {"to": one.recipient, "subject": one.subject, "reply": one.reply}


def _counts(done: Round) -> dict[str, object]:
    outcome = done.outcome
    return {
        "kind": "check",
        "data_timestamp": outcome.release.data_timestamp if outcome else None,
        "asked": outcome.asked if outcome else 0,
        "unchanged": outcome.unchanged if outcome else 0,
        "first_seen": outcome.first_seen if outcome else 0,
        "changed": outcome.changed if outcome else 0,
        "changes": outcome.changes if outcome else 0,
        "withheld": outcome.withheld if outcome else [],
        "refused": {reason.value: count for reason, count in outcome.refused.items()} if outcome else {},
        "mails_composed": len(done.composed),
        "mails": {state.value: count for state, count in done.handed.states.items()},
        "reports": {why.value: count for why, count in done.read.reports.items()} if done.read else {},
        "suspended": done.read.suspended if done.read else [],
        "reports_trouble": str(done.read.trouble) if done.read and done.read.trouble else None,
        "mail_trouble": str(done.handed.trouble) if done.handed.trouble else None,
    }


def _outcome_words(outcome: Outcome) -> str:
    if not outcome.asked:
        return "nothing new since the last check"
    withheld = f"; withheld by the registry: {', '.join(outcome.withheld)}" if outcome.withheld else ""
    return (
        f"{outcome.unchanged:,} unchanged, {outcome.first_seen:,} seen for the first time, "
        f"{outcome.changed:,} changed, {outcome.refused.total():,} not verified{withheld}"
    )
