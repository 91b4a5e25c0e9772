"""Show the watch lists: their trials, where those stand, and who hears of them.

Only looks.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from watcher.app import Application
from watcher.model import Recipient
from watcher.render.counts import plural
from watcher.store.lists import listings, recipients
from watcher.store.watches import WatchState, watch_states


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTrial:
    nct_id: str
    origins: tuple[str, ...]  # "file", "command", or both
    state: WatchState

    def as_json(self) -> dict[str, object]:
        state = self.state
        return {
            "nct_id": self.nct_id,
            "origins": self.origins,
            "data_timestamp": state.data_timestamp,
            "withheld": state.withheld,
            "reason": state.reason,
            "detail": state.detail,
            "since": state.failing_since,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOverview:
    name: str
    trials: list[ListedTrial]
    recipients: list[Recipient]

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        people = ", ".join(f"{one.address} ({one.schedule.cadence})" for one in self.recipients) or "nobody yet"
        yield f"{self.name}  ({plural(len(self.trials), 'trial')}; hears of it: {people})"
        for trial in self.trials:
            yield f"  {trial.nct_id}  {'+'.join(trial.origins):<14}  {state_words(trial.state)}"

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        people = [{"address": one.address, **asdict(one.schedule)} for one in self.recipients]
        trials = [one.as_json() for one in self.trials]
        return {"kind": "watchlist", "name": self.name, "recipients": people, "trials": trials}


def overview(app: Application) -> Iterator[ListOverview]:
    """Yield every watch list with its trials and who hears of it."""
    with app.database.reading() as db:
        listed, hearing, states = listings(db), recipients(db), watch_states(db)
    for name in sorted({*(one.watchlist for one in listed), *hearing}):
        origins: dict[str, list[str]] = {}
        for one in listed:
            if one.watchlist == name:
                origins.setdefault(one.nct_id, []).append(one.origin.value)
        trials = [
            ListedTrial(nct_id=nct_id, origins=tuple(found), state=states[nct_id]) for nct_id, found in origins.items()
        ]
        yield ListOverview(name=name, trials=trials, recipients=hearing.get(name, []))


def state_words(state: WatchState) -> str:
    """Return where a watch stands, in a few words."""
    verified = f"verified against data of {state.data_timestamp[:10]}" if state.data_timestamp else "never fetched"
    if state.reason is None:
        return verified
    return f"{verified}; FAILING since {state.failing_since:%Y-%m-%d %H:%M} UTC: {state.reason}: {state.detail}"


def hears_nobody(app: Application, watchlist: str) -> bool:
    """Return whether nobody hears of a list."""
    with app.database.reading() as db:
        return not recipients(db).get(watchlist)
