"""Submissions by HTTP while calls are being placed: what the one does to the other."""
