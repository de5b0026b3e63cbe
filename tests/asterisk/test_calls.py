"""Callbacks of every kind, all at once, through a real daemon and a real Asterisk: each ends in its right outcome.

One case is a row of the table: what the agent's and the customer's phones do, and what must be on record afterwards.
The far end's own call records are the witness of who was rung, when and how often.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Blame, Outcome, Party
from tests.asterisk.driving import collapsed
from tests.lab import Agent, Behaviour, Customer, FarCall, Lab
from tests.rig import Daemon, Department, House

NOT_AGAIN = {
    "agent_busy": ["1h"],
    "agent_no_answer": ["1h"],
    "agent_declined": ["1h"],
    "agent_unavailable": ["1h"],
    "abandoned_by_agent": ["1h"],
    "trunk_failure": ["1h"],
    "pbx_failure": ["1h"],
}
AGENT_RANG = ("intent", "originate_sent", "agent_ringing")
ACCEPTED = (*AGENT_RANG, "agent_answered", "customer_dialling")
CONNECTED = (*ACCEPTED, "customer_ringing", "bridged", "ended")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Case:
    """One callback. `steps` is its whole timeline; `rung`: did the customer's phone, or the carrier, get the call?"""

    name: str
    agent: Behaviour
    customer: Behaviour
    outcome: Outcome
    cause: int | tuple[int, ...] | None
    steps: Sequence[str]
    rung: bool = True
    hung_up_by: Party | None = None
    talk: float = 0.0
    status: Status = Status.SCHEDULED
    detail: str = ""
    more: Sequence[str] = field(default=())


NAME = "Zoë Ní Bhriain"
PAGE = "https://shop.example/offers?token=secret"
TALK = Customer.answer(talk_ms=1500)
ANSWERS = Customer.answer()

CASES = (
    # What ends a customer leg: a row for each line of the measured table of causes.
    Case(
        "answered-customer-hangs-up", Agent.accept(), TALK, Outcome.CONNECTED, 16, CONNECTED,
        hung_up_by=Party.CUSTOMER, talk=1.5, status=Status.COMPLETED,
    ),
    Case(
        "answered-agent-hangs-up", Agent.accept(talk_ms=3500), ANSWERS, Outcome.CONNECTED, 16, CONNECTED,
        hung_up_by=Party.AGENT, talk=2.5, status=Status.COMPLETED,
    ),
    Case(
        "busy", Agent.accept(), Customer.busy(), Outcome.CUSTOMER_BUSY, 17, (*ACCEPTED, "customer_ringing", "ended"),
    ),
    Case(
        "rang-out", Agent.accept(), Customer.no_answer(), Outcome.CUSTOMER_NO_ANSWER, 16,
        (*ACCEPTED, "customer_ringing", "ended"),
    ),
    Case(
        "declined-603", Agent.accept(), Customer.declined(603), Outcome.CUSTOMER_DECLINED, 21,
        (*ACCEPTED, "customer_ringing", "ended"), status=Status.FAILED,
    ),
    Case(
        "declined-403", Agent.accept(), Customer.declined(403), Outcome.CUSTOMER_DECLINED, 21,
        (*ACCEPTED, "customer_ringing", "ended"), status=Status.FAILED,
    ),
    Case("carrier-bars-us", Agent.accept(), Customer.barred(), Outcome.TRUNK_FAILURE, 21, (*ACCEPTED, "ended")),
    Case("carrier-bad-gateway", Agent.accept(), Customer.barred(502), Outcome.TRUNK_FAILURE, 27, (*ACCEPTED, "ended")),
    Case("carrier-loop", Agent.accept(), Customer.barred(483), Outcome.TRUNK_FAILURE, 19, (*ACCEPTED, "ended")),
    Case(
        "unwanted-607", Agent.accept(), Customer.declined(607), Outcome.CUSTOMER_DECLINED, 127,
        (*ACCEPTED, "customer_ringing", "ended"), status=Status.FAILED,
    ),
    Case(
        "carrier-forwards", Agent.accept(), Customer.forwards("dan"), Outcome.TRUNK_FAILURE, 16, (*ACCEPTED, "ended"),
    ),
    Case(
        "unallocated", Agent.accept(), Customer.unallocated(), Outcome.CUSTOMER_UNREACHABLE, 1, (*ACCEPTED, "ended"),
        status=Status.FAILED,
    ),
    Case("congestion", Agent.accept(), Customer.congestion(), Outcome.TRUNK_FAILURE, 34, (*ACCEPTED, "ended")),
    Case(
        "answers-at-once", Agent.accept(), Customer.at_once(talk_ms=1000), Outcome.CONNECTED, 16,
        (*ACCEPTED, "bridged", "ended"), hung_up_by=Party.CUSTOMER, talk=1.0, status=Status.COMPLETED,
    ),
    Case(
        "early-media", Agent.accept(), Customer.answer(alert="183", talk_ms=1000), Outcome.CONNECTED, 16,
        (*ACCEPTED, "bridged", "ended"), hung_up_by=Party.CUSTOMER, talk=1.0, status=Status.COMPLETED,
    ),
    Case(
        "two-way-audio", Agent.accept(audio="tone"), Customer.answer(talk_ms=2000, audio="echo"), Outcome.CONNECTED,
        16, CONNECTED, hung_up_by=Party.CUSTOMER, talk=2.0, status=Status.COMPLETED,
    ),
    # What agents do.
    Case(
        "agent-forwards", Agent.forwards("dan"), ANSWERS, Outcome.AGENT_NO_ANSWER, (0, 23), (*AGENT_RANG[:2], "ended"),
        rung=False,
    ),
    Case("agent-busy", Agent.busy(), ANSWERS, Outcome.AGENT_BUSY, 17, (*AGENT_RANG[:2], "ended"), rung=False),
    Case(
        "agent-no-answer", Agent.no_answer(), ANSWERS, Outcome.AGENT_NO_ANSWER, 19, (*AGENT_RANG, "ended"), rung=False,
        more=["agent_ring = 5"],
    ),
    Case(
        "agent-declined", Agent.declined(603), ANSWERS, Outcome.AGENT_DECLINED, 21, (*AGENT_RANG, "ended"), rung=False,
    ),
    Case(
        "agent-never-presses", Agent.never_presses(), ANSWERS, Outcome.AGENT_NO_ANSWER, 16,
        (*AGENT_RANG, "agent_answered", "ended"), rung=False, detail="agent_silent",
    ),
    Case(
        "agent-voicemail", Agent.voicemail(), ANSWERS, Outcome.AGENT_NO_ANSWER, 16,
        (*AGENT_RANG, "agent_answered", "ended"), rung=False, detail="agent_silent",
    ),
    Case(
        "agent-presses-another-key", Agent.presses("5"), ANSWERS, Outcome.AGENT_DECLINED, 16,
        (*AGENT_RANG, "agent_answered", "ended"), rung=False, detail="agent_declined",
    ),
    Case(
        "agent-hangs-up-early", Agent.hangs_up(300), ANSWERS, Outcome.AGENT_DECLINED, 16,
        (*AGENT_RANG, "agent_answered", "ended"), rung=False,
    ),
    Case(
        "agent-hangs-up-while-it-rings", Agent.accept(talk_ms=2500), Customer.no_answer(), Outcome.ABANDONED_BY_AGENT,
        16, (*ACCEPTED, "customer_ringing", "ended"),
    ),
    Case(
        "agent-unregistered", Agent.accept(), ANSWERS, Outcome.AGENT_UNAVAILABLE, None,
        (*AGENT_RANG[:2], "originate_failed", "no_trace"), rung=False,
    ),
    Case(
        "agent-unknown-endpoint", Agent.accept(), ANSWERS, Outcome.AGENT_UNAVAILABLE, None,
        (*AGENT_RANG[:2], "originate_failed", "no_trace"), rung=False,
    ),
    Case(
        "agent-transfers", Agent.transfers("dan", after_ms=2500), Customer.answer(talk_ms=6000),
        Outcome.CONNECTED, 16, (*CONNECTED[:-1], "agent_gone", "handed_over", "ended"), hung_up_by=Party.CUSTOMER,
        talk=6.0, status=Status.COMPLETED,
    ),
    Case(
        "answer-is-acceptance", Agent.never_presses(), TALK, Outcome.CONNECTED, 16, CONNECTED,
        hung_up_by=Party.CUSTOMER, talk=1.5, status=Status.COMPLETED, more=['accept = "answer"'],
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """What is on record of one case."""

    callback: Callback
    attempts: Sequence[Attempt]
    far_customers: Sequence[FarCall]
    far_agents: Sequence[FarCall]


def number(index: int) -> str:
    return f"+44113496{index:04}"


def agent(index: int) -> str:
    return {"agent-unregistered": "ursula", "agent-unknown-endpoint": "nobody"}.get(CASES[index].name, f"s{index:02}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calls")


@pytest.fixture(scope="module")
async def ended(lab: Lab, folder: Path) -> AsyncIterator[Mapping[str, Ended]]:
    """Run all cases at once, each with a department, an agent and a customer of its own."""
    departments = [
        Department(case.name, [agent(index)], more=case.more, retry=NOT_AGAIN) for index, case in enumerate(CASES)
    ]
    # A phone that is not there is known to be unavailable and would not be rung at all; another device vouches for it.
    devices = {"ursula": "Custom:ursula", "nobody": "Custom:nobody"}
    for device in devices.values():
        lab.pbx.cli(f"devstate change {device} NOT_INUSE")
    # So many calls begun in one moment keep Asterisk so busy that it takes a phone's ringing and answer for one.
    carrier = {"carrier": {"calls_per_second": 5}}
    house = House(lab, folder, departments, devices, endpoints={"nobody": "no-such-phone"}, trunks=carrier)
    for index, case in enumerate(CASES):
        lab.agent(agent(index), case.agent)
        lab.customer(number(index), case.customer)
    with Daemon(house) as daemon:
        await daemon.until_logged("pbx.ready")
        requests = [
            {"department": case.name, "phone": number(index), "name": NAME, "page": PAGE}
            for index, case in enumerate(CASES)
        ]
        ids = daemon.submit(requests)
        rows = await daemon.until_settled(ids)
        lab.wait_quiet()
        far = lab.far_end_calls()
        yield {
            case.name: Ended(
                rows[ids[index]],
                await daemon.attempts(ids[index]),
                [call for call in far if call.who == "customer" and call.dialled == number(index)],
                [call for call in far if call.who == "agent" and call.callback_id == ids[index]],
            )
            for index, case in enumerate(CASES)
        }
        assert daemon.stop() == 0


@pytest.fixture(scope="module")
def log(ended: Mapping[str, Ended], folder: Path) -> str:
    """All that the daemon logged, at level debug."""
    assert ended
    return (folder / "dialer.log").read_text()


def the_attempt(ended: Ended) -> Attempt:
    (attempt,) = ended.attempts
    return attempt


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_ends_in_its_outcome(case: Case, ended: Mapping[str, Ended]) -> None:
    attempt = the_attempt(ended[case.name])
    verdict = attempt.verdict
    assert verdict is not None
    assert verdict.outcome is case.outcome
    assert verdict.cause in (case.cause if isinstance(case.cause, tuple) else (case.cause,))
    assert verdict.hung_up_by == case.hung_up_by
    assert verdict.talk.total_seconds() == pytest.approx(case.talk, abs=0.75)
    if case.detail:
        assert verdict.detail == case.detail
    assert (verdict.blame is Blame.AGENT) == case.outcome.value.startswith(("agent_", "abandoned_"))
    assert ended[case.name].callback.status is case.status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_timeline_is_complete(case: Case, ended: Mapping[str, Ended]) -> None:
    attempt = the_attempt(ended[case.name])
    names = [step.name for step in attempt.timeline]
    assert collapsed(names) == list(case.steps)
    times = [step.at for step in attempt.timeline]
    assert times == sorted(times)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_far_end_agrees(case: Case, ended: Mapping[str, Ended]) -> None:
    """Who was rung, when, and how often; and for how long they talked."""
    one = ended[case.name]
    attempt = the_attempt(one)
    assert len(one.far_customers) == (1 if case.rung else 0)
    assert len(one.far_agents) == (0 if "originate_failed" in case.steps else 1)
    steps = {step.name: step.at for step in attempt.timeline}
    for call in one.far_agents:
        assert abs(call.start - steps["originate_sent"]) < SECOND
    for call in one.far_customers:
        assert call.caller_number == "+442079460100"
        assert abs(call.start - steps["customer_dialling"]) < SECOND
        assert (call.disposition == "ANSWERED") == (case.outcome is Outcome.CONNECTED)
        if call.answer is not None:
            assert attempt.verdict is not None
            assert call.billsec == pytest.approx(attempt.verdict.talk.total_seconds(), abs=0.5)
            assert attempt.ended_at is not None
            assert abs(call.end - attempt.ended_at) < SECOND


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_agent_knows_who_and_from_which_page(case: Case, ended: Mapping[str, Ended]) -> None:
    one = ended[case.name]
    for call in one.far_agents:
        assert call.caller_name == f"{case.name.title()}: {NAME}"
        assert (call.callback_id, call.page, call.department) == (one.callback.id, PAGE.partition("?")[0], case.name)
    for call in one.far_customers:
        assert (call.caller_name, call.callback_id, call.page, call.department) == ("", "", "", "")


async def test_log_has_every_callback_and_no_person(ended: Mapping[str, Ended], log: str) -> None:
    assert all(one.callback.id in log for one in ended.values())
    assert NAME not in log
    assert "shop.example" not in log
    assert "113496" not in log


async def test_no_customer_was_rung_without_an_agent(ended: Mapping[str, Ended]) -> None:
    """No silence: when a customer's phone got the call, the agent's leg was already up."""
    rung = 0
    for one in ended.values():
        for call in one.far_customers:
            rung += 1
            (agent_leg,) = one.far_agents
            assert agent_leg.answer is not None
            assert agent_leg.answer + timedelta(seconds=1.2) < call.start < agent_leg.end
    assert rung == sum(case.rung for case in CASES)


async def test_only_the_one_who_was_transferred_to_was_rung_besides(ended: Mapping[str, Ended], lab: Lab) -> None:
    """Whoever forwards, an agent's phone or the carrier, is not followed."""
    began = min(the_attempt(one).created_at for one in ended.values())
    calls = [call for call in lab.far_end_calls() if call.start >= began]
    rung = {id(call) for one in ended.values() for call in (*one.far_agents, *one.far_customers)}
    known = {number(index) for index in range(len(CASES))} | {agent(index) for index in range(len(CASES))}
    assert len(rung) == sum(call.dialled in known for call in calls)
    assert [call.dialled for call in calls if call.dialled not in known] == ["dan"]


async def test_every_attempt_has_one_outcome(ended: Mapping[str, Ended]) -> None:
    ids: list[CallbackId] = [one.callback.id for one in ended.values()]
    assert len(set(ids)) == len(CASES)
    assert all(len(one.attempts) == 1 and one.attempts[0].verdict for one in ended.values())
