"""The links of letters: which there are, and the tokens by which each reader's own work.

A letter is gathered with stand-ins in its links, the same for whoever gets it, so that readers who hear the same get
the same letter.  When it is written to somebody, tokens are drawn for them and take the place of the stand-ins; they
are stored with the message that holds them.  Does not render or store.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import orjson

from watcher.core.digest import Sentence, Version
from watcher.core.targets import target_of
from watcher.model import Json, Severity, StoryKey
from watcher.render.letters import Letter
from watcher.render.links import Links
from watcher.store.reader_facts import ReaderFacts
from watcher.store.tokens import Grant, Purpose, draw_token

_ACKNOWLEDGEABLE = frozenset({Severity.CRITICAL, Severity.MAJOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A token for one reader."""

    stand_in: str  # whose place it takes
    word: str
    grant: Grant


@dataclass(slots=True)
class Linker:
    """Puts links into letters; with ``links`` None, none."""

    links: Links | None
    _allowed: dict[str, tuple[Purpose, Mapping[str, Json]]] = field(default_factory=dict)  # by the stand-in

    def acknowledgeable(self, version: Version, revision_id: int) -> Version:
        """Return a version with a link to acknowledge at each of its critical and major sentences."""
        if self.links is None:
            return version
        sentences = []
        for sentence in version.sentences:
            link = None
            if sentence.severity in _ACKNOWLEDGEABLE and sentence.story is not None:
                key = StoryKey(revision_id=revision_id, story=sentence.story)
                subject: dict[str, Json] = {"revision": key.revision_id, "story": key.story}
                link = self.links.acknowledge(self._stand_in(Purpose.ACKNOWLEDGE, subject))
            sentences.append(replace(sentence, acknowledge_url=link))
        return replace(version, sentences=tuple(sentences))

    def subscribed(self, letter: Letter, address: str, facts: ReaderFacts, lists: Sequence[str]) -> Letter:
        """Return a letter that says by which lists it came, with the link that ends that.

        Args:
            letter: what is said.
            address: whom it is meant for.
            facts: of that reader.
            lists: by which they hear of what it says.
        """
        if self.links is None or target_of(address) is not None:
            return letter  # a target was named by the operator; nobody there is a reader who could leave
        if not lists and facts.hears_the_rest:
            return letter  # what has no other reader comes all the same
        # One click ends what the mail came by; where that is not one list, it is all of them.
        subject: dict[str, Json] = {"watchlist": lists[0]} if len(lists) == 1 else {}
        url = self.links.unsubscribe(self._stand_in(Purpose.UNSUBSCRIBE, subject))
        out = facts.has_opted_out(lists[0] if len(lists) == 1 else "")
        return replace(letter, unsubscribe_url=url, why=_why(lists, out=out), opted_out=out)

    def drawn_for(self, letter: Letter, recipient: str) -> list[Drawn]:
        """Return new tokens for all links that a letter holds, for whom it goes to."""
        return [
            Drawn(
                stand_in=stand_in,
                word=draw_token(),
                grant=Grant(purpose=self._allowed[stand_in][0], address=recipient, subject=self._allowed[stand_in][1]),
            )
            for stand_in in stand_ins(letter)
        ]

    def _stand_in(self, purpose: Purpose, subject: Mapping[str, Json]) -> str:
        """Return a word as long as a token, that opens nothing."""
        meant = orjson.dumps([purpose, subject])
        word = base64.urlsafe_b64encode(sha256(meant).digest()[: len(draw_token()) * 3 // 4]).decode().rstrip("=")
        self._allowed[word] = (purpose, subject)
        return word


def stand_ins(letter: Letter) -> list[str]:
    """Return the stand-ins that a letter's links hold, each once."""
    sentences = (sentence for block in letter.blocks for sentence in block.sentences)
    urls = [letter.unsubscribe_url, *(sentence.acknowledge_url for sentence in sentences)]
    return list(dict.fromkeys(url.rpartition("/")[2] for url in urls if url is not None))


def with_words(letter: Letter, words: Mapping[str, str]) -> Letter:
    """Return a letter whose links hold a reader's words in place of the stand-ins."""
    if not words:
        return letter
    blocks = tuple(
        replace(block, versions=tuple(_version_with(version, words) for version in block.versions))
        for block in letter.blocks
    )
    return replace(letter, blocks=blocks, unsubscribe_url=_with(letter.unsubscribe_url, words))


def _version_with(version: Version, words: Mapping[str, str]) -> Version:
    def own(sentence: Sentence) -> Sentence:
        return replace(sentence, acknowledge_url=_with(sentence.acknowledge_url, words))

    return replace(version, sentences=tuple(map(own, version.sentences)))


def _with(url: str | None, words: Mapping[str, str]) -> str | None:
    if url is None:
        return None
    before, slash, word = url.rpartition("/")
    return before + slash + words[word]


def _why(lists: Sequence[str], *, out: bool) -> str:
    what = f'the watch list "{lists[0]}"' if len(lists) == 1 else "trials that are watched for you"
    if out:
        return f"You asked by a link to hear no more of {what}."
    return f"You get this mail because you are named as a reader of {what}."
