"""The metadata with all tables of the store, as the migrations make them. Each part has a module for its own."""

from dialer.store import event_tables, feed_tables, key_tables, message_tables, outbox_tables
from dialer.store.tables import metadata

__all__ = ["event_tables", "feed_tables", "key_tables", "message_tables", "metadata", "outbox_tables"]
