"""What the widget told. Holds no person: a session id ends with the browser's session, and a page has no query."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from dialer.store.columns import Instant
from dialer.store.tables import attempt, metadata

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # The session's first of this kind on this day of the site's: these are what the funnel counts.
    Column("first", Boolean, nullable=False),
    # Whether it was told before.
    Index(None, "site", "session", "kind", "at"),
    # The funnel of a span, and what has grown old.
    Index(None, "site", "at", "id"),
)

# The attempts that began in a span, also those of departments that are gone.
Index("ix_attempt_created_at_id", attempt.c.created_at, attempt.c.id)
