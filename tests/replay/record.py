"""Records a daemon's own session with the lab, one call each: `python -m tests.replay.record [NAME …]`.

What is recorded is what Asterisk said, byte by byte, from the banner on: the login, the call, and at its end the answer
to a question for its traces. `tests/unit/ami/test_replay.py` replays it. `answers.ami` is of another making.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from dialer.ami.filters import Filter, filters
from dialer.ami.gateway import Gateway
from dialer.domain import events as ev
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId
from tests.asterisk.driving import PATIENCE, config, gone, order, told, up
from tests.asterisk.proxy import Proxy
from tests.lab import Agent, Behaviour, Customer, Lab
from tests.lab.waiting import quiet, until
from tests.unit.ami.scripted import Sink

FOLDER = Path(__file__).parent
AGENT, SECOND, NUMBER = "anna", "ben", "+441314960001"
CALLERS = ("+441314960001", "01314960002")
CALLED_IN = "called-in"
"""The recording of a call that comes in, while nobody is dialled."""

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
    call (None: before it is placed). `last` is the event that tells that it is over; unless `filtered`, Asterisk says
    everything."""

    agent: Behaviour = field(default_factory=Agent.accept)
    customer: Behaviour = field(default_factory=Customer.answer)
    changes: Mapping[str, object] = field(default_factory=dict)
    ask: Order = _nothing
    after: type[Event] | None = None
    last: type[Event] = ev.Ended
    filtered: bool = True


CALLS: Mapping[str, Call] = {
    "agent-accepts-by-answering": Call(
        Agent.never_presses(), Customer.answer(talk_ms=700), changes={"press_to_accept": False}
    ),
    "agent-busy": Call(Agent.busy()),
    "agent-declined": Call(Agent.declined()),
    "agent-hangs-up-in-the-whisper": Call(Agent.hangs_up()),
    "agent-hangs-up-while-ringing": Call(Agent.accept(talk_ms=2500), Customer.no_answer()),
    "agent-no-answer": Call(Agent.no_answer(), changes={"agent_ring": 2}),
    "agent-silent": Call(Agent.never_presses()),
    "agent-unknown": Call(changes={"agent_endpoint": "PJSIP/nobody"}, last=ev.OriginateFailed),
    "agent-wrong-key": Call(Agent.presses("5")),
    "agent-wrong-key-unfiltered": Call(Agent.presses("5"), filtered=False),
    "bridged-agent-hangs-up": Call(Agent.accept(talk_ms=3500)),
    "bridged-customer-hangs-up": Call(customer=Customer.answer(talk_ms=1000)),
    "customer-answers-at-once": Call(customer=Customer.at_once(talk_ms=700)),
    "customer-busy": Call(customer=Customer.busy()),
    "customer-congestion": Call(customer=Customer.congestion()),
    "customer-congestion-after-ringing": Call(customer=Customer.congestion("180")),
    "customer-declined": Call(customer=Customer.declined()),
    "customer-early-media": Call(customer=Customer.answer(alert="183", ring_ms=700, talk_ms=700)),
    "customer-early-media-no-answer": Call(customer=Customer.no_answer("183"), changes={"customer_ring": 2}),
    "customer-no-answer": Call(customer=Customer.no_answer(), changes={"customer_ring": 2}),
    "customer-unallocated": Call(customer=Customer.unallocated()),
    "hung-up-while-the-agent-rings": Call(Agent.no_answer(), ask=_hang_up, after=ev.AgentRinging),
    "hung-up-while-the-customer-rings": Call(customer=Customer.no_answer(), ask=_hang_up, after=ev.CustomerRinging),
    "hung-up-while-they-talk": Call(ask=_hang_up, after=ev.Bridged),
    "late": Call(changes={"place_by": datetime(2026, 1, 1, tzinfo=UTC)}),
    "closed": Call(changes={"ring_until": datetime(2026, 1, 1, tzinfo=UTC)}),
    "max-duration": Call(changes={"max_call": 2}),
    "revoked-before-it-began": Call(ask=_revoke),
    "revoked-in-the-whisper": Call(Agent.accept(press_ms=3000), ask=_revoke, after=ev.AgentAnswered),
    "transferred": Call(Agent.transfers(SECOND, after_ms=2500), Customer.answer(talk_ms=3500)),
    "transferred-to-nobody": Call(Agent.transfers("nowhere", after_ms=2500)),
}


async def record(lab: Lab, call: Call) -> bytes:
    """Place the call; everything that Asterisk said to the one who placed it."""
    lab.agent(AGENT, call.agent)
    lab.customer(NUMBER, call.customer)
    with patch("dialer.ami.gateway.filters", filters if call.filtered else _no_filters):
        async with _listening(lab) as (proxy, gateway, sink):
            placed = order(AGENT, NUMBER, **call.changes)
            if call.after is None:
                await call.ask(gateway, placed.attempt)
                await gateway.originate(placed)
            else:
                await gateway.originate(placed)
                await _until(sink, placed.attempt, call.after)
                await call.ask(gateway, placed.attempt)
            await _until(sink, placed.attempt, call.last)
            if call.last is ev.Ended:
                await gone(sink, placed.attempt)
            await quiet(lab)
            await gateway.traces([placed.attempt])
            return bytes(proxy.said)


async def record_called_in(lab: Lab) -> bytes:
    """Somebody calls in and is answered by an agent, another by a voice in a menu; a third gives up."""
    lab.agent(AGENT, Agent.never_presses())
    async with _listening(lab, {"from-trunk": "carrier", "menu": "carrier"}) as (proxy, gateway, sink):
        lab.call_in(CALLERS[0], AGENT, talk=0.5)
        await sink.until(lambda: sink.count("called in") == 1)
        lab.call_in(CALLERS[1], "menu", talk=0.5)
        await sink.until(lambda: sink.count("called in") == len(CALLERS))
        lab.call_in("+441314960003", "nobody", patience=0.5)
        await until(lambda: any(call.dialled == "nobody" for call in lab.far_end_calls()))
        await quiet(lab)
        await gateway.traces([])
        return bytes(proxy.said)


@asynccontextmanager
async def _listening(lab: Lab, inbound: Mapping[str, str] | None = None) -> AsyncIterator[tuple[Proxy, Gateway, Sink]]:
    async with (
        Proxy(lab.ami.host, lab.ami.port) as proxy,
        up(config(lab, port=proxy.port), (f"PJSIP/{AGENT}",), inbound) as (gateway, sink),
    ):
        yield proxy, gateway, sink


def _no_filters(*_: object) -> list[Filter]:
    return []


async def _until(sink: Sink, attempt: AttemptId, kind: type[Event]) -> None:
    await sink.until(lambda: any(isinstance(event, kind) for event in told(sink, attempt)), PATIENCE)


async def main(names: list[str]) -> None:
    """Record the named calls, or all."""
    with Lab.create(agents=(AGENT, SECOND)) as lab:
        for name in names or (*CALLS, CALLED_IN):
            said = await (record_called_in(lab) if name == CALLED_IN else record(lab, CALLS[name]))
            (FOLDER / f"{name}.ami").write_bytes(said)
            print(name)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
