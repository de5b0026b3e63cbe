"""Figures made of what happened: pure."""
