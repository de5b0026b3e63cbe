"""The daemon serves the page itself, and whoever cancels there while an agent's phone rings is not rung."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from dialer.domain.callback import Status
from dialer.settings import load
from tests.lab import Agent, Customer, Lab
from tests.lab.ports import Ports
from tests.lab.waiting import quiet
from tests.rig import Daemon, Department, House


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running


@pytest.fixture
def house(lab: Lab, tmp_path: Path) -> Iterator[House]:
    ports = Ports()
    port = ports.take()
    (tmp_path / "page-links").write_text("a secret of at least 32 characters\nan older one of at least 32 characters\n")
    tables = {
        "api": {"listen": f"127.0.0.1:{port}"},
        "page": {"base_url": f"http://127.0.0.1:{port}", "secrets_file": "page-links"},
    }
    yield House(lab, tmp_path, [Department("sales", ["anna"], retry={"cancelled": ["1s"]})], tables=tables)
    ports.release()


async def test_who_cancels_while_the_agent_rings_is_not_rung(lab: Lab, house: House, page: Page) -> None:
    number = "+441184960731"
    lab.agent("anna", Agent.accept(ring_ms=20_000))
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([{"department": "sales", "phone": number}])
        await daemon.until_step(callback, "agent_ringing")
        links = load(house.config).links(lambda: datetime.now(UTC))
        assert links is not None
        await page.goto(links.page_of(callback))
        await expect(page.get_by_role("heading", level=1)).to_have_text("We are calling you")
        await page.get_by_text("Cancel this callback").click()
        await page.get_by_role("button", name="Yes, cancel it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your callback is cancelled")
        async with daemon.store() as store:
            found = await store.get(callback)
        assert found is not None
        assert (found.status, found.reason) == (Status.CANCELLED, "cancelled_by_visitor")
        assert daemon.stop() == 0
        assert links.token(callback) not in "".join(map(str, daemon.log()))
    await quiet(lab)
    assert [call for call in lab.far_end_calls() if call.who == "customer" and call.dialled == number] == []


async def test_who_cancels_while_their_own_phone_rings_is_told_that_it_is_too_late(
    lab: Lab, house: House, page: Page
) -> None:
    number = "+441184960732"
    lab.agent("anna", Agent.accept())
    lab.customer(number, Customer.answer(ring_ms=10_000))
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([{"department": "sales", "phone": number}])
        await daemon.until_step(callback, "customer_ringing")
        links = load(house.config).links(lambda: datetime.now(UTC))
        assert links is not None
        await page.goto(links.page_of(callback))
        await page.get_by_text("Cancel this callback").click()
        await page.get_by_role("button", name="Yes, cancel it").click()
        await expect(page.get_by_role("status")).to_contain_text("too late")
        await expect(page.get_by_role("heading", level=1)).to_have_text("We are calling you")
        daemon.kill()


async def test_a_visitor_moves_a_callback_that_waits(lab: Lab, house: House, page: Page) -> None:
    number = "+441184960733"
    at = datetime.now(UTC) + timedelta(days=2)
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        (callback,) = daemon.submit([{"department": "sales", "phone": number, "at": at.isoformat()}])
        links = load(house.config).links(lambda: datetime.now(UTC))
        assert links is not None
        await page.goto(links.page_of(callback))
        await page.get_by_text("Choose another time").click()
        await page.get_by_role("link", name="Later days").click()
        wanted = page.get_by_role("radio").first
        value = await wanted.get_attribute("value")
        await wanted.check()
        await page.get_by_role("button", name="Move my callback").click()
        await expect(page.get_by_role("status")).to_have_text("Done: your callback has been moved.")
        async with daemon.store() as store:
            found = await store.get(callback)
        assert found is not None
        assert found.due_at == datetime.fromisoformat(str(value))
        assert daemon.stop() == 0
