"""The metadata with all tables of the store: what the migrations make. Each part has a module of its own for them."""

from dialer.store import message_tables, outbox_tables
from dialer.store.tables import metadata

__all__ = ["message_tables", "metadata", "outbox_tables"]
