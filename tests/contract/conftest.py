"""Every store must pass the same suite: the tests ask for `where`, and each backend gives a fresh, empty place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.store.store import SqlStore
from tests.contract.story import NOON


@pytest.fixture(params=["sqlite"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}:///{tmp_path / 'dialer.db'}"


@pytest.fixture
async def store(where: str) -> AsyncIterator[SqlStore]:
    async with SqlStore.open(where, exclusive=True, now=lambda: NOON) as opened:
        yield opened
