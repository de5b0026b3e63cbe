"""The tables of the API: its keys, the answers that a repeated request gets again, and by what else a callback is known
to whoever asked for it. On the same `metadata`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from dialer.store.columns import Ids, Instant
from dialer.store.tables import callback, do_not_call, metadata

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    # SHA-256 of the key; the key itself is nowhere.
    Column("hash", Text, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("scopes", Ids, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_by", Text),
    Column("revoked_at", Instant),
)

answer = Table(
    "answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("holder", Integer, ForeignKey("api_key.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("callback_id", Text, ForeignKey("callback.id"), nullable=False, index=True),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Index("uq_answer_holder_key", "holder", "key", unique=True),
)

# The external ids of requests that an open callback answered: that has one of its own, or none.
other_name = Table(
    "other_name",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("callback_id", Text, ForeignKey("callback.id"), nullable=False, index=True),
    UniqueConstraint("source", "external_id"),
)

# Without it, a page of one site's callbacks would be looked for among everybody's.
Index("ix_callback_site_due_at", callback.c.site, callback.c.due_at, callback.c.id)
# Which departments a site's callbacks ever had: those that left the configuration, too.
Index("ix_callback_site_department", callback.c.site, callback.c.department)
# Who put numbers on the list sees those, and no others.
Index(
    "ix_do_not_call_who",
    *(do_not_call.c.who, do_not_call.c.id),
    sqlite_where=text("allowed_at IS NULL"),
    postgresql_where=text("allowed_at IS NULL"),
)
