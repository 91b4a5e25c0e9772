"""Copies: one letter to many readers is rendered for the first two, and copied for the others.

The first reader's mail is written as if there were no other.  With the second reader it is worth to make a form: the
mail without what is a reader's own.  The second reader's mail is written in full as well; only if the form, filled in
for them, is that mail to the byte, the others' mails are filled in.  Otherwise, because a template of the
administrator's does something with a link, or because a record holds what a form has a gap for, all are written in
full.  So nothing has to be believed of templates and encodings, and whoever hears something else is never copied: the
letter, with all that it says, is what is looked up.

For one run: the date of all mails is the same.  Does not gather letters, draw tokens or store.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from watcher.core.targets import target_of
from watcher.render.copying import Form, Own, form_of
from watcher.render.letters import Letter
from watcher.stages.linking import stand_ins, with_words
from watcher.stages.writing import Outgoing, Writer

_MOST_FORMS = 64  # kept at a time, for as many different letters; each is as large as a mail
_NOBODY = "somebody-who-gets-no-mail-c1b7de50f3a94e62@copies.invalid"  # no record and no settings file holds it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Master:
    """A mail of which copies are made."""

    form: Form
    outgoing: Outgoing  # as it was written to nobody


@dataclass(frozen=True, slots=True)
class _Seen:
    """A letter that was written once, or that cannot be copied."""

    again: bool  # whether a form is worth a try


class Copies:
    """Writes letters."""

    def __init__(self, writer: Writer, *, now: datetime) -> None:
        """Take who writes in full, and the date of the mails."""
        self._writer = writer
        self._now = now
        self._known: OrderedDict[Letter, _Master | _Seen] = OrderedDict()

    def write(self, letter: Letter, address: str, *, identity: str, words: Mapping[str, str]) -> Outgoing:
        """Write a letter to one reader.

        Args:
            letter: with stand-ins in its links.
            address: of the reader.
            identity: of the message, see ``Writer.draft``.
            words: the reader's own, by the stand-ins.

        Raises:
            TemplateFailed, ValueError: as ``Writer.draft``.
        """
        known = self._known.get(letter)
        if known is None:
            self._remember(letter, _Seen(again=target_of(address) is None))
        else:
            self._known.move_to_end(letter)
        if isinstance(known, _Master) and target_of(address) is None:
            return self._writer.signed(self._copy(known, address, identity, words))
        if isinstance(known, _Seen) and known.again and target_of(address) is None:
            return self._write_second(letter, address, identity, words)
        return self._writer.write(with_words(letter, words), address, identity=identity, now=self._now)

    def _write_second(self, letter: Letter, address: str, identity: str, words: Mapping[str, str]) -> Outgoing:
        """Write in full, and settle whether further readers may get copies."""
        full = self._writer.draft(with_words(letter, words), address, identity=identity, now=self._now)
        master = self._master(letter)
        copy = self._copy(master, address, identity, words)
        same = replace(copy, message=full.message, failed=full.failed) == full and _same_text(copy, full)
        self._remember(letter, master if same else _Seen(again=False))
        return self._writer.signed(full)

    def _master(self, letter: Letter) -> _Master:
        outgoing = self._writer.draft(letter, _NOBODY, identity=_NOBODY, now=self._now)
        own = Own(recipient=_NOBODY, message_id=outgoing.message.message_id, words=tuple(stand_ins(letter)))
        return _Master(form=form_of(outgoing.message.mime, own), outgoing=outgoing)

    def _copy(self, master: _Master, address: str, identity: str, words: Mapping[str, str]) -> Outgoing:
        message = self._writer.addressed(address, identity=identity)
        own = Own(recipient=address, message_id=message.message_id, words=tuple(words.values()))
        mime, subject = master.form.filled(own), master.outgoing.message.subject
        return replace(master.outgoing, message=replace(message, mime=mime, subject=subject))

    def _remember(self, letter: Letter, what: _Master | _Seen) -> None:
        self._known[letter] = what
        self._known.move_to_end(letter)
        if len(self._known) > _MOST_FORMS:
            self._known.popitem(last=False)


def _same_text(one: Outgoing, other: Outgoing) -> bool:
    return (one.message.mime, one.message.subject) == (other.message.mime, other.message.subject)
