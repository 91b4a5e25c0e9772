"""Each change keeps the codes of the rules that made its severity and its place; each watch, whether it is withheld.

What was recorded before has no codes: which rules spoke then is not known any more.  A record that was withheld before
is known as such when it changes next.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # With a default in the database, old rows need no rewriting, and SQLite no copy of the table.
    with op.batch_alter_table("change") as batch:
        batch.add_column(sa.Column("rules", sa.Text(), nullable=False, server_default="[]"))
    with op.batch_alter_table("watch") as batch:
        batch.add_column(sa.Column("withheld", sa.Boolean(), nullable=False, server_default=sa.false()))
