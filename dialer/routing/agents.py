"""Which agent rings next."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from dialer.domain.directory import Agent, AgentOrder, Department, Directory

_NEVER = datetime.min.replace(tzinfo=UTC)


def candidates(
    department: Department,
    directory: Directory,
    free: Collection[str],
    last_rung: Mapping[str, datetime],
    free_since: Mapping[str, datetime],
    *,
    overflow: bool,
) -> list[Agent]:
    """Who of the `free` can take a callback of this department, in the order to ring: its own agents by its rule, then,
    where it overflows, those who help out, by the same rule. Times are UTC; who is in neither mapping was never rung,
    or has been free for as long as anybody knows."""
    arranged = _Arrangement(department.order, last_rung, free_since, free)
    order = arranged.of(department.agents)
    if overflow and department.overflow is not None:
        order += arranged.of([agent for agent in department.overflow.agents if agent not in department.agents])
    return [directory.agents[agent] for agent in order if agent in free]


@dataclass(frozen=True, slots=True)
class _Arrangement:
    """An order for whole groups, so that those who are not free keep their places in it."""

    rule: AgentOrder
    last_rung: Mapping[str, datetime]
    free_since: Mapping[str, datetime]
    free: Collection[str]

    def of(self, agents: Sequence[str]) -> list[str]:
        match self.rule:
            case AgentOrder.RING_ORDER:
                return list(agents)
            case AgentOrder.ROUND_ROBIN:
                return self._after_the_last_rung(agents)
            case AgentOrder.LONGEST_IDLE:
                # Free the longest first; where that does not tell them apart, who was last rung the longest ago.
                since, rung = self.free_since.get, self.last_rung.get
                idle = [(since(a, _NEVER), rung(a, _NEVER), place) for place, a in enumerate(agents) if a in self.free]
                return [agents[place] for _, _, place in sorted(idle)]
            case _:
                assert_never(self.rule)

    def _after_the_last_rung(self, agents: Sequence[str]) -> list[str]:
        rung = [agent for agent in agents if agent in self.last_rung]
        if not rung:
            return list(agents)
        # Of several rung at the same moment the turn had come to the last of them.
        last = max(reversed(rung), key=lambda agent: self.last_rung[agent])
        turn = agents.index(last) + 1
        return [*agents[turn:], *agents[:turn]]
