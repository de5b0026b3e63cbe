"""Records a daemon's own session with the lab, one call each: `python -m tests.replay.record [NAME …]`.

What is recorded is what Asterisk said, byte by byte, from the banner on: the login, the call, and at its end the answer
to a question for its traces. `tests/unit/ami/test_replay.py` replays it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dialer.ami.gateway import Gateway
from dialer.domain import events as ev
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId
from tests.asterisk.driving import PATIENCE, config, gone, order, told, up
from tests.asterisk.proxy import Proxy
from tests.lab import Agent, Behaviour, Customer, Lab
from tests.lab.waiting import quiet
from tests.unit.ami.scripted import Sink

FOLDER = Path(__file__).parent
AGENT, NUMBER = "anna", "+441314960001"

Order = Callable[[Gateway, AttemptId], Awaitable[object]]


async def _nothing(_: Gateway, __: AttemptId) -> None:
    pass


async def _revoke(gateway: Gateway, attempt: AttemptId) -> None:
    await gateway.revoke([attempt])


async def _hang_up(gateway: Gateway, attempt: AttemptId) -> None:
    await gateway.hang_up(attempt)


@dataclass(frozen=True)
class Call:
    """What the phones do, how the order differs from a plain one, and what is asked of the PBX `after` an event of the
    call (None: before it is placed)."""

    agent: Behaviour = field(default_factory=Agent.accept)
    customer: Behaviour = field(default_factory=Customer.answer)
    changes: Mapping[str, object] = field(default_factory=dict)
    ask: Order = _nothing
    after: type[Event] | None = None


CALLS: Mapping[str, Call] = {
    "agent-declined": Call(Agent.declined()),
    "agent-hangs-up-in-the-whisper": Call(Agent.hangs_up()),
    "agent-silent": Call(Agent.never_presses()),
    "agent-wrong-key": Call(Agent.presses("5")),
    "agent-accepts-by-answering": Call(
        Agent.never_presses(), Customer.answer(talk_ms=700), changes={"press_to_accept": False}
    ),
    "customer-answers-at-once": Call(customer=Customer.at_once(talk_ms=700)),
    "customer-early-media": Call(customer=Customer.answer(alert="183", ring_ms=700, talk_ms=700)),
    "customer-early-media-no-answer": Call(customer=Customer.no_answer("183"), changes={"customer_ring": 2}),
    "customer-congestion": Call(customer=Customer.congestion()),
    "max-duration": Call(changes={"max_call": 2}),
    "transferred-to-nobody": Call(Agent.transfers("nowhere", after_ms=2500)),
    "late": Call(changes={"place_by": datetime(2026, 1, 1, tzinfo=UTC)}),
    "revoked-before-it-began": Call(ask=_revoke),
    "revoked-in-the-whisper": Call(Agent.accept(press_ms=3000), ask=_revoke, after=ev.AgentAnswered),
    "hung-up-while-the-agent-rings": Call(Agent.no_answer(), ask=_hang_up, after=ev.AgentRinging),
    "hung-up-while-the-customer-rings": Call(customer=Customer.no_answer(), ask=_hang_up, after=ev.CustomerRinging),
    "hung-up-while-they-talk": Call(ask=_hang_up, after=ev.Bridged),
}


async def record(lab: Lab, call: Call) -> bytes:
    """Place the call; everything that Asterisk said to the one who placed it."""
    lab.agent(AGENT, call.agent)
    lab.customer(NUMBER, call.customer)
    async with (
        Proxy(lab.ami.host, lab.ami.port) as proxy,
        up(config(lab, port=proxy.port), (f"PJSIP/{AGENT}",)) as (gateway, sink),
    ):
        placed = order(AGENT, NUMBER, **call.changes)
        if call.after is None:
            await call.ask(gateway, placed.attempt)
            await gateway.originate(placed)
        else:
            await gateway.originate(placed)
            await _until(sink, placed.attempt, call.after)
            await call.ask(gateway, placed.attempt)
        await _until(sink, placed.attempt, ev.Ended)
        await gone(sink, placed.attempt)
        await quiet(lab)
        await gateway.traces([placed.attempt])
        return bytes(proxy.said)


async def _until(sink: Sink, attempt: AttemptId, kind: type[Event]) -> None:
    await sink.until(lambda: any(isinstance(event, kind) for event in told(sink, attempt)), PATIENCE)


async def main(names: list[str]) -> None:
    """Record the named calls, or all."""
    with Lab.create(agents=(AGENT,)) as lab:
        for name in names or CALLS:
            (FOLDER / f"{name}.ami").write_bytes(await record(lab, CALLS[name]))
            print(name)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
