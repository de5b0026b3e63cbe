"""Alembic's entry: migrates on the connection, and in the transaction, that the caller has opened."""

from alembic import context

from dialer.store import outbox_tables  # noqa: F401  # its tables are on the same metadata
from dialer.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
