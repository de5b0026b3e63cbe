"""Callbacks and attempts put straight into a store: also what no door would let in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ulid import ULID

from dialer.domain.attempt import Attempt, State, Step
from dialer.domain.callback import Callback, Consent, Status, Visitor
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Blame, Outcome, Party, Verdict
from dialer.engine.ports import Claim
from dialer.scheduling.retry import NextStep
from dialer.store.store import SqlStore

_AFTER = {Outcome.CONNECTED: Status.COMPLETED, Outcome.IN_DOUBT: Status.NEEDS_REVIEW}
AT = datetime(2030, 5, 17, 13, 30, tzinfo=UTC)
WANTED = (datetime.now(UTC) + timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
"""Around the middle of the day in London, the day after tomorrow."""
HOSTILE = "\x1b[31mMaria\x1b[0m [red]\r\nok \u202egnp.exe\x9b2J\tx"


def callback(name: str = "Maria", due: datetime = AT, number: str = "+442079460001", message: str = "") -> Callback:
    visitor = Visitor(
        phone=number,
        name=name,
        message=message,
        page="https://example.com/offer?id=1",
        consent=Consent("Call me back", AT - timedelta(hours=1), "https://example.com/offer"),
    )
    return Callback(CallbackId(str(ULID())), "shop", "sales", visitor, AT - timedelta(hours=1), AT, due)


def attempt(of: Callback, verdict: Verdict, sent: datetime) -> Attempt:
    """An ended attempt that was sent at a time, and took three seconds."""
    steps = (Step("intent", sent), Step("originate_sent", sent), Step("ended", sent + timedelta(days=1), "cause 16"))
    return Attempt(
        id=AttemptId(str(ULID())),
        callback_id=of.id,
        number=of.attempts + 1,
        department=of.department,
        pbx="main",
        pbx_boot="boot",
        agent="anna",
        trunk="carrier",
        caller_id="+442079460123",
        dialled=of.visitor.phone,
        due_at=of.due_at,
        ready_at=of.due_at,
        created_at=sent,
        state=State.ENDED,
        timeline=steps,
        verdict=verdict,
        ended_at=sent + timedelta(seconds=3),
    )


async def under_way(store: SqlStore, of: Callback, agent: str = "anna") -> Attempt:
    """Add a callback, and claim it for an attempt that lives."""
    await store.add([of])
    return await claimed(store, of, agent)


async def claimed(store: SqlStore, of: Callback, agent: str = "anna") -> Attempt:
    """Claim a callback that is stored, as it is there."""
    made = attempt(of, Verdict(Outcome.CANCELLED, None, Blame.NOBODY), of.due_at)
    living = replace(made, agent=agent, state=State.ORIGINATING, timeline=(), verdict=None, ended_at=None)
    assert await store.claim(Claim(of, living))
    return living


async def over(
    store: SqlStore, living: Attempt, outcome: Outcome, status: Status = Status.SCHEDULED, due: datetime = AT
) -> None:
    """End an attempt that lives; its callback goes on as `status` says, unless somebody wished otherwise."""
    end = Verdict(outcome, 16, Blame.NOBODY)
    steps = (Step("ended", AT, "cause 16"),)
    done = replace(living, state=State.ENDED, timeline=steps, verdict=end, ended_at=AT)
    await store.finish(done, NextStep(status, due, f"again after {outcome}", 1, 0))


async def ended(
    store: SqlStore,
    of: Callback,
    outcome: Outcome,
    late: float = 0.25,
    detail: str = "",
    status: Status | None = None,
) -> Attempt:
    """Add a callback and one ended attempt at it; it waits for the next, or as `status` says."""
    talk = timedelta(seconds=2.5) if outcome is Outcome.CONNECTED else timedelta(0)
    party = Party.CUSTOMER if outcome is Outcome.CONNECTED else None
    made = attempt(of, Verdict(outcome, 16, Blame.NOBODY, talk, party, detail), of.due_at + timedelta(seconds=late))
    await store.add([of])
    living = replace(made, state=State.ORIGINATING, timeline=(), verdict=None, ended_at=None)
    assert await store.claim(Claim(of, living))
    status = status or _AFTER.get(outcome, Status.SCHEDULED)
    await store.finish(made, NextStep(status, of.due_at + timedelta(hours=1), f"again after {outcome}", 1, 0))
    return made
