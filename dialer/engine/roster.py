"""Which agents can take a call now: device states as the PBX tells them, our own reservations, and pauses. Pure."""

from collections.abc import Collection
from datetime import UTC, datetime

from dialer.domain.directory import Agent, Directory
from dialer.domain.ids import CallbackId
from dialer.engine.ports import DeviceState

_EVER = datetime.min.replace(tzinfo=UTC)


class Roster:
    """Agents' availability. An agent is free when its device is idle, no attempt of ours holds it, it is not paused,
    and it does not rest: to wrap up after a call, or after one that it did not take.

    One attempt per agent at a time: `reserve` before the claim, `release` after the end.
    """

    def __init__(self, directory: Directory) -> None:
        self._by_device: dict[tuple[str, str], list[Agent]] = {}
        for agent in directory.agents.values():
            self._by_device.setdefault((agent.pbx, agent.device), []).append(agent)
        self._idle: set[str] = set()
        self._reserved: set[str] = set()
        self._paused: frozenset[str] = frozenset()
        self._rest_until: dict[str, datetime] = {}
        self._missed: dict[str, int] = {}
        self._promised: dict[str, tuple[CallbackId, datetime]] = {}
        self.free_since: dict[str, datetime] = {}
        """Since when each agent has been free, or was before the present call (UTC)."""
        self.last_rung: dict[str, datetime] = {}

    def free(self, now: datetime) -> set[str]:
        """The ids of all agents who can be rung at `now`."""
        for agent in [agent for agent, until in self._rest_until.items() if until <= now]:
            del self._rest_until[agent]
        return self._idle.difference(self._reserved, self._rest_until, self._paused)

    def end_rests(self) -> None:
        """The clock that rests are reckoned by was set: when they are over is no longer known."""
        self._rest_until.clear()
        self._promised.clear()

    @property
    def held(self) -> int:
        """How many agents are held by attempts."""
        return len(self._reserved)

    def next_rested(self) -> datetime | None:
        """When the next resting agent can be rung again (UTC)."""
        return min(self._rest_until.values(), default=None)

    def device(self, pbx: str, device: str, state: DeviceState, now: datetime) -> bool:
        """Take in a device's state; True when it made an agent free."""
        freed = False
        for agent in self._by_device.get((pbx, device), ()):
            if state is not DeviceState.NOT_INUSE:
                self._idle.discard(agent.id)
            elif agent.id not in self._idle:
                self._idle.add(agent.id)
                self._freed(agent.id, now)
                freed = True
        return freed

    def forget(self, pbx: str) -> None:
        """The PBX is out of sight: what its phones do is unknown, so none of them is free."""
        for (of, _), agents in self._by_device.items():
            if of == pbx:
                self._idle.difference_update(agent.id for agent in agents)

    def pause(self, agents: Collection[str], now: datetime) -> None:
        """These agents are paused, and no others."""
        for agent in self._paused.difference(agents):
            self._missed.pop(agent, None)
            self._freed(agent, now)
        self._paused = frozenset(agents)

    def reserve(self, agent: str, now: datetime) -> None:
        """Hold the agent for one attempt, from the decision to the attempt's end."""
        self._reserved.add(agent)
        self._promised.pop(agent, None)
        self.last_rung[agent] = now

    def hold(self, agent: str) -> None:
        """Hold the agent for an attempt that an earlier run of the daemon began."""
        self._reserved.add(agent)

    def release(self, agent: str, now: datetime, rest_until: datetime | None = None) -> None:
        """Let the agent go after its attempt ended; with a rest to wrap up, or when it did not take the call, so that a
        phone that nobody answers does not burn through every waiting callback."""
        self._reserved.discard(agent)
        if rest_until is not None:
            self._rest_until[agent] = rest_until
        self._freed(agent, rest_until or now)

    def missed(self, agent: str) -> int:
        """The agent's phone rang in vain: how often in a row it has by now."""
        self._missed[agent] = self._missed.get(agent, 0) + 1
        return self._missed[agent]

    def answered(self, agent: str) -> None:
        """The agent took a call, or said no to it: somebody is there."""
        self._missed.pop(agent, None)

    def promise(self, agent: str, callback: CallbackId, until: datetime) -> None:
        """Keep the agent for a callback whose trunk failed them, until then at most."""
        self._promised[agent] = callback, until

    def promised(self, now: datetime) -> set[str]:
        """The agents who are kept for somebody."""
        return {agent for agent, (_, until) in self._promised.items() if until > now}

    def promised_to(self, agent: str, now: datetime) -> CallbackId | None:
        """The callback that the agent is kept for."""
        callback, until = self._promised.get(agent, (None, _EVER))
        return callback if until > now else None

    def promised_until(self, agent: str) -> datetime:
        """When that ends, or ended (UTC)."""
        return self._promised[agent][1] if agent in self._promised else _EVER

    def _freed(self, agent: str, at: datetime) -> None:
        self.free_since[agent] = max(at, self.free_since.get(agent, _EVER), self._rest_until.get(agent, _EVER))
