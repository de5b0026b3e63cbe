"""What networks and busy machines do to the link, under calls: each call ends as it went, and rings its customer once.

A real daemon and a real Asterisk, with a relay between them that misbehaves; the far end's records are the witness.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialer.ami.codec import MAX_MESSAGE
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.asterisk.driving import collapsed
from tests.asterisk.proxy import SIZE, Proxy
from tests.lab import Customer, Lab
from tests.lab.ami import AmiClient
from tests.lab.attempt import Attempt as Placed
from tests.lab.waiting import at_rest, quiet, until
from tests.rig import Daemon, Department, House

MakeHouse = Callable[..., House]
AGENTS = ("anna", "ben", "cleo")
FLOOD = 2000  # events of 9 kB: together more than the buffers between the PBX and a reader hold


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create(agents=AGENTS) as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(lab: Lab) -> None:
    await at_rest(lab)


@pytest.fixture
async def proxy(lab: Lab) -> AsyncIterator[Proxy]:
    async with Proxy(lab.ami.host, lab.ami.port) as relay:
        yield relay


@pytest.fixture
def house(lab: Lab, proxy: Proxy, tmp_path: Path) -> MakeHouse:
    """A house whose way to the AMI is the relay; `pbx` is more of its settings."""

    def make(**pbx: Any) -> House:
        return House(lab, tmp_path, [Department("sales", AGENTS[:2])], port=proxy.port, pbx=pbx)

    return make


async def submitted(daemon: Daemon, *numbers: str) -> list[CallbackId]:
    """A callback for each number; the relay goes on meanwhile."""
    return await asyncio.to_thread(daemon.submit, [{"department": "sales", "phone": number} for number in numbers])


async def bridged(daemon: Daemon, lab: Lab, numbers: Sequence[str], talk_ms: int) -> list[CallbackId]:
    """A call to each number, all talking."""
    for number in numbers:
        lab.customer(number, Customer.answer(talk_ms=talk_ms))
    callbacks = await submitted(daemon, *numbers)
    for callback in callbacks:
        await daemon.until_step(callback, "bridged")
    return callbacks


async def connected_once(daemon: Daemon, lab: Lab, callback: CallbackId, number: str) -> Attempt:
    """The callback's only attempt, which went through; its customer was rung once."""
    rows = await daemon.until_settled([callback])
    assert rows[callback].status is Status.COMPLETED
    (attempt,) = await daemon.attempts(callback)
    assert attempt.verdict is not None
    assert attempt.verdict.outcome is Outcome.CONNECTED
    await quiet(lab)
    assert lab.rung(number) == 1
    return attempt


async def test_a_half_open_link_is_found_by_its_ping_and_the_calls_are_taken_up(
    lab: Lab, proxy: Proxy, house: MakeHouse
) -> None:
    numbers = ["+441414960001", "+441414960002"]
    with Daemon(house(ping_seconds=0.5, action_timeout_seconds=2)) as daemon:
        await daemon.until_logged("pbx.ready")
        callbacks = await bridged(daemon, lab, numbers, talk_ms=7000)
        proxy.fall_silent()
        # A ping's interval and its time-out, and as much again for a busy machine.
        down = await daemon.until_logged("pbx.down", seconds=5)
        assert down["why"] == "the PBX did not answer a ping"
        assert down["calls_in_progress"] == 2
        proxy.mend()
        ready = await daemon.until_logged("pbx.ready", count=2)
        assert ready["calls_in_progress"] == 2, "adopted"
        for callback, number in zip(callbacks, numbers, strict=True):
            attempt = await connected_once(daemon, lab, callback, number)
            assert attempt.verdict is not None
            assert attempt.verdict.talk.total_seconds() == pytest.approx(7, abs=0.5)
        assert daemon.stop() == 0


async def test_an_answer_that_comes_too_late_is_absorbed(lab: Lab, proxy: Proxy, house: MakeHouse) -> None:
    number = "+441414960003"
    lab.customer(number, Customer.answer(talk_ms=2000))
    with Daemon(house(ping_seconds=300, action_timeout_seconds=1.5)) as daemon:
        await daemon.until_logged("pbx.ready")
        # Asked for once it is ready; held back, it would be the list that is missed, and with it the session.
        await until(lambda: b"Event: DeviceStateListComplete" in proxy.said)
        proxy.to_client.stall()
        (callback,) = await submitted(daemon, number)
        unknown = await daemon.until_logged("attempt.unknown")
        assert "did not answer Originate within 1.5 s" in unknown["why"]
        assert b"Message: Originate successfully queued" not in proxy.said
        proxy.to_client.resume()
        await connected_once(daemon, lab, callback, number)
        assert proxy.asked.count(b"Action: Originate") == 1
        assert b"Message: Originate successfully queued" in proxy.said
        assert daemon.logged("pbx.down") == []
        assert daemon.stop() == 0


@pytest.mark.parametrize(("piece", "delay"), [(1, 0.0), (SIZE, 0.2)], ids=["a byte at a time", "slow"])
async def test_a_poor_link_is_as_good_as_any(
    lab: Lab, proxy: Proxy, house: MakeHouse, piece: int, delay: float
) -> None:
    for way in (proxy.to_client, proxy.to_asterisk):
        way.piece, way.delay = piece, delay
    number = f"+44141496001{int(delay > 0)}"
    lab.customer(number, Customer.answer(talk_ms=500))
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = await submitted(daemon, number)
        attempt = await connected_once(daemon, lab, callback, number)
        steps = collapsed([step.name for step in attempt.timeline])
        assert steps[-4:] == ["customer_dialling", "customer_ringing", "bridged", "ended"]
        assert daemon.logged("pbx.down") == []
        assert daemon.stop() == 0


async def test_garbage_and_a_stranger_in_asterisks_place_under_a_call(lab: Lab, proxy: Proxy, house: MakeHouse) -> None:
    number = "+441414960005"
    with Daemon(house()) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = await bridged(daemon, lab, [number], talk_ms=6000)
        for garbage in (b"\x00\xff\xfe" * 100, b"HTTP/1.1 502 Bad Gateway", b"Event: Hangup\r\n" * 200, b""):
            proxy.say(garbage + b"\r\n\r\n")
        proxy.greeting = b"220 mail.example.com ESMTP\r\n"
        proxy.say(b"x" * (MAX_MESSAGE + 1))
        down = await daemon.until_logged("pbx.down")
        assert down["why"] == "a message has no end", "what came before it harmed nobody"

        def said() -> int:
            reasons = [line["reason"] for line in daemon.logged("no session with the PBX")]
            return reasons.count("what answers is not Asterisk's manager interface")

        await until(lambda: said() > 0)
        proxy.greeting = b""
        ready = await daemon.until_logged("pbx.ready", count=2)
        assert ready["calls_in_progress"] == 1, "adopted"
        assert said() == 1
        await connected_once(daemon, lab, callback, number)
        assert daemon.stop() == 0


async def test_a_daemon_that_stalls_is_dropped_and_holds_no_call_up(lab: Lab, house: MakeHouse) -> None:
    """Stopped for longer than `writetimeout`, under more events than any buffer takes."""
    number, other = "+441414960006", "+441414960007"
    lab.customer(other, Customer.answer(talk_ms=300))
    with Daemon(replace(house(), port=0)) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = await bridged(daemon, lab, [number], talk_ms=8000)
        async with await AmiClient.connect(lab.ami_all) as flood, await AmiClient.connect(lab.ami_all) as foreign:
            for client in (flood, foreign):
                await client.action("Events", ("EventMask", "off"))
            daemon.signal(signal.SIGSTOP)
            async with asyncio.TaskGroup() as meanwhile:
                meanwhile.create_task(pour(flood))
                dropping = meanwhile.create_task(until(lambda: dropped(lab)))
                placed = Placed("cleo", other)
                assert (await placed.originate(foreign))["Response"] == "Success"

                async def served() -> bool:
                    async with asyncio.timeout(1.5):  # s: below `writetimeout`
                        assert (await foreign.action("Ping"))["Response"] == "Success"
                    return dropping.done() and (await foreign.journal(placed.id)).startswith("ended|")

                await until(served)
            daemon.signal(signal.SIGCONT)
        ready = await daemon.until_logged("pbx.ready", count=2)
        assert ready["calls_in_progress"] == 1, "adopted"
        await connected_once(daemon, lab, callback, number)
        assert lab.rung(other) == 1
        assert daemon.stop() == 0


async def pour(client: AmiClient) -> None:
    """Have the PBX tell every session more than it can take unread."""
    rest = tuple((f"Rest{index}", "x" * 900) for index in range(10))
    for _ in range(FLOOD):
        await client.action("UserEvent", ("UserEvent", "MiEnd"), *rest)


async def dropped(lab: Lab) -> bool:
    """Whether the PBX has ended the daemon's session. It does not say while it still writes to it."""
    return lab.ami.username not in await asyncio.to_thread(lab.pbx.cli, "manager show connected")
