"""Callbacks, attempts and pauses."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    _callback()
    _attempt()
    _pause()


def _callback() -> None:
    op.create_table(
        "callback",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text()),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("customer_attempts", sa.Integer(), nullable=False),
        sa.Column("agent_rings", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_callback_source_external_id")),
    )
    op.create_index(op.f("ix_callback_phone"), "callback", ["phone"])
    op.create_index(
        op.f("ix_callback_department_status_due_at_id"), "callback", ["department", "status", "due_at", "id"]
    )
    op.create_index(op.f("ix_callback_status_due_at_id"), "callback", ["status", "due_at", "id"])
    op.create_index(op.f("ix_callback_due_at_id"), "callback", ["due_at", "id"])


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("pbx_boot", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("dialled", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("cause", sa.Integer()),
        sa.Column("blame", sa.Text()),
        sa.Column("talk_us", sa.BigInteger()),
        sa.Column("hung_up_by", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.ForeignKeyConstraint(["callback_id"], ["callback.id"], name=op.f("fk_attempt_callback_id")),
        sa.UniqueConstraint("callback_id", "number", name=op.f("uq_attempt_callback_id_number")),
    )
    op.create_index(op.f("ix_attempt_ended_at_id"), "attempt", ["ended_at", "id"])
    op.create_index(op.f("ix_attempt_department_ended_at_id"), "attempt", ["department", "ended_at", "id"])
    op.create_index(op.f("ix_attempt_outcome_ended_at_id"), "attempt", ["outcome", "ended_at", "id"])


def _pause() -> None:
    op.create_table(
        "pause",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("resumed_by", sa.Text()),
        sa.Column("resumed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    in_force = sa.text("resumed_at IS NULL")
    op.create_index(
        "uq_pause_in_force",
        "pause",
        ["scope", "key"],
        unique=True,
        sqlite_where=in_force,
        postgresql_where=in_force,
    )
