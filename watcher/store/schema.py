"""Bring a database's schema to the version that this program works with.

Alembic is imported only when there is something to migrate: it costs 0.1 s that no other start should pay.
"""

from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text

from watcher.errors import StoreError
from watcher.store.database import Database

HEAD = "0003"  # the newest file in migrations/versions/; a test holds the two together


def upgrade(database: Database) -> None:
    """Migrate to ``HEAD``; does nothing when the database is there already.

    Raises:
        StoreError: the database was written by a newer program, or cannot be migrated.
    """
    with database.reading() as db:
        version = current_version(db)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise StoreError(
            f"the database has schema {version}, this program knows schemas up to {HEAD}: "
            "it was used by a newer version of trialwatch; install that version, or restore an older backup"
        )
    with as_file(files("watcher.store") / "migrations") as folder, database.writing() as db:
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = db
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            raise StoreError(
                f"the database has schema {version}, which this program cannot bring to {HEAD} ({error}): "
                "was it written by another program? restore a backup, or name another database"
            ) from error


def current_version(db: Connection) -> str | None:
    """Return the schema's version; None for an empty database."""
    if not inspect(db).has_table("alembic_version"):
        return None
    version = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(version) if version else None
