"""Bounded waits on a condition: what a test uses instead of a sleep."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from tests.lab.behaviour import Agent
from tests.lab.lab import Lab

POLL = 0.02  # seconds


async def until(condition: Callable[[], object | Awaitable[object]], within: float = 15.0) -> None:
    """Wait until the condition, plain or awaitable, holds; raises TimeoutError after ``within`` seconds."""
    async with asyncio.timeout(within):
        while True:
            holds = condition()
            if inspect.isawaitable(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(POLL)


async def quiet(lab: Lab, within: float = 15.0) -> None:
    """Wait until neither side of the lab has a channel, without blocking the event loop meanwhile."""
    await asyncio.to_thread(lab.wait_quiet, within)


async def at_rest(lab: Lab) -> None:
    """The PBX runs, neither side has a channel, and every agent accepts what comes: how most tests begin."""
    if not lab.pbx.running:
        lab.pbx.start()
    await quiet(lab)
    for agent in lab.agents:
        lab.agent(agent, Agent.accept())
