"""What others are to be told: the outbox, filled by the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SAME = (
    "version, status, due_at, wanted_at, wanted_until, expires_at, attempts, customer_attempts, "
    "attempt_id, site, department, source, external_id, requested_at"
)


def upgrade() -> None:
    """Bring the schema from 0003 to 0004."""
    _subscriber()
    _outbox()
    _trigger("outbox_accepted", "INSERT", "", "NULL")
    _trigger("outbox_changed", "UPDATE OF version", "NEW.version <> OLD.version AND ", "OLD.status")


def _subscriber() -> None:
    op.create_table(
        "subscriber",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_subscriber")),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger()),
        sa.Column("wanted_until", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("customer_attempts", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'waiting'")),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("try_at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("settled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    _partial("ix_outbox_ready", ["subscriber", "try_at", "id"], "state = 'waiting'")
    _partial("uq_outbox_line", ["subscriber", "callback_id", "version"], "state = 'waiting'", unique=True)
    _partial("ix_outbox_undelivered", ["id"], "state != 'delivered'")
    _partial("ix_outbox_settled", ["settled_at"], "settled_at IS NOT NULL")


def _partial(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, "outbox", columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _trigger(name: str, moment: str, condition: str, previous: str) -> None:
    """SQLite's own: PostgreSQL will need a function that does the same, called FOR EACH ROW."""
    new = ", ".join(f"NEW.{column}" for column in _SAME.split(", "))
    op.execute(
        f"CREATE TRIGGER {name} AFTER {moment} ON callback "  # noqa: S608  # our own words only
        f"WHEN {condition}EXISTS (SELECT 1 FROM subscriber) BEGIN "
        f"INSERT INTO outbox (subscriber, callback_id, reason, outcome, at, since, try_at, {_SAME}, previous) "
        "SELECT s.name, NEW.id, "
        "CASE WHEN NEW.reason GLOB '*[^a-z0-9_]*' THEN 'by_a_person' ELSE NEW.reason END, "
        "(SELECT a.outcome FROM attempt AS a WHERE a.id = NEW.attempt_id), "
        f"NEW.updated_at, NEW.updated_at, NEW.updated_at, {new}, {previous} FROM subscriber AS s "
        "WHERE s.site IN ('', NEW.site) AND s.source IN ('', NEW.source); END"
    )
