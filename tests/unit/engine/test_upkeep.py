"""What the sweep tells a person: a PBX that stays away, and one that only blinks."""

from collections.abc import AsyncIterator, Coroutine
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from dialer.alerts import Alerts
from dialer.engine.attempts import Attempts
from dialer.engine.capacity import Capacity
from dialer.engine.ports import AlertKind, Pbx
from dialer.engine.upkeep import Upkeep
from dialer.store.store import SqlStore
from tests.unit.engine.floor import NOON, SECOND, directory


class _At:
    def now(self) -> datetime:
        return NOON


def _drop(work: Coroutine[None, None, None]) -> None:
    work.close()


def _unheard(*_: object, **__: object) -> None:
    """Nobody listens here."""


@pytest.fixture
async def upkeep(tmp_path: Path) -> AsyncIterator[tuple[Upkeep, dict[str, datetime], Alerts]]:
    """With two PBXs, of which those in the dictionary are ready."""
    ready: dict[str, datetime] = {"one": NOON, "two": NOON}
    pbxs = dict.fromkeys(ready, cast("Pbx", None))  # nobody speaks to them here
    alerts = Alerts(None, None)
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as store:
        attempts = Attempts(
            directory=directory(), store=store, pbxs=pbxs, clock=_At(), spawn=_drop, finished=_unheard, changed=_unheard
        )
        upkeep = Upkeep(
            store=store,
            attempts=attempts,
            capacity=Capacity(directory()),
            pbxs=pbxs,
            ready=ready,
            alerts=alerts,
            spawn=_drop,
            changed=_unheard,
        )
        yield upkeep, ready, alerts


def told(upkeep: Upkeep, sweeps: int = 1) -> list[tuple[str, str]]:
    with capture_logs() as logs:
        for sweep in range(sweeps):
            upkeep.sweep(NOON + sweep * SECOND)
    return [(line["event"], line["key"]) for line in logs]


def test_a_pbx_that_is_down_at_one_sweep_only_worries_nobody(
    upkeep: tuple[Upkeep, dict[str, datetime], Alerts],
) -> None:
    sweeper, ready, _ = upkeep
    del ready["two"]
    assert told(sweeper) == []
    ready["two"] = NOON
    assert told(sweeper) == []
    del ready["two"]
    assert told(sweeper) == [], "not the second in a row"


def test_a_pbx_that_stays_down_is_told_once_and_again_after_it_came_back(
    upkeep: tuple[Upkeep, dict[str, datetime], Alerts],
) -> None:
    sweeper, ready, alerts = upkeep
    del ready["two"]
    assert told(sweeper, 4) == [("alert.raised", "two")]
    ready["two"] = NOON
    alerts.cleared(AlertKind.PBX_DOWN, "two")
    del ready["two"]
    assert told(sweeper, 1) == [("alert.raised", "two")], "no sweep has seen it up in between"
