"""A department and an attempt, whole and plain, for tests that are about a few of their fields."""

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from dialer.domain.attempt import Attempt
from dialer.domain.directory import Department, Interval, OpeningHours, RetryRule
from dialer.domain.ids import AttemptId, CallbackId

NOW = datetime(2030, 5, 17, 10, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
ROUND_THE_CLOCK = OpeningHours(LONDON, ((Interval(time(0), None),),) * 7)


def department(id_: str = "sales", **fields: object) -> Department:
    """Open round the clock, with one agent and one trunk."""
    plain = Department(
        id=id_,
        name=id_.title(),
        site="shop",
        agents=("anna",),
        trunks=("carrier",),
        caller_id="+442079460123",
        hours=ROUND_THE_CLOCK,
        retry=RetryRule({}, 3, 10),
        agent_ring=20,
        customer_ring=25,
        max_call=7200,
        press_to_accept=True,
        whisper="",
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # a test's own fields


def attempt(at: datetime = NOW, **fields: object) -> Attempt:
    """An intent: due, ready and made at one moment."""
    plain = Attempt(
        id=AttemptId("01HZXW0000000000000000000A"),
        callback_id=CallbackId("01HZXW0000000000000000000C"),
        number=1,
        department="sales",
        pbx="main",
        pbx_boot="2030-05-01 00:00:00",
        agent="anna",
        trunk="carrier",
        caller_id="+442079460123",
        dialled="+441614960001",
        due_at=at,
        ready_at=at,
        created_at=at,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # as above
