"""Stories as they are told: one sentence of one step of a record, and what it stands for.  Reads only."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from watcher.model import Acknowledgement, Act, Change, NoticeKind, Place, Severity, StoryKey
from watcher.store.acknowledgements import NEWEST_ACTS, newest_acts
from watcher.store.revisions import changes_of
from watcher.store.tables import acknowledgement, change, digest, hold, listing, notice, release, revision

_TOLD = and_(change.c.severity != Severity.NOISE, change.c.place.in_((Place.LINE, Place.CLAUSE)))
_BATCH = 5_000  # revisions named in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What one sentence tells."""

    key: StoryKey
    nct_id: str
    change: Change  # the weightiest that it tells
    data_timestamp: str  # of the release in which it was seen
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStory:
    """A story that was told to somebody and that nobody has acknowledged."""

    story: Story
    told_at: datetime  # when the first mail that told it was written
    standing: Acknowledgement | None  # assigned or reopened; None = nobody has done anything about it


def find_story(db: Connection, key: StoryKey) -> Story | None:
    """Return a story; None when there is none, or it is not told."""
    return _stories(db, [key]).get(key)


def stories_of_list(db: Connection, watchlist: str, *, limit: int) -> list[Story]:
    """Return what is told of a list's trials, newest first; what the operator holds back is left out."""
    held = select(hold.c.release_id).where(hold.c.ended_at.is_(None))
    listed = select(listing.c.nct_id).where(listing.c.watchlist == watchlist)
    query = select(change.c.revision_id, change.c.story)
    query = query.join(revision, revision.c.id == change.c.revision_id)
    in_a_pass = select(release.c.id).where(release.c.pass_begun_at.is_not(None))  # it may still lead to a hold
    query = query.where(_TOLD, revision.c.nct_id.in_(listed))
    query = query.where(revision.c.release_id.not_in(held), revision.c.release_id.not_in(in_a_pass))
    query = query.group_by(change.c.revision_id, change.c.story)
    query = query.order_by(change.c.revision_id.desc(), func.min(change.c.position)).limit(limit)
    keys = [StoryKey(revision_id=row.revision_id, story=row.story) for row in db.execute(query)]
    found = _stories(db, keys)
    return [found[key] for key in keys]


def open_stories(db: Connection) -> list[OpenStory]:
    """Return what was told and is not acknowledged: the worst first, then what has waited longest."""
    told: dict[StoryKey, datetime] = {}
    newest = and_(
        acknowledgement.c.revision_id == change.c.revision_id,
        acknowledgement.c.story == change.c.story,
        acknowledgement.c.id.in_(select(NEWEST_ACTS.c.id)),
    )
    about = and_(notice.c.revision_id == change.c.revision_id, notice.c.kind == NoticeKind.CHANGED, ~notice.c.drill)
    columns = (change.c.revision_id, change.c.story, notice.c.stories)
    query = select(*columns, func.min(digest.c.composed_at).label("told_at"))
    query = query.join_from(change, notice, about).join(digest, digest.c.id == notice.c.digest_id)
    query = query.outerjoin(acknowledgement, newest)
    query = query.where(_TOLD, or_(acknowledgement.c.act.is_(None), acknowledgement.c.act != Act.ACKNOWLEDGED))
    for row in db.execute(query.group_by(*columns)):
        key = StoryKey(revision_id=row.revision_id, story=row.story)
        if row.stories is None or row.story in row.stories:
            told[key] = min(row.told_at, told.get(key, row.told_at))
    standing = newest_acts(db, {key.revision_id for key in told})
    found = (
        OpenStory(story=story, told_at=told[key], standing=standing.get(key))
        for key, story in _stories(db, told).items()
    )
    return sorted(found, key=lambda one: (one.story.change.severity.rank, one.told_at, one.story.change.id))


def _stories(db: Connection, keys: Collection[StoryKey]) -> dict[StoryKey, Story]:
    ids = sorted({key.revision_id for key in keys})
    wanted = set(keys)
    found: dict[StoryKey, Story] = {}
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        steps = select(revision, release.c.data_timestamp).join(release, release.c.id == revision.c.release_id)
        changes = changes_of(db, batch)
        for row in db.execute(steps.where(revision.c.id.in_(batch))):
            for story, weightiest in _weightiest(changes[row.id]):
                key = StoryKey(revision_id=row.id, story=story)
                if key in wanted:
                    found[key] = Story(
                        key=key,
                        nct_id=row.nct_id,
                        change=weightiest,
                        data_timestamp=row.data_timestamp,
                        recorded_at=row.recorded_at,
                    )
    return found


def _weightiest(changes: Iterable[Change]) -> Iterable[tuple[str, Change]]:
    """Return each told story with the change whose sentence a digest shows."""
    found: dict[str, Change] = {}
    for one in changes:
        known = found.get(one.story)
        if one.told and (known is None or one.severity.rank < known.severity.rank):
            found[one.story] = one
    return found.items()
