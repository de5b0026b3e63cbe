"""One Chromium for a whole session, Debian's own; the page served beside a fresh store for each test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.serving import Place, serving


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    assert program, "scripts/setup installs it"
    async with async_playwright() as playwright:
        # Its sandbox does not run as root, and nothing but our own page is opened.
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with serving(tmp_path) as served:
        yield served


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A page without scripts of its own, as a phone shows it."""
    context = await chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    yield await context.new_page()
    await context.close()
