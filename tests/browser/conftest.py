"""One Chromium for a whole session, Debian's own; the page served beside a fresh store for each test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from dialer.store import schema
from tests.browser.chromium import chromium_running
from tests.browser.serving import Place, serving


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="session")
async def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds nothing yet, to be copied."""
    file = tmp_path_factory.mktemp("fresh") / "dialer.db"
    await schema.upgrade(file)
    return file


@pytest.fixture
def folder(fresh: Path, tmp_path: Path) -> Path:
    """Where a fresh store lies."""
    shutil.copy(fresh, tmp_path)
    return tmp_path


@pytest.fixture
async def place(folder: Path) -> AsyncIterator[Place]:
    async with serving(folder) as served:
        yield served


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A page without scripts of its own, as a phone shows it."""
    context = await chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    yield await context.new_page()
    await context.close()
