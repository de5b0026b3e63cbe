"""Promises that end, wishes, a day's count, the trunks that failed, and the numbers that are never called."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0002 to 0003."""
    _callback()
    _attempt()
    _do_not_call()


def _callback() -> None:
    nothing = sa.text("''")
    for column in (
        sa.Column("wanted_until", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("day", sa.Text()),
        sa.Column("day_attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("prefer_agent", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("failed_trunks", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("origin", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("wish_kind", sa.Text()),
        sa.Column("wish_reason", sa.Text()),
        sa.Column("wish_due_at", sa.BigInteger()),
        sa.Column("wish_expires_at", sa.BigInteger()),
        sa.Column("wish_late", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("callback", column)
    op.drop_index(op.f("ix_callback_phone"), "callback")
    op.create_index(op.f("ix_callback_phone_requested_at"), "callback", ["phone", "requested_at"])
    _partial(
        "ix_callback_expiring",
        "callback",
        ["status", "expires_at", "id"],
        "status = 'scheduled' AND expires_at IS NOT NULL",
    )
    _partial("ix_callback_session", "callback", ["session", "requested_at"], "session != ''")
    _partial("ix_callback_origin", "callback", ["origin", "requested_at"], "origin != ''")


def _attempt() -> None:
    op.add_column("attempt", sa.Column("rang", sa.Boolean()))
    op.add_column("attempt", sa.Column("agent_slot", sa.Integer(), nullable=False, server_default=sa.text("0")))
    # Nothing kept an agent from having several attempts without an end: numbered, they all keep the rule.
    op.execute(
        "UPDATE attempt SET agent_slot = (SELECT count(*) FROM attempt AS other "
        "WHERE other.agent = attempt.agent AND other.ended_at IS NULL AND other.id < attempt.id) "
        "WHERE ended_at IS NULL"
    )
    _partial("uq_attempt_open_agent", "attempt", ["agent", "agent_slot"], "ended_at IS NULL", unique=True)
    op.create_index(op.f("ix_attempt_department_created_at"), "attempt", ["department", "created_at"])


def _do_not_call() -> None:
    op.create_table(
        "do_not_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("allowed_by", sa.Text()),
        sa.Column("allowed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_do_not_call")),
    )
    _partial("uq_do_not_call_in_force", "do_not_call", ["number"], "allowed_at IS NULL", unique=True)


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
