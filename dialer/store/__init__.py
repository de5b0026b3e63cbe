"""The store: what was promised and what became of it, durable. One writer that commits in groups, readers beside it."""
