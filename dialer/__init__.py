"""Mi Connect's callback dialer: rings an agent, then the visitor who asked to be called, and keeps the record."""

__version__ = "0.1.0"
