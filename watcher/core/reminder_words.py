"""How a digest reminds of a story that was told before.  Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from watcher.core.digest import NOT_ACKNOWLEDGED, Version, arrange_version
from watcher.model import Change

_ASSIGNED = "Assigned: "


def arrange_reminder(changes: Sequence[Change], data_date: str, *, seen_at: datetime, detail: str | None) -> Version:
    """Return a story that waits for somebody, as a digest reminds of it.

    Args:
        changes: of the story, all that it has; at least one of them is told.
        data_date: the day of the registry's data in which they were seen.
        seen_at: when they were recorded, UTC.
        detail: who asked this person to look after it; None = nobody did.
    """
    told = [change for change in changes if change.told]
    version = arrange_version(told, data_date)
    weightiest = min(told, key=lambda change: change.severity.rank)
    begin = _ASSIGNED if detail else NOT_ACKNOWLEDGED
    how = f"Acknowledge it by the link in this mail, if there is one, or by: trialwatch acknowledge {weightiest.id}"
    since = f"Seen on {seen_at:%Y-%m-%d}, and not acknowledged since. {how}"
    sentences = tuple(
        replace(
            sentence,
            text=f"{begin}{sentence.text}. {f'{detail}. ' if detail else ''}{since}",
            headline=f"{begin}{sentence.headline}",
            details=(),
            details_left_out=0,
        )
        for sentence in version.sentences
    )
    origin = f"Told before; registry data of {data_date}"
    return replace(version, origin=origin, sentences=sentences, clauses=(), reminder=True)
