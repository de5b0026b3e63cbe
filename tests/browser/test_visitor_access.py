"""The page for everybody: axe-core finds nothing on any state of it, in either language, light or dark; it fits 320 px,
and whatever can be pressed is large enough."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from dialer.web.visitor.texts import Notice, Stands
from tests.browser.serving import NUMBER, Place
from tests.browser.states import STATES

# Run on a page that has no script of its own: the browser's tool may, where its policy allows the page none.
_OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true })"
_CONTRAST = """axe.run({runOnly: ['color-contrast', 'link-in-text-block']})"""
_WIDTH = "[document.documentElement.scrollWidth, window.innerWidth]"
_SMALL = """[...document.querySelectorAll('a, button, summary, label')].filter(each => {
    const box = each.getBoundingClientRect();
    return box.height < 44 || box.width < 44;
}).map(each => each.outerHTML)"""


@pytest.fixture
async def scripted(chromium: Browser) -> AsyncIterator[Page]:
    """A narrow phone; the scripts are the test's."""
    context = await chromium.new_context(viewport={"width": 320, "height": 640}, color_scheme="light")
    yield await context.new_page()
    await context.close()


async def found_wrong(page: Page) -> list[Any]:
    """What axe and we have against the page as it is, with all of it open."""
    await page.emulate_media(color_scheme="light")
    await page.evaluate(_OPEN)
    light = (await Axe().run(page)).response["violations"]
    await page.emulate_media(color_scheme="dark")
    dark = (await page.evaluate(_CONTRAST))["violations"]
    wide, window = await page.evaluate(_WIDTH)
    return [*light, *dark, *await page.evaluate(_SMALL), *([f"{wide} px wide"] if wide > window else [])]


@pytest.mark.parametrize("language", ["en", "cy"])
async def test_nothing_is_wrong_with_any_state_of_the_page(place: Place, scripted: Page, language: str) -> None:
    # A department that is open around the clock has the most times to offer.
    states = {stands: await place.add(department="care", **changes) for stands, changes in STATES.items()}
    wrong = {}
    for stands in sorted(states, key=lambda each: each is Stands.OBJECTED):
        if stands is Stands.OBJECTED:
            await place.store.object_to(NUMBER, "a test", "asked to")
            await place.store.cancel(states[Stands.PLANNED].id, "so that nothing is rejected")
        await scripted.goto(f"{place.page_of(states[stands])}?lang={language}")
        wrong[stands] = await found_wrong(scripted)
    assert {stands: found for stands, found in wrong.items() if found} == {}


@pytest.mark.parametrize("language", ["en", "cy"])
async def test_nothing_is_wrong_with_what_is_told_and_with_what_is_refused(
    place: Place, scripted: Page, language: str
) -> None:
    made = await place.add()
    url = place.page_of(made)
    for address in (f"{url}?done={Notice.GONE}", f"{url}?day=2030-05-20", f"{url}x?"):
        await scripted.goto(f"{address}&lang={language}")
        assert await found_wrong(scripted) == [], address


async def test_every_state_is_told_as_it_is(place: Place, scripted: Page) -> None:
    headings = set()
    for changes in STATES.values():
        made = await place.add(**changes)
        await scripted.goto(place.page_of(made))
        headings.add(await scripted.get_by_role("heading", level=1).inner_text())
    assert len(headings) >= len(STATES) - 2, "two pairs have a heading in common"


async def test_the_focus_is_seen(place: Place, scripted: Page) -> None:
    await scripted.goto(place.page_of(await place.add()))
    for _ in range(4):
        await scripted.keyboard.press("Tab")
        style = await scripted.evaluate("getComputedStyle(document.activeElement).outline")
        assert "solid 3px" in style, style
