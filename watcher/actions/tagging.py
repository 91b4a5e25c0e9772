"""Tag trials by command: words that routes name them by."""

from collections.abc import Sequence

from watcher.app import Application
from watcher.config.values import LONGEST_TAG, one_line
from watcher.core.identifiers import normalise_nct_id
from watcher.errors import SettingsError
from watcher.store.lists import tag_trials, untag_trials
from watcher.store.routes import lists_of


def tag(app: Application, trials: Sequence[str], word: str) -> tuple[str, list[str]]:
    """Give trials a tag, and return it with those that did not have it by command.

    Raises:
        SettingsError: something given is wrong, or a trial is on no list; nothing was recorded.
    """
    name, wanted = _read(trials, word)
    with app.database.writing() as db:
        unknown = [nct_id for nct_id in wanted if not lists_of(db, nct_id)]
        if unknown:
            raise SettingsError([f"{nct_id} is on no watch list; add it first" for nct_id in unknown])
        return name, tag_trials(db, name, wanted, now=app.now())


def untag(app: Application, trials: Sequence[str], word: str) -> tuple[str, list[str]]:
    """Take a tag from trials, and return it with them.

    Raises:
        SettingsError: something given is wrong, or a trial does not have it by command; nothing was recorded.
    """
    name, wanted = _read(trials, word)
    with app.database.writing() as db:
        taken = untag_trials(db, name, wanted, now=app.now())
        others = [nct_id for nct_id in wanted if nct_id not in taken]
        if others:
            raise SettingsError([f'{nct_id} is not tagged "{name}" by command' for nct_id in others])
        return name, taken


def _read(trials: Sequence[str], word: str) -> tuple[str, list[str]]:
    problems, found = [], []
    for text in trials:
        try:
            found.append(normalise_nct_id(text))
        except ValueError as error:
            problems.append(str(error))
    name = ""
    try:
        name = one_line(word)
    except ValueError as error:
        problems.append(f"the tag {error}")
    if len(name) > LONGEST_TAG:
        problems.append(f"the tag has {len(name)} characters; write at most {LONGEST_TAG}")
    if problems:
        raise SettingsError(problems)
    return name, list(dict.fromkeys(found))
