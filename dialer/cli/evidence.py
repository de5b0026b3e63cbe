"""What is known of an attempt in doubt, for a person to decide from; and how it is kept from its customer for good."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.ami.gateway import Gateway
from dialer.cli.output import stamp
from dialer.cli.reach import reached
from dialer.cli.records import Record, whole_attempt
from dialer.domain.attempt import Attempt, Step
from dialer.domain.errors import ConfigurationError, DialerError, IllegalState, PbxError
from dialer.domain.outcome import EndRecord, Outcome, Verdict, classify
from dialer.engine.ports import Traces, Unfinished
from dialer.settings import Settings

_GONE_WITHIN = 5.0
_LOOK = 0.1
"""Seconds until a leg that was hung up must be gone, and between looks."""

_ENDS = frozenset({"lost", "ended", "amended"})
_TALKING = frozenset({"answered", "agent_left"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an attempt. `traces` is what its PBX tells now; None when it was not to be asked, for
    `silence`, or need not be: the end is known."""

    attempt: Attempt
    traces: Traces | None = None
    silence: DialerError | None = None

    @property
    def verdict(self) -> Verdict | None:
        """How the attempt ended, by the store or else by the PBX; None while that is in doubt."""
        known = self.attempt.verdict
        if known is not None and known.outcome is not Outcome.IN_DOUBT:
            return known
        match self.traces:
            case Traces(journal=EndRecord() as record):
                return classify(record)
            case _:
                return None

    @property
    def alive(self) -> bool:
        """Whether any leg of it lives."""
        return self.traces is not None and (self.traces.agent_alive or self.traces.customer_alive)

    @property
    def reached(self) -> str:
        """Why ringing again would be ringing twice; '' when that is not known."""
        if self.verdict is not None and self.verdict.outcome is Outcome.CONNECTED:
            return "the customer was reached: resolve it as completed"
        match self.traces:
            case Traces(journal=Unfinished(step)) if self.alive and step in _TALKING:
                return "the customer is on the line now"
            case _:
                return ""


async def look(settings: Settings, attempt: Attempt) -> Evidence:
    """Ask the attempt's PBX, where its end is in doubt. Never raises for a PBX that does not answer: that is told."""
    if not _in_doubt(attempt):
        return Evidence(attempt)
    try:
        async with reached(settings, attempt.pbx) as pbx:
            return await _traces(pbx, attempt)
    except (PbxError, ConfigurationError) as error:
        return Evidence(attempt, silence=error)


async def bar(settings: Settings, attempt: Attempt) -> Evidence:
    """Make sure that an attempt in doubt can never reach its customer any more: revoke it, hang up what lives of it,
    and look again. Takes 1.5 s and more. Raises `DialerError`: why that cannot be shown."""
    if not _in_doubt(attempt):
        return Evidence(attempt)
    async with reached(settings, attempt.pbx) as pbx:
        if attempt.id not in await pbx.revoke([attempt.id]):
            what = "it did not keep the revocation of the last attempt"
            raise IllegalState(what, where=f"PBX {pbx.name}", remedy="free its disk; the account needs write = system")
        await pbx.hang_up(attempt.id)
        clock = asyncio.get_running_loop()
        deadline = clock.time() + _GONE_WITHIN
        while (found := await _traces(pbx, attempt)).alive:
            if clock.time() > deadline:
                what = "a channel of the last attempt cannot be hung up"
                raise IllegalState(
                    what, where=f"PBX {pbx.name}", remedy=f"see there: core show channel mi-{attempt.id}"
                )
            await asyncio.sleep(_LOOK)
        return found


def record(evidence: Evidence) -> Record:
    """All of it as one record; `pbx_now` is None where the PBX was not asked, or did not answer, for `pbx_silent`."""
    traces, end = evidence.traces, evidence.verdict
    return {
        **whole_attempt(evidence.attempt),
        "pbx_silent": evidence.silence and evidence.silence.what,
        "pbx_now": traces
        and {
            "agent_alive": traces.agent_alive,
            "customer_alive": traces.customer_alive,
            "journal": traces.journal.step if isinstance(traces.journal, Unfinished) else traces.journal and "ended",
            "outcome": end and end.outcome,
            "talk_seconds": end and end.talk.total_seconds(),
            "same_database": traces.identity == evidence.attempt.pbx_identity,
        },
    }


def words(evidence: Evidence) -> list[tuple[str, str]]:
    """What a person decides from, most telling first."""
    attempt, last = evidence.attempt, _last_step(evidence.attempt)
    told = [
        ("the PBX", _pbx_words(evidence)),
        ("attempt", f"{attempt.number}, {attempt.id}"),
        ("begun", stamp(attempt.created_at)),
        ("came to", f"{last.name} {stamp(last.at)}" if last else "nothing that was seen"),
        ("doubt", attempt.verdict.detail if attempt.verdict and _in_doubt(attempt) else ""),
        ("dialled", f"{attempt.dialled} as {attempt.caller_id}"),
        ("agent", attempt.agent),
    ]
    return [(name, value) for name, value in told if value]


def _pbx_words(evidence: Evidence) -> str:
    attempt, traces, end = evidence.attempt, evidence.traces, evidence.verdict
    if evidence.silence is not None:
        return f"{attempt.pbx} cannot be asked: {evidence.silence.what}"
    if end is not None:
        talk = f", {end.talk / timedelta(seconds=1):.1f} s of talk" if end.talk else ""
        return f"{attempt.pbx} recorded: {end.outcome}{talk}{_at(evidence)}"
    if traces is None:
        return ""
    legs = [name for name, alive in (("agent", traces.agent_alive), ("customer", traces.customer_alive)) if alive]
    living = f"the legs of {' and '.join(legs)} live" if len(legs) > 1 else f"the {legs[0]}'s leg lives" if legs else ""
    match traces.journal:
        case Unfinished(step):
            noted = f"its journal says {step}, and no end"
        case _ if attempt.pbx_identity and attempt.pbx_identity != traces.identity:
            noted = "its database was wiped or replaced since: its journal is lost"
        case _:
            noted = "its journal holds nothing of it"
    return f"{attempt.pbx}: {living or 'no channel of it lives'}; {noted}"


def _at(evidence: Evidence) -> str:
    match evidence.traces:
        case Traces(journal=EndRecord(ended_at=datetime() as ended_at)):
            return f", ended {stamp(ended_at)}"
        case _:
            return ""


def _last_step(attempt: Attempt) -> Step | None:
    return next((step for step in reversed(attempt.timeline) if step.name not in _ENDS), None)


def _in_doubt(attempt: Attempt) -> bool:
    return attempt.verdict is not None and attempt.verdict.outcome is Outcome.IN_DOUBT


async def _traces(pbx: Gateway, attempt: Attempt) -> Evidence:
    return Evidence(attempt, (await pbx.traces([attempt.id]))[attempt.id])
