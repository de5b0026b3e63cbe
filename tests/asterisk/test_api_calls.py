"""A callback that is handed in by HTTP is called at once: nobody poked, and the store was not read anew for it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House
from tests.rig.detached import key_of

NUMBER, CANCELLED = "+441174960901", "+441174960902"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


async def test_what_is_handed_in_is_called_and_what_is_cancelled_is_not(lab: Lab, tmp_path: Path) -> None:
    await quiet(lab)
    lab.agent("anna", Agent.accept())
    for number in (NUMBER, CANCELLED):
        lab.customer(number, Customer.answer(talk_ms=300))
    house = House(
        lab,
        tmp_path,
        [Department("sales", ["anna"])],
        daemon={"poll_floor_seconds": 3600},
        tables={"api": {"listen": "127.0.0.1:0"}},
    )
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        port = daemon.logged("api.listening")[0]["port"]
        headers = {"authorization": f"Bearer {key_of(daemon)}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=30
        ) as client:
            soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
            other = await client.post("/v1/callbacks", json={"department": "sales", "phone": CANCELLED, "at": soon})
            cancelled = await client.delete(f"/v1/callbacks/{other.json()['id']}")
            assert (cancelled.status_code, cancelled.json()["callback"]["status"]) == (200, "cancelled")
            made = (await client.post("/v1/callbacks", json={"department": "sales", "phone": NUMBER})).json()
            settled = await daemon.until_settled([CallbackId(made["id"])], final=True)
            assert settled[CallbackId(made["id"])].status is Status.COMPLETED
            calls = (await client.get("/v1/calls")).json()["items"]
            assert [(each["callback_id"], each["outcome"]) for each in calls] == [(made["id"], "connected")]
            attempts = (await client.get(f"/v1/callbacks/{made['id']}/attempts")).json()["items"]
            assert attempts == calls
            await asyncio.sleep(max(0.0, (datetime.fromisoformat(soon) - datetime.now(UTC)).total_seconds() + 0.5))
            too_late = await client.delete(f"/v1/callbacks/{made['id']}")
            assert (too_late.status_code, too_late.json()["code"]) == (409, "state")
            assert (await client.get("/readyz")).status_code == 200
        assert daemon.stop() == 0
    rung = [call.dialled for call in lab.far_end_calls() if call.who == "customer"]
    assert rung == [NUMBER]
