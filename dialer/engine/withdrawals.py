"""Changes of mind while an attempt is under way: the attempt is kept from its customer, or it is too late, and one of
the two is written down for whoever asks."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping

import structlog

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback
from dialer.domain.errors import PbxError, StoreError
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import EndRecord, JournalStep
from dialer.engine.attempts import Attempts
from dialer.engine.ports import EngineStore, Pbx, Traces, Unfinished
from dialer.engine.reconcile import Knowledge

log = structlog.get_logger()

_LOOK_CLOSELY = 0.2
"""Seconds between two looks at an attempt whose agent is being told how it went on."""


class Withdrawals:
    """Takes what the store holds of wishes. A PBX that cannot be asked is asked again when they are next read."""

    def __init__(
        self,
        store: EngineStore,
        attempts: Attempts,
        pbxs: Mapping[str, Pbx],
        spawn: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._pbxs = pbxs
        self._spawn = spawn
        self._wished: set[AttemptId] = set()
        """Living attempts of whose callbacks something else is wanted, also where that came too late for them."""
        self._under_way: set[AttemptId] = set()
        self._early: set[CallbackId] = set()

    def take(self, wished: Iterable[Callback]) -> None:
        """These callbacks are in progress, and somebody wants something else of them."""
        self._early.clear()
        for callback in wished:
            attempt = self._attempts.of_callback(callback.id)
            if attempt is None:
                # Its claim is on disk, and on its way to us.
                self._early.add(callback.id)
            else:
                self._begin(attempt)

    def begun(self, attempt: Attempt, callback: Callback) -> None:
        """An attempt is known, by its claim or from an earlier run: perhaps somebody has wished something else since
        its callback was read, or had before that run ended."""
        if callback.wish is not None:
            self._wished.add(attempt.id)
        if attempt.callback_id in self._early:
            self._early.discard(attempt.callback_id)
            self._begin(attempt)

    def ended(self, attempt: AttemptId) -> bool:
        """An attempt is over: whether something else was wanted of its callback than what comes next by plan."""
        wished = attempt in self._wished
        self._wished.discard(attempt)
        return wished

    def _begin(self, attempt: Attempt) -> None:
        self._wished.add(attempt.id)
        # Of a PBX that is no longer configured nothing can be withdrawn: there the attempt is given up as in doubt.
        if attempt.id not in self._under_way and attempt.pbx in self._pbxs:
            self._under_way.add(attempt.id)
            self._spawn(self._withdraw(attempt))

    async def _withdraw(self, attempt: Attempt) -> None:
        pbx = self._pbxs[attempt.pbx]
        try:
            reached = await self._keep_from_customer(pbx, attempt.id)
            log.info("attempt.withdrawn", callback=attempt.callback_id, attempt=attempt.id, too_late=reached)
            if reached:
                await self._store.too_late(attempt.callback_id)
        except (PbxError, StoreError) as error:
            log.warning("attempt.not_withdrawn", callback=attempt.callback_id, attempt=attempt.id, why=error.what)
        finally:
            self._under_way.discard(attempt.id)

    async def _keep_from_customer(self, pbx: Pbx, attempt: AttemptId) -> bool:
        """Revoke an attempt, and only then look how far it came; True when it has reached its customer. Where it never
        will, the agent is let go; where that cannot be told, nothing is done. Takes 1.5 s and more. Raises `PbxError`.
        """
        kept = attempt in await pbx.revoke([attempt])
        while attempt in self._attempts:
            traces = (await pbx.traces([attempt]))[attempt]
            reached = _reached(traces)
            if reached is not None:
                if not reached and kept:
                    await self._let_go(pbx, attempt)
                return reached
            await asyncio.sleep(_LOOK_CLOSELY)
        return False

    async def _let_go(self, pbx: Pbx, attempt: AttemptId) -> None:
        self._attempts.bar(pbx, [attempt])
        if not await pbx.dismiss(attempt):
            await self._attempts.look([attempt], Knowledge.BARRED)


def _reached(traces: Traces) -> bool | None:
    """Whether an attempt reached its customer, by traces that were asked for after its revocation. None: not told yet.

    The dialplan claims the customer's leg in its journal and asks for a revocation after that: a claim without a leg
    was refused, or its leg is over, and the record of the end will say which.
    """
    match traces.journal:
        case EndRecord(step=JournalStep.CUSTOMER_DIALLED, why=why):
            return not why.startswith("refused")
        case EndRecord() | Unfinished("agent_answered") | None:
            return False
        case Unfinished("customer_dialled") if traces.agent_alive and not traces.customer_alive:
            return None
        case _:
            return True
