"""Alembic's entry: migrates on the connection, and in the transaction, that the caller has opened."""

from alembic import context

from dialer.store.whole import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
