"""Hosts for the command line's tests, and a lab for those that need an Asterisk."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.ids import CallbackId
from tests.cli.host import Host
from tests.cli.seeds import WANTED, callback, claimed
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


@pytest.fixture
def scheduled(host: Host) -> CallbackId:
    made = callback(due=WANTED)
    host.with_store(lambda store: store.add([made]))
    return made.id


@pytest.fixture
def under_way(host: Host, scheduled: CallbackId) -> Attempt:
    return host.with_store(partial(claimed, of=host.stored(scheduled)))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab.create() as running:
        yield running
