"""The tables. Words are the product's; instants are UTC microseconds (`Instant`)."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from dialer.store.columns import ConsentText, Instant, Timeline

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

callback = Table(
    "callback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("phone", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("consent", ConsentText),
    Column("requested_at", Instant, nullable=False),
    Column("wanted_at", Instant),
    Column("due_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("customer_attempts", Integer, nullable=False),
    Column("agent_rings", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    # The latest attempt: it alone may move the callback on, and it tells who won a claim.
    Column("attempt_id", Text),
    Column("source", Text, nullable=False),
    Column("external_id", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("source", "external_id"),
    # The id ends the due indexes because thousands may be due at the same moment: a page must need no sorting.
    Index(None, "department", "status", "due_at", "id"),
    Index(None, "status", "due_at", "id"),
    Index(None, "due_at", "id"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("callback_id", Text, ForeignKey("callback.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("department", Text, nullable=False),
    Column("pbx", Text, nullable=False),
    Column("pbx_boot", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("trunk", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("ready_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("timeline", Timeline, nullable=False),
    Column("outcome", Text),
    Column("cause", Integer),
    Column("blame", Text),
    Column("talk_us", BigInteger),
    Column("hung_up_by", Text),
    Column("detail", Text),
    Column("ended_at", Instant),
    Column("updated_at", Instant, nullable=False),
    # Since revision 0002; empty in rows that are older.
    Column("pbx_identity", Text, nullable=False, server_default=text("''")),
    Column("place_by", Instant),
    # Also the way from a callback to its attempts, and a last guard against two attempts that take the same turn.
    UniqueConstraint("callback_id", "number"),
    # Serves both ends of life: open attempts (no end) and the call log (newest end first).
    Index(None, "ended_at", "id"),
    Index(None, "department", "ended_at", "id"),
    Index(None, "outcome", "ended_at", "id"),
)

# What people decided where nobody saw what became of an attempt.
resolution = Table(
    "resolution",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("callback_id", Text, ForeignKey("callback.id"), nullable=False, index=True),
    Column("decision", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("decided_at", Instant, nullable=False),
)

pause = Table(
    "pause",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("resumed_by", Text),
    Column("resumed_at", Instant),
    Index(
        "uq_pause_in_force",
        "scope",
        "key",
        unique=True,
        sqlite_where=text("resumed_at IS NULL"),
        postgresql_where=text("resumed_at IS NULL"),
    ),
)
