"""Tokens: random words in links, each of which allows one thing until it is revoked.

Only their hashes are kept, so that whoever reads the database cannot use them.  A token is drawn where a mail is
written, and recorded in the transaction that puts the mail into the outbox.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection, insert, select, update

from watcher.model import Json
from watcher.store.tables import token

_BYTES = 16  # of chance: 128 bits


class Purpose(StrEnum):
    UNSUBSCRIBE = "unsubscribe"  # subject: {"watchlist": name}, or {} for all mail
    ACKNOWLEDGE = "acknowledge"  # subject: {"revision": id, "story": id}
    FEED = "feed"  # subject: {"watchlist": name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token allows."""

    purpose: Purpose
    address: str  # whom it was given to
    subject: Mapping[str, Json]  # see Purpose


def draw_token() -> str:
    """Return a new token, 22 characters that a link may hold as they are."""
    return secrets.token_urlsafe(_BYTES)


def add_token(db: Connection, word: str, grant: Grant, *, now: datetime) -> None:
    """Put a token that was drawn in force."""
    add_tokens(db, [(word, grant)], now=now)


def add_tokens(db: Connection, drawn: Sequence[tuple[str, Grant]], *, now: datetime) -> None:
    """Put tokens that were drawn in force, in one statement."""
    rows = [
        {
            "hash": _hash(word),
            "purpose": grant.purpose,
            "address": grant.address,
            "subject": dict(grant.subject),
            "created_at": now,
        }
        for word, grant in drawn
    ]
    if rows:
        db.execute(insert(token), rows)


def find_grant(db: Connection, word: str) -> Grant | None:
    """Return what a token allows; None when there is no such token, or it was revoked."""
    # Looked up by its hash: how long that takes says nothing of the tokens there are.
    row = db.execute(select(token).where(token.c.hash == _hash(word), token.c.revoked_at.is_(None))).first()
    return Grant(purpose=Purpose(row.purpose), address=row.address, subject=row.subject) if row else None


def revoke_tokens(
    db: Connection,
    *,
    address: str,
    purpose: Purpose,
    now: datetime,
    subject: Mapping[str, Json] | None = None,
) -> int:
    """Revoke all tokens that an address was given for a purpose; return how many were in force.

    Args:
        db: a writing transaction.
        address: whom they were given to.
        purpose: what for.
        now: the moment.
        subject: only those that are about exactly this; None = all.
    """
    here = [token.c.address == address, token.c.purpose == purpose, token.c.revoked_at.is_(None)]
    if subject is not None:
        here.append(token.c.subject == dict(subject))
    return db.execute(update(token).where(*here).values(revoked_at=now)).rowcount


def _hash(word: str) -> bytes:
    return sha256(word.encode("utf-8", "surrogatepass")).digest()
