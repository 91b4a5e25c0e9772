"""A drill: an invented next version of a record goes the whole way to the readers' mailboxes.

Compared, worded, written and handed over as a real one is, and marked as a drill in subject, text and header.  Nothing
of it is recorded but the messages, which say what they are: no snapshot, no change, no notice and no digest, so that no
history, coverage, reminder or reconciliation can take it for something that happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from watcher.actions.inventing import invent
from watcher.app import Application
from watcher.config.values import normalise_address
from watcher.core.digest import TrialBlock, arrange_version
from watcher.core.identifiers import normalise_nct_id
from watcher.core.items.places import countries_of
from watcher.core.meaning import compare
from watcher.core.routing import Story, assign, stories_of
from watcher.core.words.past import Past
from watcher.errors import LeaseHeld, SettingsError
from watcher.model import Change, Delivery
from watcher.render.letters import Letter, as_drill, letter_of_changes
from watcher.stages.content import Content, title_of
from watcher.stages.writing import Outgoing
from watcher.store.outbox import add_message, deliveries
from watcher.store.revisions import known_change_ids, past_values
from watcher.store.routes import catch_all_route, routes_of_trial

_ORIGIN = "An invented version of this record, for a drill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What a drill brought."""

    nct_id: str
    changes: tuple[Change, ...]  # told or not
    deliveries: tuple[Delivery, ...]  # where each message stands now
    left_to_service: bool  # a running service hands them over
    template_trouble: str | None  # why the built-in template was taken instead of the administrator's


def simulate(app: Application, trial: str, wishes: Sequence[str], *, to: str | None = None) -> Drill:
    """Play a change of a trial's record, and send what its readers would hear.

    Args:
        app: with its database.
        trial: an NCT ID whose record was seen.
        wishes: fields of the invented version, ``path=value`` each; at least one.
        to: the only one who hears of it; None = the trial's readers.

    Raises:
        SettingsError: no such trial, field, value or address, or the record says all that already.
    """
    now = app.now()
    nct_id, only = _checked(trial, to)
    with app.database.reading() as db:
        content = Content(db=db, table=app.table)
        before = content.record(nct_id)
        if before is None:
            raise SettingsError([f"{nct_id}: no version of this record is stored; watch it, and `trialwatch check`"])
        past = Past(ids=known_change_ids(db, nct_id), values=past_values(db, nct_id))
        after = invent(before, wishes, app.table)
        changes = compare(before, after, app.table, past=past)
        if not changes:
            raise SettingsError([f"{nct_id}: the record says all that already; set something else"])
        told = any(change.told for change in changes)
        countries = countries_of(before) | countries_of(after)
        hearers = _hearers(db, nct_id, stories_of(changes, countries), only) if told else {}
        letters = _letters(content, changes, hearers, title=title_of(after))
    written = _written(app, letters, changes, now)
    with app.database.writing() as db:
        for outgoing in written:
            add_message(db, outgoing.message, digest_id=None, sizes=outgoing.sizes, now=now, drill=True)
    left = bool(written) and not _handed_over(app, now)
    with app.database.reading() as db:
        found = deliveries(db, [outgoing.message.id for outgoing in written])
    trouble = next((str(outgoing.failed) for outgoing in written if outgoing.failed), None)
    return Drill(nct_id=nct_id, changes=changes, deliveries=found, left_to_service=left, template_trouble=trouble)


def _checked(trial: str, to: str | None) -> tuple[str, str | None]:
    try:
        return normalise_nct_id(trial), None if to is None else normalise_address(to)
    except ValueError as error:
        raise SettingsError([str(error)]) from error


def _hearers(
    db: Connection, nct_id: str, stories: Sequence[Story], only: str | None
) -> Mapping[str, frozenset[str] | None]:
    """Return who would hear of a change of the trial, and of which of its stories; None = all, for who is named.

    Raises:
        SettingsError: nobody would.
    """
    if only:
        return {only: None}
    heard: dict[str, frozenset[str]] = {}
    for one in assign(stories, routes_of_trial(db, nct_id), catch_all_route(db)):
        heard[one.address] = heard.get(one.address, frozenset()) | {story.id for story in one.stories}
    if not heard:
        raise SettingsError([f"{nct_id}: nobody hears of this trial; name somebody with --to"])
    return heard


def _letters(
    content: Content, changes: Sequence[Change], hearers: Mapping[str, frozenset[str] | None], *, title: str
) -> dict[str, Letter]:
    """Return each reader's letter."""
    letters = {}
    for address, only in hearers.items():
        version = replace(arrange_version(changes, "", only=only), origin=_ORIGIN)
        block = TrialBlock(nct_id=changes[0].nct_id or "", title=title, versions=(version,))
        heard = [change for change in changes if change.told and (only is None or change.story in only)]
        rows = [content.row_of(change, title=title, day="drill") for change in heard]
        letters[address] = as_drill(letter_of_changes([block], content.coverage(address), rows=rows))
    return letters


def _written(app: Application, letters: dict[str, Letter], changes: Sequence[Change], now: datetime) -> list[Outgoing]:
    what = sha256("".join(change.id for change in changes).encode()).hexdigest()
    return [
        app.writer.write(letter, address, identity=f"drill|{address}|{what}|{now.isoformat()}", now=now)
        for address, letter in letters.items()
    ]


def _handed_over(app: Application, now: datetime) -> bool:
    """Deliver what is due, unless a running service does; return whether it was done here."""
    try:
        with app.working() as holder, app.renewing(holder):
            app.pipeline.deliver.recover(now=now)
            app.pipeline.deliver.run_all(now=now)
    except LeaseHeld:
        return False
    return True
