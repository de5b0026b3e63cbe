"""Feeds: how far each was read, and what could not be taken."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0005 to 0006."""
