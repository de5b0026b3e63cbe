"""The table of the messages to visitors."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from dialer.notify.messages import MessageState
from dialer.store.columns import Instant
from dialer.store.tables import metadata, word

message = Table(
    "message",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("callback_id", Text, ForeignKey("callback.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("about", BigInteger, nullable=False),
    Column("wanted_at", Instant),
    Column("wanted_until", Instant),
    Column("promised_at", Instant, nullable=False),
    Column("send_at", Instant, nullable=False),
    Column("asked_until", Instant),
    Column("give_up_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # At most once; also the way from a callback to its messages.
    UniqueConstraint("callback_id", "channel", "kind", "about"),
    Index(None, "state", "id"),
)

WAITING = message.c.state == word(MessageState.WAITING)

Index(
    "ix_message_waiting",
    *(message.c.channel, message.c.send_at, message.c.id),
    sqlite_where=WAITING,
    postgresql_where=WAITING,
)
