"""What Alembic runs: migrations on the connection that ``schema.py`` hands over, in its transaction."""

from alembic import context

from watcher.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
