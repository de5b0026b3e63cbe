"""Whether a giant's backlog delays the small: how often each other account was served on the contended trunk while a
small account's callback could have been dialled there."""

from collections import Counter, defaultdict


class Fairness:
    """One count for each pair of a small account and another one, since the small one was last served."""

    def __init__(self) -> None:
        self.worst = 0
        """The most calls of any one other account that came before a small account's."""
        self.served = 0
        """Calls of small accounts."""
        self.passed = 0
        """Calls of small accounts that some other call came before."""
        self._since: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def passes(self, small: str, other: str) -> None:
        """`other` is served on the trunk although a callback of `small` could be dialled on it."""
        self._since[small][other] += 1
        self.worst = max(self.worst, self._since[small][other])

    def serves(self, small: str) -> None:
        """It is the small account's turn."""
        self.served += 1
        self.passed += bool(self._since.pop(small, None))

    def forget(self) -> None:
        """A daemon's life is over, and with it all waiting for its next turn."""
        self._since.clear()
