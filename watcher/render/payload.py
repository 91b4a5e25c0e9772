"""Write the document that a target gets: what a mail tells, for programs, and its text for chats.  Pure.

One form for every kind of target, so that what waits for a target can still be sent when its kind is changed.  The
fields are described, for whoever receives them, in ``docs/webhooks.md``; a field is added without a new version, but
none is taken away or given another meaning.

Does not choose what is told: that is the letter's.  There is more room than in a mail, so that the document holds what
the letter has in full, and falls back to what was cut for a mail, trial by trial, only when that has no room.
"""

from collections.abc import Iterable
from datetime import datetime

import orjson

from watcher.core.budget import NamedTrial, named_trial
from watcher.core.digest import Sentence, TrialBlock, Version
from watcher.core.text import one_line
from watcher.model import Json
from watcher.render.letters import Coverage, IncidentLine, Letter, TrialGroup
from watcher.render.templates import RECORD_URL

VERSION = 1
BUDGET = 256 * 1024  # bytes of a whole document; Standard Webhooks warns of receivers that take little more
_TEXT = 64 * 1024  # bytes of that for the text, as JSON
_NAMES = 16 * 1024  # bytes of that which are kept for names when not all trials can be told in full
# What a letter's template is called, and what receivers know its documents by.
_TYPES = {"digest": "digest.changes", "watching": "digest.watching", "operator": "operator.incidents"}


def payload(letter: Letter, *, text: str, composed_at: datetime) -> bytes:
    """Return the document of a letter, JSON in UTF-8, the same for the same arguments.

    Args:
        letter: what is told.
        text: the same as a mail's text part.
        composed_at: timezone-aware.
    """
    shown, text_left_out = _fit_text(text)
    data: dict[str, Json] = {
        "subject": one_line(letter.subject),
        "summary": one_line(letter.summary),
        "drill": letter.drill,
        "text": shown,
        "remarks": [_change(remark) for remark in letter.remarks],
        "lines": [one_line(line) for line in letter.lines],
        "trials": [],
        "named": [],
        "groups": [],
        "incidents": [],
        "coverage": _coverage(letter.coverage),
        "left_out": {"trials": 0, "groups": 0, "incidents": 0, "text_lines": text_left_out},
    }
    document = {
        "type": _TYPES.get(letter.template, f"message.{letter.template}"),
        "version": VERSION,
        "timestamp": composed_at.isoformat(),
        "data": data,
    }
    room = BUDGET - len(orjson.dumps(document)) - 100  # for larger counts of what is left out
    incidents, groups = [_incident(one) for one in letter.incidents], [_group(one) for one in letter.groups]
    data["incidents"], room = _fit(incidents, room)
    data["trials"], data["named"], data["left_out"]["trials"], room = _fit_trials(letter, room)
    data["groups"], room = _fit(groups, room)
    data["left_out"]["incidents"] = len(incidents) - len(data["incidents"])
    data["left_out"]["groups"] = len(groups) - len(data["groups"])
    return orjson.dumps(document)


def _fit_trials(letter: Letter, room: int) -> tuple[list[Json], list[Json], int, int]:
    """Return the trials that are told, those that are named, how many are left out, and the room that is left."""
    blocks, cut = letter.whole or letter.blocks, {block.nct_id: block for block in letter.blocks}
    told, left = _fit((_trial(block) for block in blocks), room)
    if len(told) < len(blocks):  # not in full, then: as far as they go, and the names of the others
        told, left = [], room - _NAMES
        for block in blocks:
            entry, left = _fit([_trial(block)], left)
            if not entry:
                entry, left = _fit([_trial(cut[block.nct_id])] if block.nct_id in cut else [], left)
            if not entry:
                break
            told += entry
        left += _NAMES
    names = [*map(named_trial, blocks[len(told) :]), *(() if letter.whole else letter.named)]
    named, left = _fit(map(_named, names), left)
    more = 0 if letter.whole else letter.more
    return told, named, len(names) - len(named) + more, left


def _fit(entries: Iterable[Json], room: int) -> tuple[list[Json], int]:
    """Return the first entries, as many as there is room for, and the room that is left."""
    kept: list[Json] = []
    for entry in entries:
        size = len(orjson.dumps(entry)) + 1
        if size > room:
            break
        kept.append(entry)
        room -= size
    return kept, room


def _fit_text(text: str) -> tuple[str, int]:
    """Return the first lines of a text, as many as fit, and how many are left out; invisible characters are spaces."""
    lines = ["".join(char if char.isprintable() else " " for char in line) for line in text.rstrip().split("\n")]
    kept, _ = _fit(lines, _TEXT)
    return "\n".join(kept), len(lines) - len(kept)


def _coverage(coverage: Coverage) -> Json:
    return {
        "verified": coverage.verified,
        "watched": coverage.watched,
        "data_date": coverage.data_date,
        "sentence": coverage.sentence,
    }


def _trial(block: TrialBlock) -> Json:
    return {
        "nct_id": block.nct_id,
        "title": one_line(block.title),
        "url": RECORD_URL + block.nct_id,
        "versions": [_version(version) for version in block.versions],
    }


def _version(version: Version) -> Json:
    return {
        "origin": one_line(version.origin),
        "changes": [_change(sentence) for sentence in version.sentences],
        "reminder": version.reminder,
        "delayed_since": version.delayed_since.isoformat() if version.delayed_since else None,
        "also": [one_line(clause) for clause in version.clauses],
        "not_told": version.not_told,
        "left_out": version.left_out,
    }


def _change(sentence: Sentence) -> Json:
    return {
        "sentence": one_line(sentence.text),
        "headline": one_line(sentence.headline),
        "severity": sentence.severity.value,
        "category": sentence.category,
        "details": [{"label": one_line(one.label), "text": one_line(one.text)} for one in sentence.details],
        "details_left_out": sentence.details_left_out,
    }


def _named(trial: NamedTrial) -> Json:
    return {
        "nct_id": trial.nct_id,
        "headline": one_line(trial.headline),
        "url": RECORD_URL + trial.nct_id,
        "told": trial.told,
    }


def _group(group: TrialGroup) -> Json:
    return {
        "heading": one_line(group.heading),
        "trials": [
            {
                "nct_id": one.nct_id,
                "title": one_line(one.title),
                "url": RECORD_URL + one.nct_id,
                "facts": [one_line(fact) for fact in one.facts],
            }
            for one in group.trials
        ],
        "more": group.more,
    }


def _incident(incident: IncidentLine) -> Json:
    return {"summary": one_line(incident.summary), "opened_at": incident.opened_at.isoformat()}
