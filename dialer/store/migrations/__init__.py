"""The database's history, one revision per release that changed it (`schema.REVISIONS` lists them)."""
