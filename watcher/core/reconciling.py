"""What may be missing between a change and its reader's mailbox, and what becomes of it.  Pure: no clock, no store.

None of these can come from the stages as they are: each takes its step in one transaction.  A damaged database, a
restored backup, a hand in the tables, or a fault of ours can make them, and then nobody else would notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

GRACE = timedelta(minutes=15)  # after which what is due and not told is a gap
# After which a message that is being sent, and does not move, is a gap: with the time between two looks no more than
# fifteen minutes.  No single answer of a mail server takes longer, see ``mail.smtp.dot_timeout``.
STUCK_AFTER = timedelta(minutes=10)


class GapKind(StrEnum):
    """Where the way from a change to its reader is broken."""

    UNNOTED = "unnoted"  # a told change of which no reader has a notice
    UNTOLD = "untold"  # a notice that is due, that nothing holds, and that no digest has taken
    UNWRITTEN = "unwritten"  # a digest without a message
    STUCK = "stuck"  # a message that is being sent, and nobody sends it
    HANGING = "hanging"  # a message that is being sent, and the conversation does not go on
    FOLDED = "folded"  # a message that a later one was to stand for, and no later one does


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that is missing."""

    kind: GapKind
    row: int | str  # revision, notice, digest or message
    nct_id: str | None  # one trial that it is about; None = none is known
    address: str | None  # one reader whom it concerns; None = all readers of the trial


_FOUND = {
    GapKind.UNNOTED: "was recorded, and no reader had a notice of it",
    GapKind.UNTOLD: "was due more than 15 minutes ago, and no digest has told it",
    GapKind.UNWRITTEN: "was in a digest that had no message",
    GapKind.STUCK: "is in a message that was being sent, and nobody sent it any more",
    GapKind.HANGING: "is in a message that is being handed over, in a conversation that stands still for ten minutes",
    GapKind.FOLDED: "was in a message that was given up for a later one, and no later one told it",
}
_DONE = {
    GapKind.UNNOTED: "the readers are told now",
    GapKind.UNTOLD: "it is looked for again at every look, and this closes when a digest has told it",
    GapKind.UNWRITTEN: "it is told again now",
    GapKind.STUCK: "it is tried again now",
    GapKind.HANGING: "it goes on, or is tried again, when the time-out is over; if it is not, restart the service",
    GapKind.FOLDED: "it is told again now",
}


def is_repaired(kind: GapKind) -> bool:
    """Return whether what is missing is put right as it is found; the rest stays open until it is gone."""
    return kind not in {GapKind.UNTOLD, GapKind.HANGING}


def gap_words(gaps: Sequence[Gap]) -> str:
    """Return what was found and done, as the operator reads it; all of one kind, at least one."""
    first = gaps[0]
    subject = f"A change of {first.nct_id}" if first.nct_id else "Something that is about no single trial"
    reader = f", for {first.address}," if first.address else ""
    more = f" ({len(gaps) - 1:,} more like it)" if len(gaps) > 1 else ""
    return f"{subject}{reader} {_FOUND[first.kind]}{more}: {_DONE[first.kind]}."


def is_stuck(first_seen: datetime | None, *, now: datetime) -> bool:
    """Return whether a message is being sent for so long that somebody has to look who sends it.

    Args:
        first_seen: when this attempt was first seen under way; None = only now.
        now: the moment.
    """
    # A clock that was set back meanwhile makes the wait longer, never shorter.
    return first_seen is not None and now - first_seen >= STUCK_AFTER
