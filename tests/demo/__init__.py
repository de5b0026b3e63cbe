"""`dialer demo`: two real Asterisks, the daemon, some twenty callbacks of every kind, and the far end as witness."""

from tests.demo.show import main

__all__ = ["main"]
