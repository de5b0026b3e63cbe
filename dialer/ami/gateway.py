"""One Asterisk as the engine sees it: `engine.ports.Pbx` on top of one session after another."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from random import Random
from types import MappingProxyType

import structlog

from dialer.ami import answers, database, legs, messages, revocation, traces
from dialer.ami.clock import PbxClock
from dialer.ami.codec import Message
from dialer.ami.config import AmiConfig
from dialer.ami.filters import DEVICES, PROBE, STATES, filters
from dialer.ami.inbound import Inbound
from dialer.ami.session import Handler, Refused, Session
from dialer.ami.tracker import TRACKED, track
from dialer.domain.errors import (
    ConfigurationError,
    DialerError,
    DialplanMismatch,
    LinkDown,
    LoginRefused,
    NeverSent,
    OutcomeUnknown,
    PbxError,
)
from dialer.domain.events import Sent
from dialer.domain.ids import AttemptId
from dialer.engine.ports import DeviceState, Order, PbxSink, Traces

log: structlog.stdlib.BoundLogger = structlog.get_logger("dialer.ami")

_STOPPING = "the PBX is shutting down: it takes no new calls"
_MOST_DOUBLINGS = 16
_NONE: Mapping[str, str] = MappingProxyType({})


class Gateway:
    """Keeps a session up and tells `sink` what it sees; `devices` are the agents' (`PJSIP/anna`).

    `random` spreads the pauses between tries, so that many daemons do not return in step; `flush` is how many seconds
    the PBX may take to bring its database to disk. `inbound` says in which dialplan contexts calls that come in by a
    trunk are answered (context → trunk): of those the sink hears, too.
    """

    def __init__(
        self,
        config: AmiConfig,
        devices: Collection[str],
        sink: PbxSink,
        random: Random,
        *,
        flush: float = database.FLUSH,
        inbound: Mapping[str, str] = _NONE,
    ) -> None:
        self._config = config
        self._devices = frozenset(devices)
        self._sink = sink
        self._random = random
        self._flush = flush
        self._inbound = Inbound(inbound)
        self._handlers: Mapping[str, Handler] = {
            **dict.fromkeys(TRACKED, self._on_call),
            DEVICES: self._on_device,
            STATES: self._on_state,
        }
        self._session: Session | None = None
        self._boot = ""
        self._identity = ""
        self._clock = PbxClock()
        self._told_up = False
        self._accepted = False
        self._failures = 0
        self._said = ""
        self._listed: set[str] = set()

    @property
    def name(self) -> str:
        """The PBX's name in the configuration."""
        return self._config.name

    @property
    def boot(self) -> str:
        """The PBX's start, in its own local time; '' before the first session."""
        return self._boot

    @property
    def identity(self) -> str:
        """What the PBX's database is known by; '' before the first session."""
        return self._identity

    @property
    def clock(self) -> datetime:
        """The PBX's clock, without asking: as it said last, carried on."""
        return self._clock.now

    async def now(self) -> datetime:
        """The PBX's clock, to the second. Raises `LinkDown` or another `PbxError`."""
        return await self._clock.ask(self._connected())

    async def originate(self, order: Order) -> None:
        """Ring the agent; returns at the PBX's acknowledgement.

        Raises `NeverSent`, `ActionRefused` (both: no call was made) or `OutcomeUnknown`.
        """
        action = messages.originate(order)
        if self._session is None:
            raise NeverSent("there is no session with the PBX", where=self.name)
        await self._session.ask(action, lambda: self._sink.attempt_event(order.attempt, Sent()))

    async def traces(self, attempts: Sequence[AttemptId]) -> Mapping[AttemptId, Traces]:
        """Living channels first, then the journal: an attempt that ends in between is then seen twice, never missed.
        Where an entry is missing, then the database's identity: was it wiped? A wiped one ends the session.

        Raises `LinkDown` or another `PbxError`: all is known, or nothing is said.
        """
        return await traces.traces(self._connected(), attempts, self._identity)

    async def revoke(self, attempts: Sequence[AttemptId]) -> frozenset[AttemptId]:
        """Make sure that these attempts can never reach a customer any more; returns those whose revocation is on the
        PBX's disk. Takes 1.5 s, three times that where the PBX does not keep them.

        Raises `LinkDown` or another `PbxError`: then nothing is known.
        """
        kept = await revocation.revoke(self._connected(), attempts, self._flush)
        missing = frozenset(attempts) - kept
        if missing:
            log.warning(
                "the PBX did not keep what was written to its database",
                pbx=self.name,
                revocations=len(missing),
                remedy="free its disk; the account needs write = system",
            )
        return kept

    async def hang_up(self, attempt: AttemptId) -> bool:
        """Hang up the agent's leg and what is linked to it; False when there is nothing. True says that the PBX was
        told, not that it answered.

        Raises `LinkDown`, `ActionRefused` or another `PbxError`.
        """
        return await legs.hang_up(self._connected(), attempt)

    async def dismiss(self, attempt: AttemptId) -> bool:
        """Let the agent of a revoked attempt go, in words: the announcement in the place of the whisper, or the end of
        the ringing. False when there is no such channel. Only of an attempt that cannot reach its customer any more.

        Raises `LinkDown`, `ActionRefused` or another `PbxError`.
        """
        return await legs.dismiss(self._connected(), attempt)

    async def forget(self, attempts: Sequence[AttemptId]) -> None:
        """Delete journal and revocation of attempts that no late Originate can begin any more.

        Raises `LinkDown` or another `PbxError`.
        """
        await database.forget(self._connected(), attempts)

    async def remembered(self, prefix: str) -> frozenset[AttemptId]:
        """The attempts of which the PBX's database holds anything and whose ids begin so.

        Raises `LinkDown` or another `PbxError`.
        """
        return await database.remembered(self._connected(), prefix)

    async def run(self) -> None:
        """Keep a session up until cancelled.

        Raises `LoginRefused`, `DialplanMismatch` or `ConfigurationError` (the CA file) when the first login fails for
        good; the same later is said once and tried again slowly.
        """
        while True:
            try:
                await self._serve()
            except (LoginRefused, DialplanMismatch, ConfigurationError) as error:
                if not self._accepted:
                    raise
                self._down(error)
                pause = self._config.slow_retry
            except PbxError as error:
                self._down(error)
                pause = self._pause()
            await asyncio.sleep(pause)

    def _connected(self) -> Session:
        if self._session is None:
            raise LinkDown("there is no session with the PBX", where=self.name)
        return self._session

    async def _serve(self) -> None:
        session = Session(self._config, self._handlers)
        try:
            await session.open()
            await self._prepare(session)
            self._session = session
            self._up()
            await self._list_devices(session)
            await session.watch(self._on_stopping)
        except (NeverSent, OutcomeUnknown) as error:
            # How the link ended says more than which question it cut short.
            raise LinkDown(session.loss or error.what) from None
        finally:
            self._session = None
            session.close()

    async def _prepare(self, session: Session) -> None:
        """Everything that must hold before the first call: filters, the right dialplan, the PBX's start."""
        await self._set_filters(session)
        version = (await session.ask(messages.getvar("MI_DIALPLAN_VERSION"))).response.get("Value")
        if version != messages.DIALPLAN_VERSION:
            raise DialplanMismatch(
                f"its dialplan is of version {version or 'none'}, this program needs {messages.DIALPLAN_VERSION}",
                where=f"PBX {self.name}",
                remedy="install the extensions_mi.conf that came with this program, then: dialplan reload",
            )
        self._boot = answers.boot((await session.ask(messages.core_status())).response)
        await self._clock.ask(session)
        identity = await database.identify(session, self._flush)
        if identity is None:
            raise LinkDown(
                "its database does not keep what is written to it",
                where=f"PBX {self.name}",
                remedy="free its disk; the account needs write = system",
            )
        self._identity = identity

    async def _set_filters(self, session: Session) -> None:
        try:
            await session.ask(PROBE)
            older = True
        except Refused:
            older = False
        for each in filters(self._devices, self._inbound.contexts):
            await session.ask(each.older if older else each.present)
        await session.ask(messages.events_on())

    async def _list_devices(self, session: Session) -> None:
        """Have every device told; the states themselves come through `_on_device` like live ones."""
        self._listed.clear()
        await session.ask(messages.device_state_list())
        for device in sorted(self._devices - self._listed):
            self._sink.device_state(self.name, device, DeviceState.UNKNOWN)

    def _pause(self) -> float:
        """Capped exponential back-off with full jitter, s."""
        ceiling = min(self._config.backoff_cap, self._config.backoff_first * 2 ** min(self._failures, _MOST_DOUBLINGS))
        self._failures += 1
        return self._random.uniform(0, ceiling)

    def _up(self) -> None:
        self._accepted = self._told_up = True
        self._failures = 0
        self._said = ""
        log.info("connected to the PBX", pbx=self.name, started=self._boot)
        self._sink.pbx_up(self.name, self._boot)

    def _down(self, error: DialerError) -> None:
        """Say why there is no session, once per reason, and tell the sink if it thinks there is one."""
        if error.what != self._said:
            self._said = error.what
            at = f"{self._config.host}:{self._config.port}"
            log.warning("no session with the PBX", pbx=self.name, at=at, reason=error.what, remedy=error.remedy)
        if self._told_up:
            self._told_up = False
            self._sink.pbx_down(self.name, error.what)

    def _on_stopping(self) -> None:
        self._down(LinkDown(_STOPPING))

    def _on_call(self, message: Message) -> None:
        seen = track(message)
        if seen is not None:
            self._sink.attempt_event(*seen)

    def _on_device(self, message: Message) -> None:
        device = answers.device(message)
        if device.name in self._devices:
            self._listed.add(device.name)
            self._sink.device_state(self.name, device.name, device.state)

    def _on_state(self, message: Message) -> None:
        call = self._inbound.read(message)
        if call is not None:
            self._sink.called_in(self.name, call.trunk, call.number)
