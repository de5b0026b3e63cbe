"""A backlog that is due all at once, after a stop: it is spread, and dialled in order."""
