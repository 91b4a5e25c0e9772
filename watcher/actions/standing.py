"""Where the service stands, from the database alone: the same facts for people and for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from watcher.actions.overview import state_words
from watcher.actions.targets import TargetStanding, standing_of_targets
from watcher.app import Application
from watcher.model import DeliveryState
from watcher.processes import is_dead
from watcher.render.counts import plural
from watcher.stages.deliver import is_about_mail
from watcher.store import outbox
from watcher.store.holds import Hold, open_holds
from watcher.store.incidents import Incident, open_incidents
from watcher.store.leases import living_holder
from watcher.store.notices import due_windows
from watcher.store.outbox import Unfinished
from watcher.store.probe import why_not_recordable
from watcher.store.releases import KnownRelease, latest_release
from watcher.store.watches import Coverage, WatchState, coverage, watch_states

_WAITING = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    release: KnownRelease | None
    coverage: Coverage
    failing: list[WatchState]
    withheld: list[str]  # trials
    mails: dict[DeliveryState, int]
    oldest_waiting: datetime | None  # when the oldest mail that waits was composed
    uncertain: list[Unfinished]  # mails that were perhaps taken
    untold: int  # digest windows that have closed and are not composed
    held: list[Hold]  # releases whose changes wait for the operator's look
    incidents: list[Incident]
    worker: str | None  # who does the work now
    unrecordable: str | None  # why nothing can be recorded now; None = it can
    mails_to: str
    targets: list[TargetStanding]

    @property
    def settled(self) -> bool:
        """Whether everything that the current release brought has been told."""
        waiting = sum(count for state, count in self.mails.items() if state in _WAITING)
        return bool(self.release and self.release.checked_at and not self.untold and not waiting and not self.held)

    @property
    def mail_trouble(self) -> bool:
        """Whether something is wrong of which the operator perhaps gets no mail."""
        return any(is_about_mail(incident.key) for incident in self.incidents)

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        if self.release is None:
            yield "The registry has not been reached yet."
        else:
            confirmed = f"{self.release.confirmed_at:%Y-%m-%d %H:%M:%S} UTC"
            yield f"Registry data of {self.release.release.data_timestamp}, last confirmed {confirmed}"
        yield f"Verified against it: {self.coverage.verified:,} of {plural(self.coverage.watched, 'watched trial')}"
        for nct_id in self.withheld:
            yield f"  {nct_id}: withheld by the registry, which shows a placeholder"
        for state in self.failing:
            yield f"  {state.nct_id}: {state_words(state)}"
        yield "Mails: " + ", ".join(f"{count:,} {state}" for state, count in self.mails.items())
        if self.oldest_waiting:
            yield f"  the oldest that waits was composed {self.oldest_waiting:%Y-%m-%d %H:%M:%S} UTC"
        for one in self.uncertain:
            settled = f"settled from {one.next_attempt_at:%Y-%m-%d %H:%M} UTC on"
            yield f'  uncertain: "{one.subject}" to {one.recipient}, {settled}: {one.reply}'
        for target in self.targets:
            yield f"Target {target.words}"
        yield f"Working now: {self.worker or 'nobody; start the service with `trialwatch run`'}"
        if self.unrecordable:
            yield f"NOTHING CAN BE RECORDED NOW, so nothing is sent until that is over: {self.unrecordable}"
        for incident in self.incidents:
            yield f"OPEN since {incident.opened_at:%Y-%m-%d %H:%M} UTC: {incident.summary}"

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        release = self.release
        return {
            "kind": "status",
            "data_timestamp": release.release.data_timestamp if release else None,
            "confirmed_at": release.confirmed_at.isoformat() if release else None,
            "watched": self.coverage.watched,
            "verified": self.coverage.verified,
            "failing": [
                {"nct_id": state.nct_id, "reason": state.reason, "detail": state.detail, "since": state.failing_since}
                for state in self.failing
            ],
            "withheld": self.withheld,
            "untold": self.untold,
            "held": [hold.id for hold in self.held],
            "settled": self.settled,
            "mails": {state.value: count for state, count in self.mails.items()},
            "uncertain": [
                {"id": one.id, "to": one.recipient, "subject": one.subject, "reply": one.reply}
                for one in self.uncertain
            ],
            "mail_trouble": self.mail_trouble,
            "incidents": [{"summary": one.summary, "opened_at": one.opened_at} for one in self.incidents],
            "worker": self.worker,
            "unrecordable": self.unrecordable,
            "mails_to": self.mails_to,
            "targets": [asdict(target) for target in self.targets],
        }


def standing_of(app: Application) -> Standing:
    """Return where the service stands now."""
    targets = standing_of_targets(app)
    unrecordable = why_not_recordable(app.database, now=app.now())
    with app.database.reading() as db:
        release = latest_release(db)
        holder = living_holder(db, now=app.now())
        states = [state for state in watch_states(db).values() if state.watched]
        return Standing(
            release=release,
            coverage=coverage(db, release_id=release.id if release else 0),
            failing=[state for state in states if state.reason],
            withheld=[state.nct_id for state in states if state.withheld],
            mails=outbox.counts(db),
            oldest_waiting=outbox.oldest_waiting(db),
            uncertain=outbox.unfinished(db, DeliveryState.UNCERTAIN),
            untold=len(due_windows(db, now=app.now())),
            held=open_holds(db),
            incidents=open_incidents(db),
            worker=f"process {holder.pid} on {holder.host}" if holder and not is_dead(holder) else None,
            mails_to=app.channel.name,
            unrecordable=unrecordable,
            targets=targets,
        )
