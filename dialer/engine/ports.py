"""What the engine needs from the outside, as protocols; `ami` and `store` implement them, `daemon` joins them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import EndRecord
from dialer.domain.stop import Stop
from dialer.scheduling.retry import NextStep


class Clock(Protocol):
    """Wall time, UTC and aware."""

    def now(self) -> datetime: ...


class AlertKind(StrEnum):
    """What can be wrong enough for a person to look at it."""

    PBX_DOWN = "pbx_down"
    TRUNK_RESTS = "trunk_rests"
    AGENT_PAUSED = "agent_paused"
    ACCOUNT_CAP = "account_cap"
    STORE_FAILED = "store_failed"
    OUTBOX_STUCK = "outbox_stuck"
    FEED_FAILED = "feed_failed"
    MESSAGES_STUCK = "messages_stuck"


class Alerting(Protocol):
    """Where a person is told what is wrong: once, until it clears. Neither call waits or raises."""

    def raised(self, kind: AlertKind, key: str, what: str, remedy: str) -> None:
        """`key` is the id of what it is about; nothing of it is personal."""

    def cleared(self, kind: AlertKind, key: str) -> None: ...


# --- the PBX ---------------------------------------------------------------------------------------------------------


class DeviceState(StrEnum):
    """A phone's state as Asterisk names it."""

    UNKNOWN = "UNKNOWN"
    NOT_INUSE = "NOT_INUSE"
    INUSE = "INUSE"
    BUSY = "BUSY"
    INVALID = "INVALID"
    UNAVAILABLE = "UNAVAILABLE"
    RINGING = "RINGING"
    RINGINUSE = "RINGINUSE"
    ONHOLD = "ONHOLD"


@dataclass(frozen=True, slots=True)
class Order:
    """One Originate, complete. Durations are seconds; `place_by` is UTC. The PBX refuses to ring the customer after
    that, and from `ring_until` on (None: at any time), and when its database is not of this `identity`. `number` is as
    the trunk wants it; `page_link` is an address for the agent's browser ('': none)."""

    attempt: AttemptId
    callback: CallbackId
    agent_endpoint: str
    number: str = field(repr=False)
    trunk_endpoint: str
    caller_id: str
    caller_name: str = field(repr=False)
    department: str
    page: str = field(repr=False)
    agent_ring: int
    customer_ring: int
    max_call: int
    press_to_accept: bool
    whisper: str
    place_by: datetime
    identity: str
    ring_until: datetime | None = None
    page_link: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A journal entry without an end: `step` is the dialplan's own word."""

    step: str


@dataclass(frozen=True, slots=True)
class Traces:
    """What a PBX knows of one attempt: its living legs, its journal entry (None: there is none), and the identity of
    the database that holds the journal, read after the entry ('': it has none)."""

    agent_alive: bool
    customer_alive: bool
    journal: EndRecord | Unfinished | None
    identity: str = ""


class Pbx(Protocol):
    """One Asterisk. Every call has a deadline of its own; every error is a `PbxError`."""

    @property
    def name(self) -> str: ...

    @property
    def boot(self) -> str:
        """The PBX's start as it reports it; another value means that Asterisk was restarted. '' while unknown."""

    @property
    def identity(self) -> str:
        """What the PBX's database is known by; another value means that it was wiped or replaced, and that finding
        nothing in it proves nothing. '' while unknown."""

    @property
    def clock(self) -> datetime:
        """As `now`, without asking: what it said last, carried on by a clock of ours that nobody sets."""

    async def now(self) -> datetime:
        """The PBX's own clock: the one by which it refuses what comes after its `place_by`."""

    async def originate(self, order: Order) -> None:
        """Send Originate once and return when the PBX acknowledged it; tells the sink `Sent` in between.

        Raises `NeverSent`, `ActionRefused` (both: no call was made) or `OutcomeUnknown`.
        """

    async def traces(self, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Traces]:
        """Ask for living channels first, then for each attempt's journal entry."""

    async def revoke(self, attempts: Sequence[AttemptId]) -> frozenset[AttemptId]:
        """Make sure that these attempts can never reach a customer any more: returns those whose revocation was
        written, waited for (1.5 s: the PBX's database is flushed about once a second, and a full disk takes back even
        what was read in between) and read back. A revocation that the PBX refuses or loses is tried three times.

        Only then do `traces` prove anything: an Originate under way is in no list. An attempt whose customer leg was
        already claimed goes on.
        """

    async def hang_up(self, attempt: AttemptId) -> bool:
        """Hang up the agent's leg by its id, with cause 26, and what is linked to it; False when there is nothing.
        True says that the PBX was told, not that it answered."""

    async def dismiss(self, attempt: AttemptId) -> bool:
        """Let the agent of a revoked attempt go, in words: the announcement in the place of the whisper, or the end of
        the ringing. False when there is no such channel. Only of an attempt that cannot reach its customer any more:
        the announcement would cut a call short."""

    async def forget(self, attempts: Sequence[AttemptId]) -> None:
        """Delete what the PBX's database holds of these attempts, journal and revocation. Only of attempts that no late
        Originate can begin any more: without its keys a twin would reach the customer."""

    async def remembered(self, prefix: str) -> frozenset[AttemptId]:
        """The attempts of which the PBX's database holds anything and whose ids begin so. Reads the whole database,
        about 10 µs a key, while every call that writes its journal waits."""

    async def run(self) -> None:
        """Keep a session up until cancelled; tells its sink. Raises `LoginRefused` or `DialplanMismatch` only when
        the very first login fails for good."""


class PbxSink(Protocol):
    """Where a PBX tells what it sees. Called from the event loop; must not block and must not raise."""

    def pbx_up(self, pbx: str, boot: str) -> None:
        """A session is logged in, its filters set and its dialplan checked. Device states follow."""

    def pbx_down(self, pbx: str, reason: str) -> None:
        """The session is gone; events may have been missed from here on."""

    def attempt_event(self, attempt: AttemptId, event: Event) -> None: ...

    def device_state(self, pbx: str, device: str, state: DeviceState) -> None: ...

    def called_in(self, pbx: str, trunk: str, number: str) -> None:
        """A call that came in by a trunk was answered; `number` is the caller's, as the trunk presented it."""


# --- the store -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """The intent: this callback, at this version, becomes this attempt."""

    callback: Callback
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Usage:
    """Attempts made, and the time talked in them."""

    attempts: int
    talk: timedelta


@dataclass(frozen=True, slots=True)
class Begun:
    """When the last attempt of a department by a trunk was begun (UTC)."""

    department: str
    pbx: str
    trunk: str
    at: datetime


class Paused(Protocol):
    """Something that is paused, by whom and why."""

    @property
    def stop(self) -> Stop: ...

    @property
    def who(self) -> str: ...

    @property
    def why(self) -> str: ...


class EngineStore(Protocol):
    """The part of the store that the engine uses. Raises `StoreError` when nothing was written."""

    async def upcoming(
        self, department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()
    ) -> list[Callback]:
        """Scheduled callbacks of a department due at or before `until`, earliest first; of numbers (E.164) that begin
        with one of these (none: of all)."""

    async def claim(self, claim: Claim) -> bool:
        """Write the intent in one transaction: callback `scheduled` → `in_progress` by compare-and-set on its
        version, and the attempt's row. True when durable, False when somebody else changed the callback first."""

    def note(self, attempt: Attempt) -> None:
        """Remember an attempt's progress; written behind, in groups. The PBX's journal covers what is lost."""

    async def finish(self, attempt: Attempt, step: NextStep) -> None:
        """Write the ended attempt and its callback's next step in one transaction; durable on return."""

    async def open_attempts(self) -> list[tuple[Attempt, Callback]]:
        """Every attempt without an end, with its callback."""

    async def ended_attempts(self, pbx: str, after: AttemptId, until: AttemptId, limit: int) -> list[AttemptId]:
        """The ids between the two, in their order, of attempts on a PBX that have an end; at most `limit`."""

    async def doubtful(self, since: datetime) -> list[tuple[Attempt, Callback]]:
        """Every attempt made since then that is in doubt and whose callback still waits for a person, with it."""

    async def amend(self, attempt: Attempt, step: NextStep) -> None:
        """Write the end that was found of an attempt in doubt, and its callback's next step unless a person has decided
        that meanwhile, in one transaction; durable on return. Writing it again changes nothing."""

    async def stops(self) -> frozenset[Stop]:
        """What is paused."""

    async def pauses(self) -> Sequence[Paused]:
        """The same, with by whom and why."""

    async def pause(self, stop: Stop, who: str, why: str) -> object:
        """Pause something, durably; a pause in force stays as it is."""

    async def defer(self, callback: Callback, due_at: datetime, reason: str) -> bool:
        """Make a scheduled callback due at another time, by compare-and-set on its version."""

    async def close(self, callback: Callback, status: Status, reason: str) -> bool:
        """End a scheduled callback, by compare-and-set on its version."""

    async def expired(self, now: datetime, limit: int) -> list[Callback]:
        """Scheduled callbacks whose promise was to be given up at or before `now`."""

    async def wishes(self) -> list[Callback]:
        """Callbacks in progress of which somebody wants something else, but for those whose attempt is known to be too
        far."""

    async def too_late(self, callback: CallbackId) -> None:
        """Note that a wish came too late for the attempt under way; it holds for what comes after."""

    async def customer_called_in(self, number: str, departments: Sequence[str]) -> list[Callback]:
        """Cancel what these departments' scheduled callbacks want of a number (E.164) that got through to us, and wish
        the same of those in progress; returns them all."""

    async def last_rings(self, since: datetime) -> dict[str, datetime]:
        """The end of the last attempt that rang, or may have rung, each customer's number since then."""

    async def usage(self, departments: Sequence[str], since: datetime) -> Usage:
        """What these departments have used up since then: attempts made, and the talk of those that ended."""

    async def last_begun(self, departments: Sequence[str], since: datetime) -> list[Begun]:
        """The last attempt of each of these departments by each trunk since then, ended or not."""
