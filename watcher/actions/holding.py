"""Look at what is held back, and decide what becomes of it.

The changes are recorded either way; what is decided is only what readers hear.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from watcher.app import Application
from watcher.errors import SettingsError
from watcher.render.counts import plural
from watcher.stages.reclassification import Reclassified, reclassify
from watcher.store.holds import Decision, Hold, end_hold, open_holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A hold that has ended, and how."""

    held: Hold
    decision: Decision
    compared: Reclassified | None  # RECLASSIFIED only

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        held, compared = self.held, self.compared
        if compared is not None:
            yield (
                f"Hold {held.id}: {plural(compared.steps, 'trial')} compared again: {compared.different:,} say "
                f"something else now, {compared.silenced:,} nothing any more."
            )
            for nct_id in compared.left:
                yield f"  {nct_id}: left as it was recorded; a version of it cannot be read"
        yield f"Hold {held.id} has ended: readers are told in their windows, those that have closed at the next look."

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        compared = self.compared
        return {
            "kind": "decision",
            "hold": self.held.id,
            "decision": self.decision,
            "compared": compared.steps if compared else 0,
            "different": compared.different if compared else 0,
            "silenced": compared.silenced if compared else 0,
            "left": list(compared.left) if compared else [],
        }


def holds(app: Application) -> list[Hold]:
    """Return what is held back, oldest first."""
    with app.database.reading() as db:
        return open_holds(db)


def hold_lines(held: Hold) -> Iterator[str]:
    """Yield a hold for people."""
    yield f"{held.id}  since {held.opened_at:%Y-%m-%d %H:%M} UTC, data of {held.data_timestamp}: {held.summary}"
    yield f"   {plural(held.readers, 'reader')} to be told of {plural(held.trials, 'trial')}"


def hold_as_json(held: Hold) -> dict[str, object]:
    """Return a hold for programs."""
    return {
        "kind": "hold",
        "hold": held.id,
        "data_timestamp": held.data_timestamp,
        "reason": held.reason,
        "summary": held.summary,
        "opened_at": held.opened_at,
        "trials": held.trials,
        "readers": held.readers,
    }


def decide(app: Application, hold_id: int | None, decision: Decision, *, all_of_them: bool) -> Iterator[Decided]:
    """End a hold, or all of them; yield each when it has ended.

    Args:
        app: open.
        hold_id: which; None = the only one there is.
        decision: whether the changes are compared again first.
        all_of_them: every hold, whatever ``hold_id`` says.

    Raises:
        SettingsError: there is no such hold, or several and none was named.
    """
    for held in _chosen(holds(app), hold_id, all_of_them=all_of_them):
        again = decision is Decision.RECLASSIFIED
        compared = reclassify(app.database, app.table, held, now=app.now()) if again else None
        with app.database.writing() as db:
            end_hold(db, held.id, decision, now=app.now())
        yield Decided(held=held, decision=decision, compared=compared)


def _chosen(found: list[Hold], hold_id: int | None, *, all_of_them: bool) -> list[Hold]:
    if all_of_them:
        return found
    if hold_id is None and len(found) == 1:
        return found
    named = [held for held in found if held.id == hold_id]
    if named:
        return named
    known = ", ".join(str(held.id) for held in found)
    if not found:
        raise SettingsError(["nothing is held back; `trialwatch holds` shows what is"])
    if hold_id is None:
        raise SettingsError([f"HOLD: several are open ({known}); name one of them, or give --all"])
    raise SettingsError([f"HOLD: {hold_id} is not open; what is: {known}"])
