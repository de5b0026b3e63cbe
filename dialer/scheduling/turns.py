"""Whose turn it is among accounts: with each call served to one of them, it goes behind all others."""

from collections.abc import Iterable


class Turns:
    """An account that waits is passed over by each other account at most once, however many callbacks those have."""

    def __init__(self) -> None:
        self._count = 0
        self._last: dict[str, int] = {}

    def order(self, accounts: Iterable[str]) -> list[str]:
        """These accounts, the least recently served first; those never served come before, as given."""
        return sorted(accounts, key=lambda account: self._last.get(account, 0))

    def served(self, account: str) -> None:
        """It has had its turn."""
        self._count += 1
        self._last[account] = self._count
