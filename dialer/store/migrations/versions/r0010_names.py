"""By what else a callback is known to those whose requests it answered."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0009 to 0010."""
    op.create_table(
        "other_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callback.id"], name=op.f("fk_other_name_callback_id_callback")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_other_name")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_other_name_source_external_id")),
    )
    op.create_index(op.f("ix_other_name_callback_id"), "other_name", ["callback_id"])
