"""Who is free: device states, reservations, and rests after a call that was not taken."""

from datetime import UTC, datetime, timedelta

import pytest

from dialer.domain.directory import Agent, Directory
from dialer.domain.ids import CallbackId
from dialer.engine.ports import DeviceState
from dialer.engine.roster import Roster

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
IDLE = DeviceState.NOT_INUSE


@pytest.fixture
def roster() -> Roster:
    agents = [
        Agent("anna", "Anna", "main", "PJSIP/anna", "PJSIP/anna"),
        Agent("ben", "Ben", "main", "PJSIP/ben", "PJSIP/ben"),
        Agent("cleo", "Cleo", "other", "PJSIP/anna", "PJSIP/anna"),
    ]
    return Roster(Directory(agents={agent.id: agent for agent in agents}))


def test_nobody_is_free_before_their_phone_says_so(roster: Roster) -> None:
    assert roster.free(NOW) == set()


@pytest.mark.parametrize("state", [state for state in DeviceState if state is not IDLE])
def test_only_an_idle_phone_is_free(roster: Roster, state: DeviceState) -> None:
    assert roster.device("main", "PJSIP/anna", IDLE, NOW)
    assert roster.free(NOW) == {"anna"}, "the same device name on another PBX is another phone"
    assert not roster.device("main", "PJSIP/anna", state, NOW)
    assert roster.free(NOW) == set()


def test_free_since_is_when_the_phone_became_idle_and_not_when_it_was_told_again(roster: Roster) -> None:
    assert roster.device("main", "PJSIP/anna", IDLE, NOW)
    assert not roster.device("main", "PJSIP/anna", IDLE, NOW + SECOND)
    assert roster.free_since["anna"] == NOW


def test_a_reserved_agent_is_not_free_until_released(roster: Roster) -> None:
    roster.device("main", "PJSIP/anna", IDLE, NOW)
    roster.reserve("anna", NOW)
    assert (roster.free(NOW), roster.held, roster.last_rung["anna"]) == (set(), 1, NOW)
    roster.release("anna", NOW + SECOND)
    assert (roster.free(NOW), roster.held, roster.free_since["anna"]) == ({"anna"}, 0, NOW + SECOND)


def test_an_agent_who_did_not_take_the_call_rests(roster: Roster) -> None:
    roster.device("main", "PJSIP/anna", IDLE, NOW)
    roster.reserve("anna", NOW)
    roster.release("anna", NOW, rest_until=NOW + 10 * SECOND)
    assert roster.free(NOW + 9 * SECOND) == set()
    assert roster.next_rested() == NOW + 10 * SECOND
    assert roster.free(NOW + 10 * SECOND) == {"anna"}
    assert roster.next_rested() is None
    assert roster.free_since["anna"] == NOW + 10 * SECOND


def test_a_phone_that_becomes_idle_during_the_rest_does_not_end_it(roster: Roster) -> None:
    roster.device("main", "PJSIP/anna", IDLE, NOW)
    roster.reserve("anna", NOW)
    roster.device("main", "PJSIP/anna", DeviceState.BUSY, NOW)
    roster.release("anna", NOW, rest_until=NOW + 10 * SECOND)
    roster.device("main", "PJSIP/anna", IDLE, NOW + SECOND)
    assert roster.free(NOW + SECOND) == set()
    assert roster.free_since["anna"] == NOW + 10 * SECOND


def test_a_pbx_out_of_sight_has_no_free_agents(roster: Roster) -> None:
    for pbx, device in (("main", "PJSIP/anna"), ("main", "PJSIP/ben"), ("other", "PJSIP/anna")):
        roster.device(pbx, device, IDLE, NOW)
    roster.forget("main")
    assert roster.free(NOW) == {"cleo"}


def test_an_agent_of_an_earlier_run_is_held(roster: Roster) -> None:
    roster.device("main", "PJSIP/anna", IDLE, NOW)
    roster.hold("anna")
    roster.hold("who-left-the-company")
    assert (roster.free(NOW), roster.held) == (set(), 2)


def test_a_paused_agent_is_not_free_and_free_again_since_the_end_of_the_pause(roster: Roster) -> None:
    roster.device("main", "PJSIP/anna", IDLE, NOW)
    roster.pause({"anna"}, NOW)
    assert roster.free(NOW) == set()
    roster.pause((), NOW + 10 * SECOND)
    assert (roster.free(NOW + 10 * SECOND), roster.free_since["anna"]) == ({"anna"}, NOW + 10 * SECOND)


def test_rings_in_vain_are_counted_in_a_row(roster: Roster) -> None:
    assert [roster.missed("anna") for _ in range(3)] == [1, 2, 3]
    roster.answered("anna")
    assert roster.missed("anna") == 1
    roster.pause({"anna"}, NOW)
    roster.pause((), NOW)
    assert roster.missed("anna") == 1, "the end of a pause begins anew"


def test_an_agent_is_kept_for_one_callback_until_they_are_rung_or_the_time_is_over(roster: Roster) -> None:
    one = CallbackId("one")
    assert roster.promised_to("anna", NOW) is None
    roster.promise("anna", one, NOW + SECOND)
    assert (roster.promised_to("anna", NOW), roster.promised_until("anna")) == (one, NOW + SECOND)
    assert roster.promised_to("anna", NOW + SECOND) is None
    roster.promise("anna", one, NOW + SECOND)
    roster.reserve("anna", NOW)
    assert roster.promised_to("anna", NOW) is None


def test_a_clock_that_was_set_ends_rests_and_promises(roster: Roster) -> None:
    roster.device("main", "PJSIP/anna", IDLE, NOW)
    roster.release("anna", NOW, rest_until=NOW + timedelta(days=365))
    roster.promise("anna", CallbackId("one"), NOW + timedelta(days=365))
    roster.end_rests()
    assert (roster.free(NOW), roster.promised_to("anna", NOW)) == ({"anna"}, None)
