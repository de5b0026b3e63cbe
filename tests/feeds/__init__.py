"""Feeds from both ends: `platform.py` is a whole reference server, for a platform engineer to read."""
