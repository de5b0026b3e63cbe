"""The feeds' tables: how far each was read, and what became of every item."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint, text, true

from dialer.intake.feed import ItemAnswer
from dialer.store.columns import Instant
from dialer.store.tables import metadata, word

feed = Table(
    "feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", Text),
    # The last page that was taken, and the last of them that brought something new.
    Column("read_at", Instant),
    Column("news_at", Instant),
    Column("taken", BigInteger, nullable=False, server_default=text("0")),
)

feed_item = Table(
    "feed_item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("answer", Text, nullable=False),
    # The callback that it made, was answered with, or spoke of.
    Column("callback_id", Text),
    # Why it was not taken, and all of it as it came: personal, and gone once it is taken.
    Column("code", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("retry_at", Instant),
    Column("raw", Text),
    Column("taken_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # How often the id came again with other content, which is not taken.
    Column("differs", Integer, nullable=False),
    # The feed is yet to hear of it; counts what it heard, or was to hear before there was something else to tell.
    Column("untold", Boolean, nullable=False),
    Column("told", Integer, nullable=False),
    UniqueConstraint("feed", "item", name="uq_feed_item_feed_item"),
)

QUARANTINED = feed_item.c.answer == word(ItemAnswer.QUARANTINED)
UNTOLD = feed_item.c.untold.is_(true())

Index(
    "ix_feed_item_quarantined",
    *(feed_item.c.feed, feed_item.c.id),
    sqlite_where=QUARANTINED,
    postgresql_where=QUARANTINED,
)
Index("ix_feed_item_untold", *(feed_item.c.feed, feed_item.c.id), sqlite_where=UNTOLD, postgresql_where=UNTOLD)
