"""A gateway of the daemon's on the lab: its settings, its orders, and waiting for what it tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from ulid import ULID

from dialer.ami.config import AmiConfig, TlsConfig
from dialer.ami.gateway import Gateway
from dialer.domain import events as ev
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import EndRecord
from dialer.engine.ports import Order
from tests.lab import Lab
from tests.unit.ami.scripted import Sink, running

PATIENCE = 15.0  # seconds for a call to come to its end
DEVICES = ("PJSIP/anna", "PJSIP/ben", "PJSIP/ursula", "PJSIP/nobody")


def config(lab: Lab, *, port: int | None = None, tls: TlsConfig | None = None) -> AmiConfig:
    access = lab.ami
    return AmiConfig(
        name="lab",
        host=access.host,
        port=port or (access.tls_port if tls else access.port),
        username=access.username,
        secret=access.secret,
        tls=tls,
        ping_interval=60.0,
        backoff_first=0.05,
        backoff_cap=0.2,
        slow_retry=0.2,
    )


def order(agent: str, number: str, **changes: object) -> Order:
    plain = Order(
        attempt=AttemptId(str(ULID())),
        callback=CallbackId(str(ULID())),
        agent_endpoint=f"PJSIP/{agent}",
        number=number,
        trunk_endpoint=Lab.trunk,
        caller_id="+442079460000",
        caller_name="Sales: Maria",
        department="Sales",
        page="https://www.example.com/pricing",
        agent_ring=20,
        customer_ring=15,
        max_call=60,
        press_to_accept=True,
        whisper="beep",
        place_by=datetime.now(UTC) + timedelta(minutes=1),
        identity="",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test's own fields


@asynccontextmanager
async def up(
    settings: AmiConfig, devices: tuple[str, ...] = DEVICES, inbound: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Gateway, Sink]]:
    """A gateway with its session up and its devices told."""
    sink = Sink()
    gateway = Gateway(settings, devices, sink, Random(1), inbound=inbound or {})
    async with running(gateway.run()):
        await sink.until(lambda: sink.count(settings.name) >= len(devices))
        yield gateway, sink


def told(sink: Sink, attempt: AttemptId) -> list[object]:
    return [entry[1] for entry in sink.told if entry[0] == attempt]


async def ended(sink: Sink, attempt: AttemptId) -> EndRecord:
    def ends() -> list[EndRecord]:
        return [event.record for event in told(sink, attempt) if isinstance(event, ev.Ended)]

    await sink.until(lambda: bool(ends()), PATIENCE)
    return ends()[0]


async def gone(sink: Sink, attempt: AttemptId) -> None:
    """The agent's leg has hung up."""
    await sink.until(lambda: any(isinstance(event, ev.AgentGone) for event in told(sink, attempt)), PATIENCE)


def collapsed(names: Sequence[str]) -> list[str]:
    """The timeline without the signs that came before the recorded end that they announce: the order of
    `OriginateResponse`, `Hangup` and the dialplan's own record varies."""
    settled_by_a_look = {"originate_failed": "no_trace", "agent_gone": "handed_over"}
    return [name for name in names if name not in settled_by_a_look or settled_by_a_look[name] in names]
