"""What a run came to: figures that can be added up, and the one line at its end."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.year.audit import WRONGS

FIRST = ("outside_hours", "quiet_hours", "over_cap", "over_budget", "refused_dialled")


@dataclass(slots=True)
class Figures:
    """Of one house, or of several. `lateness` counts calls by their lateness in whole milliseconds; `worst_turn`: the
    most calls of one other account that came before a small account's on the trunk that they share."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    lateness: Counter[int] = field(default_factory=Counter)
    worst_turn: int = 0
    examples: list[str] = field(default_factory=list)
    cpu_s: float = 0.0

    def add(self, other: "Figures") -> None:
        """Take in another house's."""
        self.counts += other.counts
        self.refusals += other.refusals
        self.lateness += other.lateness
        self.worst_turn = max(self.worst_turn, other.worst_turn)
        self.examples += other.examples

    @property
    def kept(self) -> bool:
        """Nothing wrong, nothing lost, nothing overslept, and the small are served in their turn."""
        wrong = (*WRONGS, "overslept", "unsettled")
        return not any(self.counts[each] for each in wrong) and self.worst_turn <= 1

    def summary(self) -> dict[str, Any]:
        """The figures."""
        counts = self.counts
        return {
            "callbacks": counts["callbacks"],
            **{name: counts[name] for name in FIRST},
            "worst_small_account_delay_slots": self.worst_turn,
            "lateness_p99_s": self._quantile(0.99),
            "lateness_worst_s": max(self.lateness, default=0) / 1000,
            **{name: counts[name] for name in (*WRONGS, "overslept", "unsettled") if name not in FIRST},
            **{
                name: counts[name]
                for name in sorted(counts)
                if name not in {*WRONGS, "overslept", "unsettled", "callbacks"}
            },
            "attempts_per_callback": round(counts["placed"] / max(1, counts["callbacks"]), 3),
            "refused": dict(self.refusals.most_common()),
        }

    def _quantile(self, share: float) -> float:
        """The lateness within which that share of the calls was placed, in seconds."""
        left = share * self.lateness.total()
        for late, calls in sorted(self.lateness.items()):
            left -= calls
            if left <= 0:
                return late / 1000
        return 0.0
