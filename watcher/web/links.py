"""What a token allows, done: each function is one transaction.

Does not know HTTP.  What only looks uses a reading transaction, in which the database itself refuses to write.
"""

from dataclasses import dataclass

from watcher.app import Application
from watcher.core.text import one_line
from watcher.model import Acknowledgement, Act, StoryKey
from watcher.render.feed import FeedEntry
from watcher.store.acknowledgements import acknowledge, acts_of
from watcher.store.lists import opt_in, opt_out
from watcher.store.reader_lists import has_opted_out
from watcher.store.stories import Story, find_story, stories_of_list
from watcher.store.tokens import Grant, Purpose, find_grant

COMMENT_LENGTH = 2_000  # characters
_FEED_ENTRIES = 200


class NoSuchLink(Exception):
    """There is no such token, it was revoked, it is for something else, or what it is about is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Where a reader stands whose link it is."""

    address: str
    watchlist: str  # "" = all
    opted_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A story, and what was done about it."""

    address: str  # whose link it is
    story: Story
    acts: tuple[Acknowledgement, ...]  # oldest first
    just_now: bool = False  # the last one is this request's

    @property
    def acknowledged(self) -> bool:
        return bool(self.acts) and self.acts[-1].act is Act.ACKNOWLEDGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    watchlist: str
    entries: tuple[FeedEntry, ...]  # newest first


def look_at_subscription(app: Application, token: str) -> Subscription:
    """Return where the reader stands; changes nothing."""
    with app.database.reading() as db:
        grant = _granted(find_grant(db, token), Purpose.UNSUBSCRIBE)
        return _subscription(grant, opted_out=has_opted_out(db, grant.address, _watchlist(grant)))


def unsubscribe(app: Application, token: str) -> Subscription:
    """Let the reader hear no more of what the link is about; a second time changes nothing."""
    with app.database.writing() as db:
        grant = _granted(find_grant(db, token), Purpose.UNSUBSCRIBE)
        opt_out(db, grant.address, _watchlist(grant), now=app.now())
        return _subscription(grant, opted_out=True)


def undo_unsubscribe(app: Application, token: str) -> Subscription:
    """Take that back; a second time changes nothing."""
    with app.database.writing() as db:
        grant = _granted(find_grant(db, token), Purpose.UNSUBSCRIBE)
        opt_in(db, grant.address, _watchlist(grant), now=app.now())
        return _subscription(grant, opted_out=has_opted_out(db, grant.address, _watchlist(grant)))


def look_at_story(app: Application, token: str) -> Standing:
    """Return the story that the link is about; changes nothing."""
    with app.database.reading() as db:
        grant = _granted(find_grant(db, token), Purpose.ACKNOWLEDGE)
        key = _key(grant)
        story = find_story(db, key)
        if story is None:
            raise NoSuchLink
        acts = tuple(done for done in acts_of(db, [key.revision_id]) if done.key == key)
        return Standing(address=grant.address, story=story, acts=acts)


def acknowledge_story(app: Application, token: str, *, comment: str) -> Standing:
    """Record that the reader has taken note; who comes later, or a second time, changes nothing."""
    with app.database.writing() as db:
        grant = _granted(find_grant(db, token), Purpose.ACKNOWLEDGE)
        key = _key(grant)
        story = find_story(db, key)
        if story is None:
            raise NoSuchLink
        said = one_line(comment, COMMENT_LENGTH) or None
        _, new = acknowledge(db, key, by=grant.address, comment=said, now=app.now())
        acts = tuple(done for done in acts_of(db, [key.revision_id]) if done.key == key)
        return Standing(address=grant.address, story=story, acts=acts, just_now=new)


def read_feed(app: Application, token: str) -> Feed:
    """Return what the feed holds; changes nothing."""
    with app.database.reading() as db:
        watchlist = _watchlist(_granted(find_grant(db, token), Purpose.FEED))
        stories = stories_of_list(db, watchlist, limit=_FEED_ENTRIES)
    return Feed(watchlist=watchlist, entries=tuple(map(_entry, stories)))


def _entry(story: Story) -> FeedEntry:
    change = story.change
    return FeedEntry(
        revision_id=story.key.revision_id,
        story=story.key.story,
        nct_id=story.nct_id,
        headline=change.headline,
        sentence=change.sentence,
        severity=change.severity.value,
        category=change.category,
        day=story.data_timestamp[:10],
        updated=story.recorded_at,
    )


def _granted(grant: Grant | None, purpose: Purpose) -> Grant:
    if grant is None or grant.purpose is not purpose:
        raise NoSuchLink
    return grant


def _watchlist(grant: Grant) -> str:
    return str(grant.subject.get("watchlist", ""))


def _key(grant: Grant) -> StoryKey:
    return StoryKey(revision_id=int(grant.subject["revision"]), story=str(grant.subject["story"]))


def _subscription(grant: Grant, *, opted_out: bool) -> Subscription:
    return Subscription(address=grant.address, watchlist=_watchlist(grant), opted_out=opted_out)
