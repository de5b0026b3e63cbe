"""What an attempt's end, or a claim that was refused, means for the agents: on the real books and a real store."""

from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dialer.alerts import Alerts
from dialer.domain.callback import Status
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import Outcome, verdict
from dialer.engine.choices import Place
from dialer.engine.consequences import Consequences
from dialer.engine.orders import intent
from dialer.scheduling.retry import NextStep
from dialer.store.store import SqlStore
from tests.contract.story import SECOND
from tests.unit.engine.floor import NOON, Floor, callback, directory

REST = timedelta(seconds=15)


@dataclass
class _Line:
    """What an intent wants to know of a PBX."""

    name: str = "one"
    boot: str = "boot"
    identity: str = "identity"
    clock = NOON


@dataclass
class Desk:
    floor: Floor
    consequences: Consequences

    def fails_by_its_trunk(self, number: int, *, wished: bool) -> str:
        """A callback's first attempt; the agent who made it."""
        one = callback(number, "smiths")
        (placed,) = self.floor.decide(one).made
        assert isinstance(placed, Place)
        attempt = intent(AttemptId(f"{number:026}"), placed, _Line(), NOON)  # type: ignore[arg-type]  # a PBX's facts
        self.floor.capacity.keep(attempt)
        step = NextStep(Status.SCHEDULED, NOON, "trunk_failure", 0, 0, prefer_agent=attempt.agent)
        self.consequences.of_end(attempt, verdict(Outcome.TRUNK_FAILURE), step, NOON, wished=wished)
        return attempt.agent

    def fails(self, number: int, outcome: Outcome, *, rang: bool | None) -> str:
        """A callback's first and only attempt; the trunk by which it was made."""
        one = callback(number, "smiths")
        (placed,) = self.floor.decide(one).made
        assert isinstance(placed, Place)
        attempt = intent(AttemptId(f"{number:026}"), placed, _Line(), NOON)  # type: ignore[arg-type]  # a PBX's facts
        self.floor.capacity.keep(attempt)
        failed = NextStep(Status.FAILED, NOON, f"{outcome}: not tried again", 1, 0)
        self.consequences.of_end(attempt, replace(verdict(outcome), rang=rang), failed, NOON, wished=False)
        return attempt.trunk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    floor = Floor(directory(), busy=["dan", "finn"])
    async with SqlStore.open(tmp_path / "dialer.db", exclusive=True) as store:

        def unwanted(work: Coroutine[None, None, None]) -> None:
            work.close()
            raise AssertionError("nothing here is to be written")

        yield Desk(
            floor,
            Consequences(
                decider=floor.decider,
                store=store,
                alerts=Alerts(None, None),
                agent_rest=REST,
                spawn=unwanted,
                poke=lambda: None,
            ),
        )


def test_an_agent_whose_trunk_failed_is_kept_for_the_same_callback(desk: Desk) -> None:
    assert desk.fails_by_its_trunk(1, wished=False) == "cleo"
    assert desk.floor.words(callback(2, "smiths")) == []


def test_nobody_is_kept_for_a_callback_that_somebody_cancelled_or_moved(desk: Desk) -> None:
    assert desk.fails_by_its_trunk(1, wished=True) == "cleo"
    assert desk.floor.words(callback(2, "smiths")) == ["2 cleo first"]


def test_an_agent_whom_the_store_refuses_rests_and_others_do_not(desk: Desk) -> None:
    desk.floor.idle("dan")
    with capture_logs() as logs:
        desk.consequences.of_refusals({"cleo"}, NOON)
    assert [(line["event"], line["agent"]) for line in logs] == [("agent.not_claimed", "cleo")]
    assert desk.floor.words(callback(1, "smiths")) == ["1 dan first"]
    assert desk.floor.words(callback(2, "smiths"), now=NOON + REST - SECOND) == []
    assert desk.floor.words(callback(2, "smiths"), now=NOON + REST) == ["2 cleo first"]


def test_an_agent_who_is_rung_by_now_is_not_let_go_by_an_old_refusal(desk: Desk) -> None:
    assert desk.floor.words(callback(1, "smiths")) == ["1 cleo first"]
    desk.consequences.of_refusals({"cleo"}, NOON)
    assert desk.floor.words(callback(2, "smiths"), now=NOON + 2 * REST) == []


@pytest.mark.parametrize("outcome", [Outcome.CUSTOMER_DECLINED, Outcome.CUSTOMER_NO_ANSWER])
def test_a_carrier_with_whom_no_phone_ever_rings_rests_as_one_that_fails(desk: Desk, outcome: Outcome) -> None:
    with capture_logs() as logs:
        assert [desk.fails(number, outcome, rang=False) for number in range(4)] == ["first", "first", "first", "second"]
    (alert,) = [line for line in logs if line["event"] == "alert.raised"]
    assert (alert["kind"], alert["key"]) == ("trunk_rests", "first")


@pytest.mark.parametrize("outcome", [Outcome.CUSTOMER_DECLINED, Outcome.CUSTOMER_NO_ANSWER])
@pytest.mark.parametrize("rang", [True, None])
def test_people_whose_phones_ring_say_nothing_against_their_trunk(
    desk: Desk, outcome: Outcome, *, rang: bool | None
) -> None:
    assert [desk.fails(number, outcome, rang=rang) for number in range(4)] == ["first"] * 4
