"""What others are to be told: the outbox, filled by the database itself."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0003 to 0004."""
