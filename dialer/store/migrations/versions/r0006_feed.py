"""Feeds: how far each was read, and what could not be taken."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0005 to 0006."""
    op.create_table(
        "feed",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text()),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("news_at", sa.BigInteger()),
        sa.Column("taken", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed")),
    )
    op.create_table(
        "feed_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text()),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("raw", sa.Text()),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("differs", sa.Integer(), nullable=False),
        sa.Column("untold", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_item")),
        sa.UniqueConstraint("feed", "item", name=op.f("uq_feed_item_feed_item")),
    )
    quarantined, columns = sa.text("answer = 'quarantined'"), ["feed", "id"]
    op.create_index(
        "ix_feed_item_quarantined", "feed_item", columns, sqlite_where=quarantined, postgresql_where=quarantined
    )
    op.create_index(
        "ix_feed_item_untold",
        "feed_item",
        columns,
        sqlite_where=sa.text("untold IS 1"),
        postgresql_where=sa.text("untold IS true"),
    )
