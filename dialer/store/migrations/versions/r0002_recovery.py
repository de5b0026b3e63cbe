"""What proves an attempt's end after a gap, and what people decided where nothing did."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0001 to 0002."""
    op.add_column("attempt", sa.Column("pbx_identity", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("attempt", sa.Column("place_by", sa.BigInteger()))
    op.create_table(
        "resolution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolution")),
        sa.ForeignKeyConstraint(["callback_id"], ["callback.id"], name=op.f("fk_resolution_callback_id")),
    )
    op.create_index(op.f("ix_resolution_callback_id"), "resolution", ["callback_id"])
