"""Do one round of the pipeline, and say what it did, for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watcher.app import Application
from watcher.errors import TrialwatchError
from watcher.model import Delivery, DeliveryState, Refusal
from watcher.pipeline import Round
from watcher.stages.check import Outcome, Progress
from watcher.store.outbox import unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one round did, and what it could not do."""

    done: Round
    given_up: list[Delivery]  # in this round
    mails_to: str

    @property
    def refusals(self) -> Sequence[Refusal]:
        return self.done.outcome.refusals if self.done.outcome else ()

    @property
    def trouble(self) -> TrialwatchError | None:
        """What kept the round from reaching a server."""
        return self.done.trouble or self.done.handed.trouble

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        refused = [{"nct_id": one.nct_id, "reason": one.reason, "detail": one.detail} for one in self.refusals]
        given_up = [
            {"to": one.message.recipient, "subject": one.message.subject, "reply": one.reply} for one in self.given_up
        ]
        return {**_counts(self.done), "mails_to": self.mails_to, "refused_trials": refused, "mails_given_up": given_up}

    def lines(self) -> Iterator[str]:
        """Yield for people what it did."""
        outcome, handed = self.done.outcome, self.done.handed.states.total()
        if outcome:
            yield f"Registry data of {outcome.release.data_timestamp}: {_outcome_words(outcome)}."
        yield f"{len(self.done.composed)} mails composed, {handed} handed over or tried: {self.mails_to}."

    def failures(self) -> Iterator[str]:
        """Yield for people what it could not do, beside reaching a server."""
        for refusal in self.refusals:
            yield f"{refusal.nct_id} not verified: {refusal.reason.value.replace('_', ' ')}: {refusal.detail}"
        for one in self.given_up:
            yield f'the mail "{one.message.subject}" to {one.message.recipient} was given up: {one.reply}'


def do_round(app: Application, *, progress: Progress) -> Report:
    """Do one round now, by whoever holds the lease.

    Raises:
        StoreError: the database cannot be used; what was recorded before stays so.
    """
    now = app.now()
    app.pipeline.deliver.recover(now=now)
    before = {one.message.id for one in _given_up(app)}
    done = app.pipeline.run_round(now=now, progress=progress)
    given_up = [one for one in _given_up(app) if one.message.id not in before]
    return Report(done=done, given_up=given_up, mails_to=app.channel.name)


def _given_up(app: Application) -> list[Delivery]:
    with app.database.reading() as db:
        return [one for one in unfinished(db) if one.state is DeliveryState.FAILED]


def _counts(done: Round) -> dict[str, object]:
    outcome = done.outcome
    return {
        "kind": "check",
        "data_timestamp": outcome.release.data_timestamp if outcome else None,
        "registry_trouble": str(done.trouble) if done.trouble else None,
        "asked": outcome.asked if outcome else 0,
        "unchanged": outcome.unchanged if outcome else 0,
        "first_seen": outcome.first_seen if outcome else 0,
        "changed": outcome.changed if outcome else 0,
        "changes": outcome.changes if outcome else 0,
        "withheld": outcome.withheld if outcome else [],
        "refused": {reason.value: count for reason, count in outcome.refused.items()} if outcome else {},
        "mails_composed": len(done.composed),
        "mails": {state.value: count for state, count in done.handed.states.items()},
        "mail_trouble": str(done.handed.trouble) if done.handed.trouble else None,
    }


def _outcome_words(outcome: Outcome) -> str:
    if not outcome.asked:
        return "nothing new since the last check"
    withheld = f"; withheld by the registry: {', '.join(outcome.withheld)}" if outcome.withheld else ""
    return (
        f"{outcome.unchanged} unchanged, {outcome.first_seen} seen for the first time, "
        f"{outcome.changed} changed, {outcome.refused.total()} not verified{withheld}"
    )
