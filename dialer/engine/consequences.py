"""What an attempt's end means for everybody else: agents rest or are paused, trunks rest, numbers are left in peace."""

from collections.abc import Callable, Collection, Coroutine
from datetime import datetime, timedelta

import structlog

from dialer.domain.attempt import Attempt
from dialer.domain.directory import Department
from dialer.domain.errors import StoreError
from dialer.domain.outcome import Blame, Outcome, Verdict
from dialer.domain.stop import Scope, Stop
from dialer.engine.capacity import departments_of, longest_gap, longest_spacing
from dialer.engine.caps import day_of
from dialer.engine.decision import Decider
from dialer.engine.ports import Alerting, AlertKind, EngineStore
from dialer.scheduling.retry import NextStep

log = structlog.get_logger()

_KEPT = timedelta(seconds=20)
"""How long an agent is kept for a callback whose trunk failed them: until their phone is idle again."""

BY_ITSELF = "dialer"
"""Who pauses an agent whose phone nobody answers."""

_THE_TRUNK_WORKS = frozenset(
    {
        Outcome.CONNECTED,
        Outcome.CUSTOMER_BUSY,
        Outcome.CUSTOMER_NO_ANSWER,
        Outcome.CUSTOMER_DECLINED,
        Outcome.CUSTOMER_UNREACHABLE,
    }
)
_NOT_THERE = frozenset({Outcome.AGENT_NO_ANSWER})
_BY_A_PHONE = frozenset({Outcome.CUSTOMER_DECLINED, Outcome.CUSTOMER_NO_ANSWER})
_SAYS_NOTHING_OF_THE_AGENT = frozenset(
    {Outcome.AGENT_BUSY, Outcome.AGENT_UNAVAILABLE, Outcome.PBX_FAILURE, Outcome.NOT_PLACED, Outcome.CANCELLED}
)


class Consequences:
    """Draws them in the decider's books, once for each attempt. `agent_rest` is how long an agent is left alone who did
    not take a call; `poke` is called when the store holds news for the engine."""

    def __init__(
        self,
        *,
        decider: Decider,
        store: EngineStore,
        alerts: Alerting,
        agent_rest: timedelta,
        spawn: Callable[[Coroutine[None, None, None]], object],
        poke: Callable[[], None],
    ) -> None:
        self._directory = decider.directory
        self._roster = decider.roster
        self._capacity = decider.capacity
        self._health = decider.health
        self._store = store
        self._alerts = alerts
        self._agent_rest = agent_rest
        self._spawn = spawn
        self._poke = poke

    async def take_up(self, now: datetime) -> None:
        """Those of attempts that earlier runs made: for paces, for this day's allowances and for numbers' peace. Raises
        `StoreError`."""
        used = {
            account.id: await self._store.usage(departments_of(self._directory, account), day_of(account, now))
            for account in self._capacity.capped()
        }
        rings = await self._store.last_rings(now - longest_gap(self._directory))
        begun = await self._store.last_begun(list(self._directory.departments), now - longest_spacing(self._directory))
        self._capacity.load(rings, used, now, begun)

    async def take_up_pauses(self) -> frozenset[Stop]:
        """What earlier runs left paused, told again: no alert outlives its run. Raises `StoreError`."""
        pauses = await self._store.pauses()
        for paused in pauses:
            log.warning("engine.paused", what=str(paused.stop))
            if paused.stop.scope is Scope.AGENT and paused.who == BY_ITSELF:
                self._alert(paused.stop.key, paused.why)
        return frozenset(paused.stop for paused in pauses)

    def of_end(self, attempt: Attempt, verdict: Verdict, step: NextStep, now: datetime, *, wished: bool) -> None:
        """The attempt's end is durable at `now` (UTC), and so is its callback's next step, or what somebody `wished`
        in its place."""
        self._capacity.end(attempt, verdict, now)
        self._judge_trunk(attempt, verdict, now)
        department = self._directory.departments.get(attempt.department)
        rest = self._rest(department, verdict)
        self._roster.release(attempt.agent, now, now + rest if rest else None)
        # A callback that is cancelled or moved does not come back now, and an agent kept for it would wait in vain.
        if step.prefer_agent and not wished:
            self._roster.promise(attempt.agent, attempt.callback_id, now + _KEPT)
        self._judge_agent(department, attempt, verdict)

    def of_refusals(self, agents: Collection[str], now: datetime) -> None:
        """The store refused these agents callbacks that are still as they were: it holds an open attempt of theirs that
        we do not know of, and would refuse them again, as fast as we can ask. So they rest before they are chosen
        again; their callbacks go to others meanwhile."""
        # Who was chosen for another callback since is held by that claim, and must stay so until it is decided.
        for agent in self._roster.free(now).intersection(agents):
            self._roster.release(agent, now, now + self._agent_rest)
            log.warning("agent.not_claimed", agent=agent, why="the store holds an attempt of theirs that has not ended")

    def _rest(self, department: Department | None, verdict: Verdict) -> timedelta:
        if verdict.blame is Blame.AGENT:
            return self._agent_rest
        talked = verdict.outcome is Outcome.CONNECTED and department is not None
        return department.wrap_up if talked and department else timedelta(0)

    def _judge_agent(self, department: Department | None, attempt: Attempt, verdict: Verdict) -> None:
        if verdict.outcome in _NOT_THERE:
            missed = self._roster.missed(attempt.agent)
            if department and 0 < department.max_missed_rings <= missed:
                self._spawn(self._pause(attempt.agent, missed))
        elif verdict.outcome not in _SAYS_NOTHING_OF_THE_AGENT:
            self._roster.answered(attempt.agent)

    async def _pause(self, agent: str, missed: int) -> None:
        why = f"{missed} calls in a row were not taken: the phone rang and nobody answered, or it forwards its calls"
        try:
            await self._store.pause(Stop(Scope.AGENT, agent), BY_ITSELF, why)
        except StoreError as error:
            # The next ring that is missed tries again.
            log.warning("agent.not_paused", agent=agent, why=error.what, remedy=error.remedy)
            return
        self._poke()
        self._alert(agent, why)

    def _alert(self, agent: str, why: str) -> None:
        self._alerts.raised(
            AlertKind.AGENT_PAUSED, agent, f"agent {agent} is paused: {why}", f"dialer resume --agent {agent}"
        )

    def _judge_trunk(self, attempt: Attempt, verdict: Verdict, now: datetime) -> None:
        if _speaks_against_the_trunk(verdict):
            rest = self._health.failed(attempt.trunk, now)
            if rest is not None:
                self._alerts.raised(
                    AlertKind.TRUNK_RESTS,
                    attempt.trunk,
                    f"trunk {attempt.trunk} keeps failing (last cause {verdict.cause}); it rests between tries",
                    f"ask the carrier; see: dialer calls --outcome {verdict.outcome}",
                )
        elif verdict.outcome in _THE_TRUNK_WORKS:
            self._health.worked(attempt.trunk)
            self._alerts.cleared(AlertKind.TRUNK_RESTS, attempt.trunk)


def _speaks_against_the_trunk(verdict: Verdict) -> bool:
    """Who declines, or does not answer, has a phone that rings. A carrier that takes none of our calls, or that lets
    them vanish, may look the same by its cause, and nothing rings."""
    silent = verdict.outcome in _BY_A_PHONE and verdict.rang is False
    return silent or verdict.outcome is Outcome.TRUNK_FAILURE
