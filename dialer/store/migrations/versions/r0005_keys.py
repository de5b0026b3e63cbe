"""Keys of the API, and the answers kept by idempotency key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0004 to 0005."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.Column("revoked_by", sa.Text()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_key_hash")),
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.ForeignKeyConstraint(["holder"], ["api_key.id"], name=op.f("fk_answer_holder_api_key")),
        sa.ForeignKeyConstraint(["callback_id"], ["callback.id"], name=op.f("fk_answer_callback_id_callback")),
    )
    op.create_index(op.f("ix_answer_callback_id"), "answer", ["callback_id"])
    op.create_index(op.f("ix_answer_at"), "answer", ["at"])
    op.create_index("uq_answer_holder_key", "answer", ["holder", "key"], unique=True)
    op.create_index("ix_callback_site_due_at", "callback", ["site", "due_at", "id"])
    in_force = sa.text("allowed_at IS NULL")
    op.create_index(
        "ix_do_not_call_who", "do_not_call", ["who", "id"], sqlite_where=in_force, postgresql_where=in_force
    )
