"""An Atom feed (RFC 4287, read in November 2026) of what is told of a watch list's trials.

Ids are tag URIs (RFC 4151) of our own keys, so that a reader knows an entry again whatever its address.  Knows no
person; does not look anything up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

from watcher.core.text import one_line
from watcher.render.letters import SOURCE
from watcher.render.templates import record_url

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_ATOM = "http://www.w3.org/2005/Atom"
_TAG_YEAR = "2026"  # in which ids of this form were first given; RFC 4151 wants a date on which we owned the domain
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    revision_id: int
    story: str
    nct_id: str
    headline: str
    sentence: str
    severity: str
    category: str
    day: str  # of the registry's data
    updated: datetime


def atom_feed(watchlist: str, entries: Sequence[FeedEntry], *, domain: str, link: str) -> bytes:
    """Return the feed as a document.

    Args:
        watchlist: the list's name.
        entries: newest first.
        domain: under which our ids are ours; kept when servers move.
        link: where the feed itself is.
    """
    tag = f"tag:{domain},{_TAG_YEAR}:"
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "en"})
    _text(feed, "id", f"{tag}list/{quote(watchlist, safe='', errors='replace')}")
    _text(feed, "title", f"trialwatch: {watchlist}")
    _text(feed, "updated", _moment(max((entry.updated for entry in entries), default=_NOTHING_YET)))
    ET.SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": link})
    _text(ET.SubElement(feed, "author"), "name", "trialwatch")
    _text(feed, "rights", SOURCE)
    for entry in entries:
        _add(feed, entry, tag)
    document: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _add(feed: ET.Element, entry: FeedEntry, tag: str) -> None:
    element = ET.SubElement(feed, "entry")
    _text(element, "id", f"{tag}revision/{entry.revision_id}/story/{entry.story}")
    _text(element, "title", f"[{entry.nct_id}] {entry.headline}")
    _text(element, "updated", _moment(entry.updated))
    _text(element, "published", _moment(entry.updated))
    ET.SubElement(element, "link", {"rel": "alternate", "type": "text/html", "href": record_url(entry.nct_id)})
    ET.SubElement(element, "category", {"term": entry.severity, "label": f"{entry.severity}: {entry.category}"})
    content = _text(element, "content", f"{entry.sentence} (registry data of {entry.day})")
    content.set("type", "text")


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = _NOT_XML.sub(" ", one_line(text))
    return element


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
