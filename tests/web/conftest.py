"""The API, once for each module of tests; what one test does, no other needs to be without."""

from collections.abc import AsyncIterator

import pytest

from tests.web.place import Place, place


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with place(tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.fixture(scope="module")
async def shop(api: Place) -> dict[str, str]:
    """Headers of a key that may do everything at the shop."""
    return await api.as_()
