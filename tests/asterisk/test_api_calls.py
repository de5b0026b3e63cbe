"""A callback that is handed in by HTTP is called at once: nobody poked, and the store was not read anew for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from tests.lab import Agent, Customer, Lab
from tests.lab.waiting import quiet
from tests.rig import API, Daemon, Department, House

NUMBER, CANCELLED, AFTER = "+441174960901", "+441174960902", "+441174960903"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


async def handed_in(client: httpx.AsyncClient, number: str, at: datetime | None = None) -> CallbackId:
    request = {"department": "sales", "phone": number, **({"at": at.isoformat()} if at else {})}
    answer = await client.post("/v1/callbacks", json=request)
    assert answer.status_code == 201, answer.text
    return CallbackId(answer.json()["id"])


async def test_what_is_handed_in_is_called_and_what_is_cancelled_is_not(lab: Lab, tmp_path: Path) -> None:
    await quiet(lab)
    lab.agent("anna", Agent.accept())
    for number in (NUMBER, CANCELLED, AFTER):
        lab.customer(number, Customer.answer(talk_ms=300))
    house = House(
        lab,
        tmp_path,
        [Department("sales", ["anna"])],
        daemon={"poll_floor_seconds": 3600},
        tables={"api": API},
    )
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        async with await daemon.client(daemon.key()) as client:
            soon = datetime.now(UTC) + timedelta(seconds=2)
            other = await handed_in(client, CANCELLED, soon)
            cancelled = await client.delete(f"/v1/callbacks/{other}")
            assert (cancelled.status_code, cancelled.json()["callback"]["status"]) == (200, "cancelled")
            rung = [await handed_in(client, NUMBER), await handed_in(client, AFTER, soon + timedelta(seconds=1))]
            # The one that is due after the cancelled one has been called: what was to be called before it, was.
            settled = await daemon.until_settled(rung, final=True)
            assert [settled[id_].status for id_ in rung] == [Status.COMPLETED] * 2
            calls = (await client.get("/v1/calls")).json()["items"][::-1]
            assert [(each["callback_id"], each["outcome"]) for each in calls] == [(id_, "connected") for id_ in rung]
            for call in calls:
                attempts = (await client.get(f"/v1/callbacks/{call['callback_id']}/attempts")).json()["items"]
                assert attempts == [call]
            too_late = await client.delete(f"/v1/callbacks/{rung[0]}")
            assert (too_late.status_code, too_late.json()["code"]) == (409, "state")
            assert (await client.get("/readyz")).status_code == 200
        assert daemon.stop() == 0
    assert [call.dialled for call in lab.far_end_calls() if call.who == "customer"] == [NUMBER, AFTER]
