"""Give out and take back the links of Atom feeds, by command."""

from watcher.app import Application, links_of
from watcher.config.values import nearest, normalise_address, quoted
from watcher.errors import SettingsError
from watcher.store.lists import listings, recipients
from watcher.store.tokens import Grant, Purpose, add_token, draw_token, revoke_tokens


def add_feed(app: Application, watchlist: str, address: str) -> str:
    """Return a new link to a watch list's feed; nobody can show it a second time.

    Args:
        app: opened.
        watchlist: an existing list.
        address: whom it is given to, so that it can be revoked.

    Raises:
        SettingsError: no such list, no such address, or there are no pages to lead to.
    """
    links = links_of(app.settings)
    if links is None:
        right = 'name the address at which the service answers, as in public_url = "https://trialwatch.example.org"'
        raise SettingsError([f"web.public_url: is not set, so that there are no feeds; {right}"])
    reader, word = _address(address), draw_token()
    with app.database.writing() as db:
        known = {each.watchlist for each in listings(db)} | set(recipients(db))
        if watchlist not in known:
            near = nearest(watchlist, known)
            right = f"did you mean {quoted(near)}?" if near else "`trialwatch watch list` shows them"
            raise SettingsError([f"there is no watch list {quoted(watchlist)}; {right}"])
        grant = Grant(purpose=Purpose.FEED, address=reader, subject={"watchlist": watchlist})
        add_token(db, word, grant, now=app.now())
    return links.feed(word)


def revoke_feeds(app: Application, address: str, watchlist: str | None) -> int:
    """Take the links back that an address was given: to one list's feed, or to all; return how many there were.

    Raises:
        SettingsError: no such address.
    """
    reader = _address(address)
    subject = {"watchlist": watchlist} if watchlist is not None else None
    with app.database.writing() as db:
        return revoke_tokens(db, address=reader, purpose=Purpose.FEED, now=app.now(), subject=subject)


def _address(text: str) -> str:
    try:
        return normalise_address(text)
    except ValueError as error:
        raise SettingsError([f"--for: {error}"]) from error
