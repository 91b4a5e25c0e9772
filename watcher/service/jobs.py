"""What the scheduler wakes: checking and composing, and delivering.  Each asks the database what there is to do.

Does not know when it is woken, except that a check waits for its interval.
"""

from collections.abc import Callable
from datetime import datetime

import structlog

from watcher.app import Application, Stopped
from watcher.errors import RegistryError, StoreError
from watcher.service.in_force import InForce, Term
from watcher.store.lists import listings
from watcher.store.watches import waits_for_first_fetch

_log = structlog.get_logger("service")

Job = Callable[[], None]


def guarded(name: str, job: Job) -> Job:
    """Return a job that logs what it fails on: it is repeated, and the service goes on."""

    def run() -> None:
        try:
            job()
        except Stopped:
            return
        except (RegistryError, StoreError) as error:
            _log.error("stage failed; it is repeated", stage=name, error=str(error))
        except Exception:  # noqa: BLE001 the loop itself: a bug must be logged and must not end the service
            _log.exception("stage failed by a fault of ours; it is repeated", stage=name)

    return run


def watch(in_force: InForce) -> None:
    """Compose what is due; before that, check if it is time.

    That is when the interval is over, or at once for a trial that was added since the last check began.  Only then: a
    trial that could not be fetched is still waiting after a check that failed, and a registry that does not answer, or
    refuses us, is not to be asked more often for that.
    """
    with in_force.at_work() as term:
        app = term.app
        now = app.now()
        listed = _listed_newly(term)
        if listed or app.monotonic() >= term.next_check:
            # Set first: a check that fails is repeated after the interval, not at once.
            term.next_check = app.monotonic() + app.settings.registry.check_every.total_seconds()
            term.listed = listed or _listed(app)
            try:
                _check(app, now)
            finally:
                app.pipeline.compose(now=app.now())
        else:
            app.pipeline.compose(now=now)


def _listed_newly(term: Term) -> frozenset[str]:
    """Return all listed trials, if one that was never fetched was not among them at the last check; or nothing."""
    with term.app.database.reading() as db:
        waiting = waits_for_first_fetch(db)
    listed = _listed(term.app) if waiting else frozenset()
    return listed if listed - term.listed else frozenset()


def _listed(app: Application) -> frozenset[str]:
    with app.database.reading() as db:
        return frozenset(listing.nct_id for listing in listings(db))


def _check(app: Application, now: datetime) -> None:
    outcome = app.pipeline.check.run(now=now)
    _log.info(
        "checked",
        data=outcome.release.data_timestamp,
        asked=outcome.asked,
        unchanged=outcome.unchanged,
        first_seen=outcome.first_seen,
        changed=outcome.changed,
        refused=sum(outcome.refused.values()),
        withheld=outcome.withheld,
    )


def mail(in_force: InForce) -> None:
    """Hand over what is due."""
    with in_force.at_work() as term:
        app = term.app
        handed = app.pipeline.deliver.run(now=app.now())
    if handed.states:
        _log.info("delivered", channel=app.channel.name, **{str(state): n for state, n in handed.states.items()})
