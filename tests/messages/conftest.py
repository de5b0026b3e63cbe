"""A messenger with its servers, whose certificates are made once for each module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.messages.rig import Rig, rig


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture
async def house(tmp_path: Path, certificates: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path, certificates) as made:
        yield made
