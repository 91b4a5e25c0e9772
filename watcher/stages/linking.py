"""The links of one letter: tokens are drawn as it is written, and stored with the message that holds them.

What was drawn for sentences that did not fit into the letter is forgotten.  Does not render or store.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from watcher.core.digest import Version
from watcher.core.targets import target_of
from watcher.model import Json, Severity, StoryKey
from watcher.render.letters import Letter
from watcher.render.links import Links
from watcher.store.reader_lists import has_opted_out, lists_heard
from watcher.store.routes import catch_all_route
from watcher.store.tokens import Grant, Purpose, draw_token

_ACKNOWLEDGEABLE = frozenset({Severity.CRITICAL, Severity.MAJOR})
_Drawn = tuple[str, Purpose, Mapping[str, Json]]  # the word, and what it allows whoever gets it


@dataclass(slots=True)
class Linker:
    """Puts links into one letter to one person; with ``links`` None, none."""

    links: Links | None
    address: str
    _drawn: dict[str, _Drawn] = field(default_factory=dict)  # by the link

    def acknowledgeable(self, version: Version, revision_id: int) -> Version:
        """Return a version with a link to acknowledge at each of its critical and major sentences."""
        if self.links is None:
            return version
        sentences = []
        for sentence in version.sentences:
            link = None
            if sentence.severity in _ACKNOWLEDGEABLE and sentence.story is not None:
                link = self._acknowledge(StoryKey(revision_id=revision_id, story=sentence.story))
            sentences.append(replace(sentence, acknowledge_url=link))
        return replace(version, sentences=tuple(sentences))

    def subscribed(self, letter: Letter, db: Connection, nct_ids: Collection[str]) -> Letter:
        """Return a letter that says by which lists it came, with the link that ends that.

        Args:
            letter: what is said.
            db: to look up the person's lists.
            nct_ids: the trials that it is about.
        """
        if self.links is None or target_of(self.address) is not None:
            return letter  # a target was named by the operator; nobody there is a reader who could leave
        lists = lists_heard(db, self.address, nct_ids)
        last = catch_all_route(db)
        if not lists and last is not None and last.address == self.address:
            return letter  # what has no other reader comes all the same
        # One click ends what the mail came by; where that is not one list, it is all of them.
        subject: dict[str, Json] = {"watchlist": lists[0]} if len(lists) == 1 else {}
        word = draw_token()
        url = self.links.unsubscribe(word)
        self._drawn[url] = (word, Purpose.UNSUBSCRIBE, subject)
        out = has_opted_out(db, self.address, lists[0] if len(lists) == 1 else "")
        return replace(letter, unsubscribe_url=url, why=_why(lists, out=out), opted_out=out)

    def drawn_in(self, letter: Letter, recipient: str) -> list[tuple[str, Grant]]:
        """Return the tokens that a letter holds, to be stored with it, as those of whom it goes to."""
        sentences = (sentence for block in letter.blocks for sentence in block.sentences)
        urls = [letter.unsubscribe_url, *(sentence.acknowledge_url for sentence in sentences)]
        drawn = [self._drawn[url] for url in urls if url is not None]
        return [(word, Grant(purpose=what, address=recipient, subject=subject)) for word, what, subject in drawn]

    def _acknowledge(self, key: StoryKey) -> str | None:
        if self.links is None:
            return None
        word = draw_token()
        url = self.links.acknowledge(word)
        subject: dict[str, Json] = {"revision": key.revision_id, "story": key.story}
        self._drawn[url] = (word, Purpose.ACKNOWLEDGE, subject)
        return url


def _why(lists: list[str], *, out: bool) -> str:
    what = f'the watch list "{lists[0]}"' if len(lists) == 1 else "trials that are watched for you"
    if out:
        return f"You asked by a link to hear no more of {what}."
    return f"You get this mail because you are named as a reader of {what}."
