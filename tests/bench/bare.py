"""The bare client: nothing but a socket, the same Originate and the same filters; the measure of what is possible.

Reads a job from stdin, prints a result. It keeps no record, checks nothing, and recovers from nothing.
"""

import asyncio
import itertools
import resource
import sys
import time
from datetime import UTC, datetime, timedelta

from ulid import ULID

from dialer.ami import messages
from dialer.ami.filters import filters
from dialer.domain.ids import AttemptId, CallbackId, channel_id
from dialer.engine.ports import Order
from tests.bench.plan import Job, Result


class Bare(asyncio.Protocol):
    """One connection, one job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.transport: asyncio.Transport
        self.agents = frozenset(job.agents)
        self.rest = b""
        self.ids = itertools.count(1)
        self.idle: dict[str, None] = {}  # agents whose phone is idle, the longest first
        self.busy: dict[bytes, str] = {}  # channel id → agent
        self.changed = asyncio.Event()
        self.ready = asyncio.Event()
        self.ends: list[float] = []
        self.faults: list[str] = []
        self.messages = 0
        self.device_messages = 0
        self.counting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send("Login", (("Username", self.job.username), ("Secret", self.job.secret), ("Events", "system")))
        for each in filters(f"PJSIP/{agent}" for agent in self.job.agents):
            self.send(each.present.name, each.present.headers)
        self.send("Events", (("EventMask", "on"),))
        self.send("DeviceStateList")

    def send(self, name: str, headers: tuple[tuple[str, str], ...] = (), action_id: str = "") -> None:
        lines = [f"Action: {name}", f"ActionID: {action_id or next(self.ids)}", *(f"{k}: {v}" for k, v in headers)]
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        *found, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for message in found:
            if message.startswith(b"Event: DeviceStateChange"):
                self.device_messages += self.counting
                self.device(message)
                continue
            self.messages += self.counting
            if message.startswith(b"Event: UserEvent"):
                self.end(message)
            elif message.startswith(b"Event: DeviceStateListComplete"):
                self.ready.set()
            elif message.startswith(b"Event: OriginateResponse") and b"Response: Failure" in message:
                self.faults.append("no answer to Originate")

    def device(self, message: bytes) -> None:
        _, _, tail = message.partition(b"Device: PJSIP/")
        agent = tail.partition(b"\r\n")[0].decode()
        if agent not in self.agents:
            return
        if b"State: NOT_INUSE" in message:
            self.idle[agent] = None
            self.changed.set()
        else:
            self.idle.pop(agent, None)

    def free(self) -> str | None:
        """An agent with an idle phone and no call of ours."""
        held = set(self.busy.values())
        return next((agent for agent in self.idle if agent not in held), None)

    def end(self, message: bytes) -> None:
        _, _, tail = message.partition(b"Attempt: ")
        agent = self.busy.pop(tail.partition(b"\r\n")[0], None)
        if agent is not None:
            self.ends.append(time.time())
            if b"|ANSWER|" not in message:
                self.faults.append(_fault(message))
            self.changed.set()


def order(job: Job, number: str, agent: str) -> Order:
    callback = CallbackId(str(ULID()))
    return Order(
        attempt=AttemptId(str(ULID())),
        callback=callback,
        agent_endpoint=f"PJSIP/{agent}",
        number=number,
        trunk_endpoint=job.trunk,
        caller_id="+442079460100",
        caller_name="Sales: Jane Doe",
        department="sales",
        page="https://shop.example/offers",
        agent_ring=20,
        customer_ring=25,
        max_call=7200,
        press_to_accept=True,
        whisper="beep",
        place_by=datetime.now(UTC) + timedelta(seconds=80),
        identity="",
        ring_until=datetime.fromtimestamp(job.until, UTC),
        page_link=job.page.format(id=callback),
    )


async def run(job: Job) -> Result:
    loop = asyncio.get_running_loop()
    _, bare = await loop.create_connection(lambda: Bare(job), job.host, job.port)
    await bare.ready.wait()
    bare.counting = True
    cpu = _cpu()
    lateness = []
    for index in range(job.calls):
        due = job.due(index)
        await asyncio.sleep(max(0.0, due - time.time()))
        while (agent := bare.free()) is None:
            bare.changed.clear()
            await bare.changed.wait()
        one = order(job, job.numbers[index], agent)
        bare.busy[channel_id(one.attempt).encode()] = agent
        action = messages.originate(one)
        lateness.append(time.time() - due)
        bare.send(action.name, action.headers, f"mi-bare-{one.attempt}")
    while bare.busy:
        bare.changed.clear()
        await bare.changed.wait()
    cpu = _cpu() - cpu
    return Result(job.calls, bare.faults, bare.ends, cpu, lateness, bare.messages, bare.device_messages)


def _fault(message: bytes) -> str:
    """What the dialplan recorded, without its times: step, why, status and cause."""
    record = message.partition(b"Record: ")[2].partition(b"\r\n")[0].decode().split("|")
    return " ".join(record[place] or "-" for place in (2, 4, 5, 6)) if len(record) > 6 else "unreadable"


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(asyncio.run(run(Job.from_json(sys.stdin.read()))).to_json())
