"""Whose turn it is among accounts: with each call served to one of them, it goes behind all others."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that an account took: its `place` in the row of all turns, and that of the one it had `before`."""

    account: str
    place: int
    before: int


class Turns:
    """An account that waits is passed over by each other account at most once, however many callbacks those have."""

    def __init__(self) -> None:
        self._count = 0
        self._last: dict[str, int] = {}

    def order(self, accounts: Iterable[str]) -> list[str]:
        """These accounts, the least recently served first; those never served come before, as given."""
        return sorted(accounts, key=lambda account: self._last.get(account, 0))

    def take(self, account: str) -> Turn:
        """It is served."""
        self._count += 1
        turn = Turn(account, self._count, self._last.get(account, 0))
        self._last[account] = turn.place
        return turn

    def give_back(self, turn: Turn) -> None:
        """Nothing came of it: the account waits where it did before, unless it was served again meanwhile."""
        if self._last.get(turn.account) == turn.place:
            self._last[turn.account] = turn.before
