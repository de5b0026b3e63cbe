"""Debian's own Chromium, without a window."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright


@asynccontextmanager
async def chromium_running() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    assert program, "scripts/setup installs it"
    async with async_playwright() as playwright:
        # Its sandbox does not run as root, and nothing but our own pages and texts is opened.
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()
