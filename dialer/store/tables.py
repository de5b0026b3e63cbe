"""The tables. Words are the product's; instants are UTC microseconds (`Instant`)."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    text,
)

from dialer.domain.callback import OPEN as OPEN_STATUSES
from dialer.domain.callback import Status
from dialer.store.columns import ConsentText, Day, Ids, Instant, Timeline

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
    Column("phone", Text, nullable=False),
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
    # Since revision 0003.
    Column("wanted_until", Instant),
    Column("expires_at", Instant),
    Column("day", Day),
    Column("day_attempts", Integer, nullable=False, server_default=text("0")),
    Column("prefer_agent", Text, nullable=False, server_default=text("''")),
    Column("failed_trunks", Ids, nullable=False, server_default=text("''")),
    Column("origin", Text, nullable=False, server_default=text("''")),
    Column("wish_kind", Text),
    Column("wish_reason", Text),
    Column("wish_due_at", Instant),
    Column("wish_expires_at", Instant),
    Column("wish_late", Boolean, nullable=False, server_default=false()),
    # Since revision 0007.
    Column("sms_allowed", Boolean, key="sms", nullable=False, server_default=false()),
    UniqueConstraint("source", "external_id"),
    # The id ends the due indexes because thousands may be due at the same moment: a page must need no sorting.
    Index(None, "department", "status", "due_at", "id"),
    Index(None, "status", "due_at", "id"),
    Index(None, "due_at", "id"),
    # What was asked for a number, and what is promised to it. The status is not in it: that changes with every step.
    Index(None, "phone", "requested_at"),
)


def word(of: StrEnum) -> ColumnElement[str]:
    """One of the program's own words, written into a statement: only so does a database see that a condition is a
    partial index's own, and a group of rows does not carry it once each."""
    return literal_column(f"'{of}'", Text)


_NOTHING = literal_column("''", Text)

ONE_MORE = literal_column("1", Integer)
NEXT_VERSION = callback.c.version + ONE_MORE
"""Every change of a callback counts."""

OPEN = callback.c.status.in_([word(status) for status in Status if status in OPEN_STATUSES])
"""Callbacks that may still be dialled: few for a number, however often it was called in a year."""
EXPIRING = and_(callback.c.status == word(Status.SCHEDULED), callback.c.expires_at.is_not(None))
"""Waiting callbacks whose promise runs out."""
HAS_SESSION, HAS_ORIGIN = callback.c.session != _NOTHING, callback.c.origin != _NOTHING

# Without the status in it, SQLite would rather look through all that are scheduled.
Index(
    "ix_callback_expiring",
    *(callback.c.status, callback.c.expires_at, callback.c.id),
    sqlite_where=EXPIRING,
    postgresql_where=EXPIRING,
)
Index(
    "ix_callback_session",
    *(callback.c.session, callback.c.requested_at),
    sqlite_where=HAS_SESSION,
    postgresql_where=HAS_SESSION,
)
Index(
    "ix_callback_origin",
    *(callback.c.origin, callback.c.requested_at),
    sqlite_where=HAS_ORIGIN,
    postgresql_where=HAS_ORIGIN,
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
    # Since revision 0003. `rang` is empty where the PBX did not say. `agent_slot` is 0; an older database may hold
    # several attempts of one agent without an end, and there it numbers them.
    Column("rang", Boolean),
    Column("agent_slot", Integer, nullable=False, server_default=text("0")),
    # Also the way from a callback to its attempts, and a last guard against two attempts that take the same turn.
    UniqueConstraint("callback_id", "number"),
    # Serves both ends of life: open attempts (no end) and the call log (newest end first).
    Index(None, "ended_at", "id"),
    Index(None, "department", "ended_at", "id"),
    Index(None, "outcome", "ended_at", "id"),
    # What an account has used up since a moment.
    Index(None, "department", "created_at"),
    # Whether an agent is on the phone for us, and a last guard against two attempts that ring one.
    Index(
        "uq_attempt_open_agent",
        "agent",
        "agent_slot",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
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

# Numbers that are never called, until they are allowed again; whose it is and was stays on record.
do_not_call = Table(
    "do_not_call",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("allowed_by", Text),
    Column("allowed_at", Instant),
    Index(
        "uq_do_not_call_in_force",
        # Whoever objected, and nobody else, takes that back.
        *("number", "who"),
        unique=True,
        sqlite_where=text("allowed_at IS NULL"),
        postgresql_where=text("allowed_at IS NULL"),
    ),
)
