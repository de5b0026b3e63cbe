"""What the engine's loop takes a PBX to do, of the stand-in in the loop's own tests and of a real Asterisk.

One call has been placed, and its customer's phone rings.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from ulid import ULID

from dialer.domain.events import CustomerRinging
from dialer.domain.ids import AttemptId
from dialer.engine.ports import Order, Pbx, Traces, Unfinished
from tests.asterisk.driving import PATIENCE, config, order, told, up
from tests.lab import Agent, Customer, Lab
from tests.unit.engine.switch import Switch

NUMBER = "+441184960901"


@dataclass(frozen=True)
class Scene:
    """A PBX, the attempt that it was told to place, and one that it was not."""

    pbx: Pbx
    rings: AttemptId
    never: AttemptId = field(default_factory=lambda: AttemptId(str(ULID())))

    @property
    def reached(self) -> Traces:
        """The traces of a call that has reached its customer."""
        return Traces(
            agent_alive=True, customer_alive=True, journal=Unfinished("customer_dialled"), identity=self.pbx.identity
        )


@asynccontextmanager
async def stand_in() -> AsyncIterator[Scene]:
    orders: list[Order] = []
    pbx, placed = Switch("lab", orders.append), order("anna", NUMBER)
    await pbx.originate(placed)
    assert orders == [placed]
    yield Scene(cast("Pbx", pbx), placed.attempt)


@asynccontextmanager
async def asterisk() -> AsyncIterator[Scene]:
    with Lab.create() as lab:
        lab.agent("anna", Agent.accept(press_ms=200))
        lab.customer(NUMBER, Customer.answer(ring_ms=60_000))
        async with up(config(lab)) as (pbx, sink):
            placed = order("anna", NUMBER)
            await pbx.originate(placed)
            await sink.until(
                lambda: any(isinstance(event, CustomerRinging) for event in told(sink, placed.attempt)), PATIENCE
            )
            yield Scene(pbx, placed.attempt)


@pytest.fixture(scope="module", params=[stand_in, asterisk], ids=lambda of: of.__name__)
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with request.param() as made:
        yield made


async def test_it_says_which_it_is_since_when_and_what_time_it_has(scene: Scene) -> None:
    assert scene.pbx.name == "lab"
    assert scene.pbx.boot
    assert scene.pbx.identity
    assert scene.pbx.clock.tzinfo is not None


async def test_what_was_ordered_is_alive_and_what_was_not_has_left_no_trace(scene: Scene) -> None:
    assert await scene.pbx.traces([scene.rings, scene.never]) == {
        scene.rings: scene.reached,
        scene.never: Traces(agent_alive=False, customer_alive=False, journal=None, identity=scene.pbx.identity),
    }


async def test_a_revocation_is_kept_and_what_has_reached_its_customer_goes_on(scene: Scene) -> None:
    assert await scene.pbx.revoke([scene.rings, scene.never]) == {scene.rings, scene.never}
    assert await scene.pbx.traces([scene.rings]) == {scene.rings: scene.reached}
