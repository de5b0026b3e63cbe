"""Figures made of what happened: pure. Every figure has its sentence in docs/reports.md."""
