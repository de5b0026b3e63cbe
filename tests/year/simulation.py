"""One house for its whole time: visitors ask, the daemon decides, phones ring, things go wrong, the audit looks on."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import RequestRefused
from dialer.domain.stop import Scope, Stop
from dialer.engine.choices import Place
from dialer.engine.ports import Order
from dialer.intake.admission import Double
from dialer.intake.limits import Limit, LimitRule, Limits
from dialer.intake.submission import submit
from tests.year.audit import Audit, Placed
from tests.year.daemon import AGENT_REST, Alerts, Daemon, Hands
from tests.year.figures import Figures
from tests.year.people import People
from tests.year.picture import Picture, settled
from tests.year.shelf import Shelf
from tests.year.telephony import Telephony
from tests.year.timeline import Timeline
from tests.year.troubles import Troubles
from tests.year.visitors import Visitors, by_day
from tests.year.world import FULL, Firm, Scale, house

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

_LIMITS = Limits(
    per_number=(Limit(7, 15 * _MINUTE), Limit(9, _HOUR), Limit(15, _DAY)),
    per_visitor=(Limit(3, _HOUR), Limit(4, _DAY)),
)

_RUN_OUT = 400 * _DAY
"""After the last request, everything must be over by then: nothing is promised for later."""

_PROBES = 0.005
"""How often the daemon is asked in its sleep whether there is anything to do."""

_TELL = 20_000


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """So many callbacks of one house within so many days from a date on, all drawn by the seed."""

    callbacks: int
    seed: str
    start: date = date(2026, 1, 1)
    days: int = 365
    scale: Scale = FULL
    tell: Callable[[str], None] = _say

    @property
    def dates(self) -> list[date]:
        return [self.start + number * _DAY for number in range(self.days)]


class Simulation:
    """Once: `run`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = random = Random(plan.seed)
        self._house = built = house(random, plan.scale, plan.dates, plan.callbacks)
        self._directory = built.directory
        self._timeline = timeline = Timeline(datetime.combine(plan.start, time(), UTC))
        self._until = timeline.now + plan.days * _DAY
        self.figures = Figures()
        self.counts: Counter[str] = self.figures.counts
        small = frozenset(firm.account for firm in built.firms if firm.small)
        self.audit = Audit(built.directory, built.policies, small, AGENT_REST)
        self._shelf = Shelf(built.directory.departments, self._changed)
        self._picture = Picture(built.directory, self._shelf, self._paused)
        self._telephony = Telephony(built.directory, timeline, random, self.audit, self._picture.too_late)
        self._people = People(built.directory, timeline, random, self._picture, self.audit, self._wake)
        self._troubles = Troubles(
            built.directory, timeline, random, self._telephony, self._picture, self._until, self._wake, self._restart
        )
        self._visitors = Visitors(random, built.firms, built.directory)
        self._rule = LimitRule(_LIMITS)
        self._alerts = Alerts()
        self._hands = Hands(self._people.claiming, self._originate, self._telephony.withdraw)
        self.daemon: Daemon | None = None
        self._by_day = dict(zip(plan.dates, by_day(plan.dates, plan.callbacks, random), strict=True))

    def run(self) -> Figures:
        """The whole time, and until everything is over."""
        timeline = self._timeline
        for day in self._plan.dates:
            timeline.at(datetime.combine(day, time(), UTC), self._dawn, day)
        timeline.at(timeline.now + self._plan.days * _DAY / 2, self._tighten)
        timeline.after(0, self._sweep)
        self._troubles.begin()
        self._start()
        while not self._is_over():
            self._step()
        return self._summed_up()

    def _is_over(self) -> bool:
        if self._timeline.now > self._until + _RUN_OUT:
            return True
        return self._picture.accepted >= self._plan.callbacks and not self._shelf.open

    def _step(self) -> None:
        """To the next event, or to what the daemon wants to look at before that."""
        timeline, daemon = self._timeline, self.daemon
        if daemon is not None and daemon.look_at is not None and daemon.look_at < timeline.next_at:
            timeline.now = max(timeline.now, daemon.look_at)
            daemon.woken = True
        else:
            timeline.step()
        self._decide()
        if self._random.random() < _PROBES:
            self._probe()

    def _decide(self) -> None:
        """Round after round, as long as something changes."""
        daemon = self.daemon
        while daemon is not None and daemon.woken:
            made = daemon.decide()
            if not made and daemon.look_at is not None and daemon.look_at <= self._timeline.now:
                raise AssertionError(f"the daemon wants to look again at {daemon.look_at}, and does nothing")

    def _probe(self) -> None:
        """Between two moments at which anything changes, there is nothing to do."""
        daemon, timeline = self.daemon, self._timeline
        if daemon is None:
            return
        wakes_at = min(timeline.next_at, daemon.look_at or timeline.next_at)
        if wakes_at <= timeline.now:
            return
        timeline.now += (wakes_at - timeline.now) * self._random.random()
        made = daemon.decide()
        if any(isinstance(each, Place) for each in made):
            self.counts["overslept"] += 1
            self.audit.examples.append(f"overslept at {timeline.now}, until {wakes_at}")
        self._decide()

    # --- the daemon --------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.audit.restarted()
        self.daemon = Daemon(self._directory, self._picture, self._timeline, self._alerts, self._hands)
        self._telephony.attach(self.daemon)

    def _restart(self, seconds: float) -> None:
        if self.daemon is not None:
            self.counts["restarts"] += 1
            self._telephony.detach()
            self.daemon = None
            self._timeline.after(seconds, self._start)

    def _tighten(self) -> None:
        """From now on accounts may call fewer numbers: a daemon reads its configuration at its start."""
        if self.daemon is None:
            self._timeline.after(600, self._tighten)
            return
        self._restart(5)
        self._directory = self._picture.directory = self._people.directory = self._house.tightened
        self.audit.policies = self._house.tightened_policies

    def _wake(self) -> None:
        if self.daemon is not None:
            self.daemon.poke()

    def _sweep(self) -> None:
        if self.daemon is not None:
            self.daemon.sweep()
        self._timeline.after(600, self._sweep)

    def _originate(self, attempt: Attempt, placed: Place, order: Order) -> None:
        now = self._timeline.now
        self.counts["placed"] += 1
        self.figures.lateness[round((now - placed.ready_at).total_seconds() * 1000)] += 1
        self.audit.placed(Placed(attempt.callback_id, attempt.agent, attempt.trunk, order.number), now)
        self._telephony.originate(attempt, order)
        self._people.placed(placed.callback)

    # --- the door ----------------------------------------------------------------------------------------------------

    def _dawn(self, day: date) -> None:
        for at, firm in self._visitors.of_day(day, self._by_day[day]):
            self._timeline.at(at, self._ask, firm)
        self._picture.forget_requests(self._timeline.now - self._rule.horizon)

    def _ask(self, firm: Firm | None) -> None:
        """A visitor asks. Where they are sent away, another one comes later instead."""
        now = self._timeline.now
        request = self._visitors.request(firm, now)
        (answer,) = settled(submit(self._picture, self._directory, [request.fields], now, self._rule))
        match answer:
            case Callback():
                self.audit.accepted(answer, request.number, now)
                self._people.accepted(answer)
                self._wake()
                if self._picture.accepted % _TELL == 0:
                    self._tell()
                return
            case Double():
                self.counts["doubles"] += 1
            case RequestRefused(code=code):
                self.figures.refusals[code] += 1
                if code.startswith("number_") and code not in {"number_no_trunk", "number_objected"}:
                    self.audit.refused(request.number, request.department, code, now)
        self._timeline.after(self._random.uniform(60, 20_000), self._ask, None)

    # --- what is seen ------------------------------------------------------------------------------------------------

    def _changed(self, callback: Callback) -> None:
        self.audit.changed(callback)
        if callback.status is Status.NEEDS_REVIEW:
            self._people.in_doubt(callback)

    def _paused(self, stop: Stop, paused: bool) -> None:  # noqa: FBT001  # told as an event
        self.audit.paused(stop, paused)
        if paused and stop.scope is Scope.AGENT:
            self._timeline.after(self._random.uniform(600, 20_000), self._troubles.resume, stop)

    def _tell(self) -> None:
        day, house = self._timeline.now.date(), self._plan.seed
        self._plan.tell(f"year: house {house}, {day}: {self._picture.accepted} callbacks, {len(self._shelf.open)} open")

    def _summed_up(self) -> Figures:
        self.counts.update(
            callbacks=self._picture.accepted,
            unsettled=len(self._shelf.open),
            small_account_calls=self.audit.fairness.served,
            small_account_passed=self.audit.fairness.passed,
            **self._shelf.final,
            **{kind.value: count for kind, count in self._alerts.count.items()},
            **{name.strip("_"): count for name, count in self._people.did.items()},
        )
        self.counts.update(self.audit.wrongs)
        self.figures.worst_turn = self.audit.fairness.worst
        self.figures.examples += self.audit.examples
        return self.figures
