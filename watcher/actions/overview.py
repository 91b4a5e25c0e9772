"""Show the watch lists: their trials, where those stand, and who hears of them.

Only looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from watcher.app import Application
from watcher.store.lists import listings, recipients
from watcher.store.watches import WatchState, watch_states


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTrial:
    nct_id: str
    origins: str  # "file", "command", or both
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOverview:
    name: str
    trials: list[ListedTrial]
    recipients: list[str]

    def as_json(self) -> dict[str, object]:
        trials = [{"nct_id": one.nct_id, "origins": one.origins.split("+"), "state": one.state} for one in self.trials]
        return {"kind": "watchlist", "name": self.name, "recipients": self.recipients, "trials": trials}


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
            ListedTrial(nct_id=nct_id, origins="+".join(found), state=state_words(states[nct_id]))
            for nct_id, found in origins.items()
        ]
        people = [f"{each.address} ({each.schedule.cadence})" for each in hearing.get(name, [])]
        yield ListOverview(name=name, trials=trials, recipients=people)


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
