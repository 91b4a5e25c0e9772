"""Show a digest before it is due, or as it would be: nothing is recorded, nothing is sent.

Links that need a token lead nowhere: tokens are put in force with the mail that carries them.
"""

import email
import email.policy
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import Connection

from watcher.actions.pages import check_days
from watcher.app import Application
from watcher.config.values import did_you_mean, nearest, normalise_address, quoted
from watcher.core.identifiers import normalise_nct_id
from watcher.core.routing import assign, stories_of
from watcher.errors import SettingsError
from watcher.model import Message
from watcher.stages.content import Content
from watcher.store import waiting
from watcher.store.notices import Notice
from watcher.store.noting import countries_at
from watcher.store.revisions import changes_of
from watcher.store.routes import catch_all_route, routes_of_trial

KINDS = (".eml", ".html", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A mail that was written to be looked at."""

    message: Message
    text: str
    html: str
    template_trouble: str | None  # why the built-in template was taken instead of the administrator's

    def content(self, kind: str) -> bytes:
        """Return what a file of one of the ``KINDS`` holds."""
        if kind == ".eml":
            return self.message.mime
        return (self.html if kind == ".html" else f"Subject: {self.message.subject}\n\n{self.text}").encode()


def kind_of(path: Path) -> str:
    """Return the ending of a file that a preview can be written to.

    Raises:
        SettingsError: it has another one.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise SettingsError([f"--out {path}: it should end in {', '.join(KINDS[:-1])} or {KINDS[-1]}"])
    return kind


def preview(
    app: Application, address: str | None, *, trial: str | None = None, since: str | None = None
) -> Preview | None:
    """Return a reader's next digest as it would be now; None when there is nothing to tell.

    Args:
        app: with its database.
        address: the reader; None = the operator, as if they heard of every watched trial.
        trial: only what is told of this one.
        since: tell instead what was recorded of the reader's trials since this day of the registry's data.

    Raises:
        SettingsError: no such reader, trial or day.
    """
    check_days(since)
    with app.database.reading() as db:
        who = _reader(waiting.readers(db), address) if address is not None else None
        trials = _trials(waiting.trials_of(db, who), trial)
        notices = _since(db, trials, since, who, now=app.now()) if since else waiting.next_notices(db, who)
        chosen = [one for one in notices if trial is None or one.nct_id in trials]
        if not chosen:
            return None
        letter = Content(db=db, table=app.table).of_changes(who or app.settings.operator, chosen, now=app.now())
    outgoing = app.writer.write(letter, who or app.settings.operator, identity="preview", now=app.now())
    text, html = (_part(outgoing.message.mime, subtype) for subtype in ("plain", "html"))
    trouble = str(outgoing.failed) if outgoing.failed else None
    return Preview(message=outgoing.message, text=text, html=html, template_trouble=trouble)


def _since(db: Connection, trials: list[str], day: str, who: str | None, *, now: datetime) -> list[Notice]:
    """Return what was recorded since a day, as far as the reader's routes take it today."""
    found = waiting.notices_since(db, trials, day, now=now)
    if who is None:
        return found
    changes = changes_of(db, [one.revision_id for one in found if one.revision_id is not None])
    last, routed = catch_all_route(db), []
    for one in found:
        if one.revision_id is None or one.nct_id is None:
            continue
        stories = stories_of(changes[one.revision_id], countries_at(db, one.nct_id, one.revision_id))
        heard = assign(stories, routes_of_trial(db, one.nct_id), last)
        mine = [story.id for share in heard if share.address == who for story in share.stories]
        if mine:
            routed.append(replace(one, stories=tuple(mine)))
    return routed


def _reader(known: list[str], address: str) -> str:
    try:
        normal = normalise_address(address)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    if normal not in known:
        hint = did_you_mean(nearest(normal, known)) or "; `trialwatch watch list` shows who does"
        raise SettingsError([f"{quoted(normal)} hears of no trial{hint}"])
    return normal


def _trials(mine: list[str], trial: str | None) -> list[str]:
    if trial is None:
        return mine
    try:
        nct_id = normalise_nct_id(trial)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    if nct_id not in mine:
        hint = did_you_mean(nearest(nct_id, mine)) or "; `trialwatch watch list` shows which are"
        raise SettingsError([f"{nct_id} is not watched for this reader{hint}"])
    return [nct_id]


def _part(mime: bytes, subtype: str) -> str:
    mail = email.message_from_bytes(mime, policy=email.policy.default)
    part = mail.get_body((subtype,))
    if not isinstance(part, EmailMessage):
        raise TypeError(f"a mail that was written has no {subtype} part")
    content: str = part.get_content()
    return content.replace("\r\n", "\n")
