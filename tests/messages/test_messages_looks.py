"""An HTML message as a mail program would show it: narrow and wide, light and dark, in both languages, in Chromium."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from dialer.notify.messages import MessageKind
from dialer.notify.templates import Part, Templates, sample
from dialer.notify.wording import Language
from tests.browser.chromium import chromium_running

PICTURES = os.environ.get("PICTURES")
"""A folder: what is seen is left there, to be looked at."""

LONG = {"site": "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "name": "W" * 60}


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium_running() as running:
        yield running


@pytest.mark.parametrize("width", [320, 800])
@pytest.mark.parametrize("language", list(Language))
async def test_every_message_fits_and_can_be_read(browser: Browser, language: Language, width: int) -> None:
    templates = Templates(language)
    context = await browser.new_context(
        viewport={"width": width, "height": 700}, color_scheme="dark" if width > 400 else "light"
    )
    page = await context.new_page()
    for kind in MessageKind:
        for name, more in (("usual", {}), ("long", LONG)):
            words = {
                **sample(language),
                **more,
                "subject": templates.render(kind, Part.SUBJECT, {**sample(language), **more}),
            }
            await page.set_content(templates.render(kind, Part.HTML, words))
            assert await page.evaluate("document.documentElement.lang") == language.value
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (kind, name)
            # At least 4.5 to 1 between letters and what is behind them (WCAG 1.4.3).
            assert await page.evaluate(_CONTRAST) >= 4.5, (kind, name)
            for button in await page.query_selector_all("a"):
                box = await button.bounding_box()
                assert box is not None
                assert box["height"] >= 44
            if PICTURES:
                await page.screenshot(path=Path(PICTURES, f"{language}-{kind}-{name}-{width}.png"), full_page=True)
    await context.close()


_CONTRAST = """
() => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const ratios = [...document.querySelectorAll("h1, p, a, bdi")].map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
  return Math.min(...ratios);
}
"""
