"""What goes wrong: PBXs out of sight or crashed, trunks that fail, phones that vanish, agents who walk away, pauses,
daemons that are restarted. All of it begins at random, and ends."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from dialer.domain.directory import Directory
from dialer.domain.stop import EVERYTHING, Scope, Stop
from tests.year.picture import Picture, settled
from tests.year.telephony import Telephony
from tests.year.timeline import Timeline

_DAY = 86_400.0
_MINUTE, _HOUR = 60.0, 3600.0


class Troubles:
    """None begins after `until`. `restart` ends the daemon, and starts it again after so many seconds; `wake` wakes
    it, if it runs."""

    def __init__(
        self,
        directory: Directory,
        timeline: Timeline,
        random: Random,
        telephony: Telephony,
        picture: Picture,
        until: datetime,
        wake: Callable[[], None],
        restart: Callable[[float], None],
    ) -> None:
        self._directory = directory
        self._timeline = timeline
        self._random = random
        self._telephony = telephony
        self._picture = picture
        self._until = until
        self._wake = wake
        self._restart = restart
        self._agents = list(directory.agents)
        self._under_way: set[str] = set()

    def begin(self) -> None:
        """Let everything go wrong from now on, so many times a day."""
        agents = len(self._agents)
        for a_day, trouble in (
            *((0.15, lambda pbx=pbx: self._outage(pbx)) for pbx in self._directory.pbxs),
            *((0.2, lambda trunk=trunk: self._fails(trunk)) for trunk in self._directory.trunks),
            (1.0, self._pauses),
            (0.02 * agents, self._vanishes),
            (0.02 * agents, self._leaves),
            (0.5 * agents, self._calls),
            (0.3, lambda: self._restart(self._long(2, 400))),
        ):
            self._now_and_then(a_day, trouble)

    def _now_and_then(self, a_day: float, trouble: Callable[[], None]) -> None:
        self._timeline.after(self._random.expovariate(a_day / _DAY), self._happens, a_day, trouble)

    def _happens(self, a_day: float, trouble: Callable[[], None]) -> None:
        if self._timeline.now < self._until:
            trouble()
            self._now_and_then(a_day, trouble)

    def _long(self, least: float, most: float) -> float:
        """Seconds: as often short as long."""
        return float(least * (most / least) ** self._random.random())

    def _for_a_while(self, name: str, seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> None:
        """Not twice at a time."""
        if name not in self._under_way:
            self._under_way.add(name)
            begin()
            self._timeline.after(seconds, self._ends, name, end)

    def _ends(self, name: str, end: Callable[[], None]) -> None:
        self._under_way.discard(name)
        end()

    # --- each of them ------------------------------------------------------------------------------------------------

    def _outage(self, pbx: str) -> None:
        crash, telephony = self._random.random() < 0.4, self._telephony
        long = self._long(_MINUTE, 4 * _HOUR)
        self._for_a_while(pbx, long, lambda: telephony.cut(pbx, crash=crash), lambda: telephony.restore(pbx))

    def _fails(self, trunk: str) -> None:
        share, telephony = self._random.uniform(0.4, 1), self._telephony
        long = self._long(5 * _MINUTE, 3 * _HOUR)
        self._for_a_while(trunk, long, lambda: telephony.fail(trunk, share), lambda: telephony.fail(trunk, None))

    def _pauses(self) -> None:
        directory, random = self._directory, self._random
        stop = random.choice(
            (
                EVERYTHING,
                Stop(Scope.ACCOUNT, random.choice(list(directory.accounts))),
                *[Stop(Scope.DEPARTMENT, random.choice(list(directory.departments)))] * 3,
                Stop(Scope.TRUNK, random.choice(list(directory.trunks))),
                *[Stop(Scope.AGENT, random.choice(self._agents))] * 2,
            )
        )
        self._for_a_while(
            str(stop), self._long(_MINUTE, 5 * _HOUR), lambda: self._pause(stop), lambda: self.resume(stop)
        )

    def _pause(self, stop: Stop) -> None:
        settled(self._picture.pause(stop, "operations", "a break"))
        self._wake()

    def resume(self, stop: Stop) -> None:
        """Whoever paused it."""
        self._picture.resume(stop)
        self._wake()

    def _vanishes(self) -> None:
        agent, telephony = self._random.choice(self._agents), self._telephony
        self._for_a_while(
            f"phone {agent}",
            self._long(_MINUTE, 8 * _HOUR),
            lambda: telephony.register(agent, registered=False),
            lambda: telephony.register(agent, registered=True),
        )

    def _leaves(self) -> None:
        agent, telephony = self._random.choice(self._agents), self._telephony
        self._for_a_while(
            f"desk {agent}",
            self._long(20 * _MINUTE, 6 * _HOUR),
            lambda: telephony.leave(agent, away=True),
            lambda: telephony.leave(agent, away=False),
        )

    def _calls(self) -> None:
        self._telephony.own_call(self._random.choice(self._agents), self._long(10, 20 * _MINUTE))
