"""The metadata with all tables of the store: what the migrations make. Each part's tables have a module of their own."""

from dialer.store import outbox_tables
from dialer.store.tables import metadata

__all__ = ["metadata", "outbox_tables"]
