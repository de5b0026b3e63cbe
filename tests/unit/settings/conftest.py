"""An environment without ours, and a place for a configuration."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("DIALER_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "dialer.toml"
