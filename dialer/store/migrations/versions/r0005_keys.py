"""Keys of the API, and the answers kept by idempotency key."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from 0004 to 0005."""
