"""Hosts for the command line's tests, and a lab for those that need an Asterisk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.host import Host
from tests.lab import Lab


@pytest.fixture
def bare(tmp_path: Path) -> Host:
    """Nothing but a folder and a configuration."""
    host = Host(tmp_path)
    host.configure()
    return host


@pytest.fixture
def host(bare: Host) -> Host:
    """With a store."""
    bare.upgrade()
    return bare


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running
