"""The concrete answer for one attempt: which PBX, agent endpoint, trunk and caller ID."""

from dataclasses import dataclass

from dialer.domain.directory import Agent, Department, Trunk


@dataclass(frozen=True, slots=True)
class Route:
    """Everything that an attempt needs to know about who takes part. All of it lies on the one PBX of its trunk."""

    department: Department
    agent: Agent
    trunk: Trunk
