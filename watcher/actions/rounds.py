"""Say what one round of the pipeline did, for people and for programs."""

from collections.abc import Iterator

from watcher.pipeline import Round
from watcher.stages.check import Outcome


def round_line(done: Round, mails_to: str) -> dict[str, object]:
    """Return it for programs."""
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
        "refused": {reason.value: count for reason, count in outcome.refused.items()} if outcome else {},
        "mails_composed": len(done.composed),
        "mails": {state.value: count for state, count in done.handed.states.items()},
        "mail_trouble": str(done.handed.trouble) if done.handed.trouble else None,
        "mails_to": mails_to,
    }


def round_words(done: Round, mails_to: str) -> Iterator[str]:
    """Yield it for people."""
    if done.outcome:
        yield f"Registry data of {done.outcome.release.data_timestamp}: {_outcome_words(done.outcome)}."
    yield f"{len(done.composed)} mails composed, {done.handed.states.total()} handed over or tried: {mails_to}."


def _outcome_words(outcome: Outcome) -> str:
    if not outcome.asked:
        return "nothing new since the last check"
    return (
        f"{outcome.unchanged} unchanged, {outcome.first_seen} seen for the first time, "
        f"{outcome.changed} changed, {outcome.refused.total()} not verified"
    )
