"""The way to the departments that a site's callbacks ever had."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0010 to 0011."""
    op.create_index("ix_callback_site_department", "callback", ["site", "department"])
