"""Which agent rings next."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from dialer.domain.directory import Agent, Department, Directory

_NEVER = datetime.min.replace(tzinfo=UTC)


def by_idle_time(
    department: Department, directory: Directory, free: Collection[str], last_rung: Mapping[str, datetime]
) -> list[Agent]:
    """The department's free agents, the one who was last rung the longest ago first; ties by the configured order."""
    candidates = [directory.agents[agent] for agent in department.agents if agent in free]
    return sorted(candidates, key=lambda agent: last_rung.get(agent.id, _NEVER))
