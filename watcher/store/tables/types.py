"""The column types: moments, text from outside, JSON values."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, String, Text, TypeDecorator

from watcher.model import Json


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, also in databases that do not keep a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        if not isinstance(value, datetime):
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text from outside, whatever characters it holds.

    PostgreSQL stores no NUL, and no database half a surrogate pair, but JSON and a server's reply may hold both.  Each
    is stored as SUBSTITUTE and its code in four hexadecimal digits, and so is SUBSTITUTE itself.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else _UNSTORABLE.sub(lambda found: f"{_SUBSTITUTE}{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else _STORED_CODE.sub(lambda found: chr(int(found[1], 16)), value)


_SUBSTITUTE = "\x1a"
_UNSTORABLE = re.compile(f"[\x00{_SUBSTITUTE}\ud800-\udfff]")
_STORED_CODE = re.compile(f"{_SUBSTITUTE}([0-9a-f]{{4}})")


class Value(TypeDecorator[Json]):
    """A JSON value as text, ASCII only; None is NULL.

    Not a column of the database's JSON type: in SQLite that one stores 1.0 as 1, and 10^40 as 1e40.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Json, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Json:
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NCT_ID = String(11)
ADDRESS = String(320)
