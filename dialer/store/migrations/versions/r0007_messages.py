"""Messages to visitors, each at most once, and the permission to send texts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Bring the schema from 0006 to 0007."""
    op.add_column("callback", sa.Column("sms_allowed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("about", sa.BigInteger(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger()),
        sa.Column("wanted_until", sa.BigInteger()),
        sa.Column("promised_at", sa.BigInteger(), nullable=False),
        sa.Column("send_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_until", sa.BigInteger()),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callback.id"], name=op.f("fk_message_callback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint(
            *("callback_id", "channel", "kind", "about"), name=op.f("uq_message_callback_id_channel_kind_about")
        ),
    )
    op.create_index(op.f("ix_message_state_id"), "message", ["state", "id"])
    due = ["channel", "send_at", "id"]
    op.create_index("ix_message_waiting", "message", due, sqlite_where=_WAITING, postgresql_where=_WAITING)
