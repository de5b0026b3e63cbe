"""A visitor with Chromium, and no script on the page: sees, moves, cancels, objects; by mouse and by keyboard."""

from functools import partial

import pytest
from playwright.async_api import Browser, Page, expect

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.browser.serving import NUMBER, PLANNED, Place
from tests.cli.seeds import claimed, over
from tests.unit.intake.places import LONDON


async def see(page: Page, heading: str, notice: str = "") -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    if notice:
        await expect(page.get_by_role("status")).to_have_text(notice)


async def test_a_visitor_cancels(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    await see(page, "Your callback")
    await expect(page.get_by_role("time")).to_have_text("Tuesday 14 May 2030, 14:30 (UK time, BST)")
    await page.get_by_text("Cancel this callback").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await see(page, "Your callback is cancelled", "Done: your callback has been cancelled.")
    stored = await place.now(made)
    assert (stored.status, stored.reason) == (Status.CANCELLED, "cancelled_by_visitor")
    await page.reload()
    await see(page, "Your callback is cancelled")


async def test_a_visitor_goes_back_and_sees_it_as_it_is(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    await page.get_by_text("Cancel this callback").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    await see(page, "Your callback is cancelled")
    await page.go_back()
    await see(page, "Your callback is cancelled")
    await expect(page.get_by_role("button", name="Yes, cancel it")).to_have_count(0)


async def test_a_visitor_moves_to_another_day(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    await page.get_by_text("Choose another time").click()
    await page.get_by_role("link", name="Later days").click()
    await page.get_by_role("link", name="Later days").click()
    day = page.get_by_role("group", name="Friday 17 May 2030")
    await day.get_by_label("09:30").check()
    await page.get_by_role("button", name="Move my callback").click()
    await see(page, "Your callback", "Done: your callback has been moved.")
    await expect(page.get_by_role("time")).to_have_text("Friday 17 May 2030, 09:30 (UK time, BST)")
    moved = await place.now(made)
    assert f"{moved.due_at.astimezone(LONDON):%a %H:%M}" == "Fri 09:30"
    assert moved.wanted_at == moved.due_at


async def test_a_visitor_objects(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    await page.get_by_text("Do not call me any more").click()
    await page.get_by_role("button", name="Yes, never call this number").click()
    await see(page, "We will not call you", "Done: this number will not be called any more.")
    assert await place.store.objected(NUMBER)
    await expect(page.get_by_role("button")).to_have_count(0)


async def test_a_visitor_chooses_the_language_and_keeps_it(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    await page.get_by_role("link", name="Cymraeg").click()
    await see(page, "Eich galwad yn ôl")
    await expect(page.locator("html")).to_have_attribute("lang", "cy")
    await page.get_by_text("Canslo'r alwad hon").click()
    await page.get_by_role("button", name="Ie, canslwch yr alwad").click()
    await see(page, "Mae eich galwad wedi'i chanslo")
    await page.get_by_role("link", name="English").click()
    await see(page, "Your callback is cancelled")


async def test_all_is_done_by_the_keyboard_alone(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))

    async def press_until(name: str) -> None:
        """Tab on to what bears a name; it must show that it has the focus."""
        for _ in range(20):
            await page.keyboard.press("Tab")
            here = page.locator(":focus")
            if name in (await here.inner_text()):
                return
        raise AssertionError(f"{name} cannot be reached")

    await press_until("Choose another time")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    for _ in range(3):
        await page.keyboard.press("ArrowDown")
    await press_until("Move my callback")
    await page.keyboard.press("Enter")
    await see(page, "Your callback", "Done: your callback has been moved.")
    assert f"{(await place.now(made)).due_at.astimezone(LONDON):%a %H:%M}" == "Mon 13:00"
    await press_until("Cancel this callback")
    await page.keyboard.press("Enter")
    await press_until("Yes, cancel it")
    await page.keyboard.press("Enter")
    await see(page, "Your callback is cancelled")


async def test_a_page_that_was_open_while_somebody_else_moved_it_asks_again(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    later = PLANNED.replace(day=16)
    await place.store.reschedule(made.id, later, None, later)
    await page.get_by_text("Choose another time").click()
    await page.get_by_label("09:30").first.check()
    await page.get_by_role("button", name="Move my callback").click()
    await expect(page.get_by_role("status")).to_contain_text("changed meanwhile")
    await expect(page.get_by_role("time")).to_contain_text("Thursday 16 May 2030")
    await expect(page.get_by_role("button", name="Move my callback")).to_be_visible()
    assert (await place.now(made)).due_at == later


async def test_a_visitor_who_chose_no_time_is_kept_on_the_page(place: Place, page: Page) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    await page.get_by_text("Choose another time").click()
    await page.get_by_role("button", name="Move my callback").click()
    await expect(page.get_by_role("button", name="Move my callback")).to_be_visible()
    assert await place.now(made) == made


@pytest.mark.parametrize("in_time", [True, False])
async def test_who_cancels_while_a_call_begins_is_told_who_won(place: Place, page: Page, *, in_time: bool) -> None:
    made = await place.add()
    await page.goto(place.page_of(made))
    attempt = await claimed(place.store, made)
    stopped = partial(over, place.store, attempt, Outcome.CANCELLED)
    place.meanwhile.happens = [stopped if in_time else partial(place.store.too_late, made.id)]
    await page.get_by_text("Cancel this callback").click()
    await page.get_by_role("button", name="Yes, cancel it").click()
    if in_time:
        await see(page, "Your callback is cancelled", "Done: your callback has been cancelled.")
    else:
        told = "That came too late: the call had begun already, or was over."
        await see(page, "We are calling you", told)
    assert (await place.now(made)).status is (Status.CANCELLED if in_time else Status.IN_PROGRESS)


@pytest.mark.parametrize("bad", ["forged", "foreign", "expired"])
async def test_a_link_that_is_not_good_leads_to_one_clear_page(place: Place, page: Page, bad: str) -> None:
    made = await place.add()
    url = place.page_of(made)
    if bad == "forged":
        url = url[:-1] + ("A" if url[-1] != "A" else "B")
    elif bad == "foreign":
        url = place.links.page_of(CallbackId("01JV3KQ8ZC4W9E5R7T2Y6M1N0P"))
    else:
        place.clock.at = PLANNED.replace(month=6)
    await page.goto(url)
    await see(page, "This link is no longer valid")
    await expect(page.get_by_role("button")).to_have_count(0)
    assert "shop" not in (await page.content()).lower()


async def test_a_browser_in_welsh_is_told_so_in_welsh(place: Place, chromium: Browser) -> None:
    context = await chromium.new_context(java_script_enabled=False, locale="cy-GB")
    page = await context.new_page()
    await page.goto(f"{place.base}/c/gone")
    await see(page, "Nid yw'r ddolen hon yn ddilys mwyach")
    await expect(page.locator("html")).to_have_attribute("lang", "cy")
    await context.close()


async def test_a_forged_wish_for_a_language_is_none(place: Place, page: Page) -> None:
    await page.set_extra_http_headers({"accept-language": "cy;q=1e9,<script>alert(1)</script>,cy;q=0.1,en;q=0.1"})
    await page.goto(f"{place.base}/c/gone")
    await see(page, "This link is no longer valid")
    assert "script" not in await page.content()
