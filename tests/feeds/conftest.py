"""A platform that serves, and a bench beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.host import Host
from tests.feeds.platform import Platform, serving
from tests.feeds.pulling import Bench, bench


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with serving(Platform(waits=False)) as served:
        yield served


@pytest.fixture
async def pulled(platform: Platform, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(platform, tmp_path) as made:
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    made.upgrade()
    return made
