"""What calls take up while they last, and what they leave behind: slots, lines, a number's peace, a day's allowance.

Pure. Every attempt is begun here once and ended here once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.attempt import Attempt
from dialer.domain.directory import Account, Department, Directory, Pace, Trunk
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import Verdict, may_have_rung
from dialer.engine.caps import Caps
from dialer.engine.ports import Begun, Usage
from dialer.engine.rings import Rings
from dialer.scheduling.pacing import PaceKey, Pacing


@dataclass(frozen=True, slots=True)
class Lines:
    """Whose lines an attempt holds: ids."""

    account: str
    department: str
    pbx: str
    trunk: str

    @property
    def keys(self) -> tuple[PaceKey, ...]:
        """As the pacing knows them."""
        return (
            ("account", self.account),
            ("department", self.department),
            ("pbx", self.pbx),
            ("trunk", self.trunk),
        )


class Capacity:
    """Accounts', departments', PBXs' and trunks' paces, accounts' caps, and customers' numbers."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._pacing = Pacing(_paces(directory))
        self._caps = Caps(directory.accounts.values())
        self._rings = Rings(longest_gap(directory))
        self._held: dict[AttemptId, Lines] = {}

    def load(
        self,
        last_rings: Mapping[str, datetime],
        used: Mapping[str, Usage],
        now: datetime,
        begun: Iterable[Begun] = (),
    ) -> None:
        """Take up what earlier runs left: each number's last ring, each capped account's use of today, and when calls
        were begun last, so that a restart makes nobody faster."""
        self._rings.load(last_rings)
        for last in begun:
            self._pacing.resume(self._lines(last.department, last.pbx, last.trunk).keys, last.at)
        for account, usage in used.items():
            self._caps.load(self._directory.accounts[account], usage, now)

    def capped(self) -> list[Account]:
        """The accounts that have a cap a day."""
        return [account for account in self._directory.accounts.values() if self._caps.counts(account)]

    def allowance(self, account: Account, now: datetime) -> datetime:
        """`now`, or when the account's next day begins because today's allowance is used up."""
        return self._caps.open_at(account, now)

    def desk(self, account: Account, department: Department, now: datetime) -> datetime | None:
        """When account and department may begin a call; None while they have as many as they may."""
        return self._pacing.earliest((("account", account.id), ("department", department.id)), now)

    def line(self, trunk: Trunk, now: datetime) -> datetime | None:
        """When the trunk and its PBX may begin a call; None while they have as many as they may."""
        return self._pacing.earliest((("pbx", trunk.pbx), ("trunk", trunk.id)), now)

    def number_free_at(self, number: str, gap: timedelta) -> datetime | None:
        """From when on a number may be rung again; None while an attempt at it is under way."""
        return self._rings.free_at(number, gap)

    def begin(self, account: Account, lines: Lines, number: str, now: datetime) -> None:
        """A call was decided on."""
        self._pacing.begin(lines.keys, now)
        self._caps.begin(account, now)
        self._rings.begin(number)

    def undo(self, account: Account, lines: Lines, number: str, now: datetime) -> None:
        """It was not claimed after all. Its slots are spent: a pace is kept rather than reckoned back."""
        self._pacing.end(lines.keys)
        self._caps.undo(account, now)
        self._rings.end(number, None)

    def keep(self, attempt: Attempt) -> None:
        """The attempt's intent is durable: it holds what was begun for it until it ends."""
        self._held[attempt.id] = self._lines(attempt.department, attempt.pbx, attempt.trunk)

    def take_up(self, attempt: Attempt) -> None:
        """An earlier run of the daemon began this attempt, and it is still under way."""
        self.keep(attempt)
        self._pacing.hold(self._held[attempt.id].keys)
        self._rings.begin(attempt.dialled)

    def end(self, attempt: Attempt, verdict: Verdict, now: datetime) -> None:
        """An attempt is over."""
        lines = self._held.pop(attempt.id)
        self._pacing.end(lines.keys)
        self._rings.end(attempt.dialled, now if may_have_rung(verdict) else None)
        if account := self._directory.accounts.get(lines.account):
            self._caps.talked(account, verdict.talk, now)

    def tidy(self, now: datetime) -> None:
        """Forget what matters no more."""
        self._rings.forget_old(now)

    def clock_stepped(self, now: datetime) -> None:
        """The wall clock was set: slots that were reckoned by the old one are worthless."""
        self._pacing.forget_slots()
        self._rings.forget_old(now)

    def _lines(self, department: str, pbx: str, trunk: str) -> Lines:
        known = self._directory.departments.get(department)
        account = self._directory.account_of(known).id if known else ""
        return Lines(account, department, pbx, trunk)


def longest_gap(directory: Directory) -> timedelta:
    """How far back a ring of a number can matter."""
    return max((each.retry.least_gap for each in directory.departments.values()), default=timedelta(0))


def longest_spacing(directory: Directory) -> timedelta:
    """How far back the beginning of a call can hold up another one."""
    rates = [pace.per_second for pace in _paces(directory).values() if pace.per_second is not None]
    return timedelta(seconds=1 / min(rates)) if rates else timedelta(0)


def departments_of(directory: Directory, account: Account) -> list[str]:
    """The ids of the departments that serve an account."""
    return [each.id for each in directory.departments.values() if directory.account_of(each).id == account.id]


def _paces(directory: Directory) -> dict[PaceKey, Pace]:
    return {
        **{("account", each.id): each.pace for each in directory.accounts.values()},
        **{("department", each.id): each.pace for each in directory.departments.values()},
        **{("pbx", id_): pace for id_, pace in directory.pbxs.items()},
        **{("trunk", each.id): each.pace for each in directory.trunks.values()},
    }
