"""A number may be on the do-not-call list by several who objected: none of them takes back what another said."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0008 to 0009."""
    op.drop_index("uq_do_not_call_in_force", "do_not_call")
    op.create_index(
        "uq_do_not_call_in_force",
        "do_not_call",
        ["number", "who"],
        unique=True,
        sqlite_where=sa.text("allowed_at IS NULL"),
        postgresql_where=sa.text("allowed_at IS NULL"),
    )
