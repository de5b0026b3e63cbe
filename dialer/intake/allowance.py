"""What an account may still use up today: a promise that its caps would break is not made."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from dialer.domain.callback import Callback
from dialer.domain.directory import Account, Department, Directory
from dialer.domain.errors import RequestRefused


class Used(Protocol):
    """Attempts made, and the time talked in them."""

    @property
    def attempts(self) -> int: ...

    @property
    def talk(self) -> timedelta: ...


class UsageStore(Protocol):
    """The part of the store that knows what was used. Raises `StoreError`."""

    async def usage(self, departments: Sequence[str], since: datetime) -> Used:
        """What these departments' attempts have used up since then."""


class Allowance:
    """The accounts' caps at one moment `now` (UTC); asks the store once for each account that has any."""

    def __init__(self, store: UsageStore, directory: Directory, now: datetime) -> None:
        self._store = store
        self._directory = directory
        self._now = now
        self._used_up: dict[str, bool] = {}

    async def check(self, new: Callback) -> Callback | RequestRefused:
        """The callback again; or why it is refused: it is due today, and today's allowance is used up."""
        account = self._directory.account_of(self._directory.departments[new.department])
        if not _capped(account):
            return new
        today, tomorrow = _day(self._now, account)
        if new.due_at >= tomorrow or not await self._is_used_up(account, today):
            return new
        what = "no more calls can be made today"
        return RequestRefused("account_cap", "department", what, remedy="ask for tomorrow", retry_at=tomorrow)

    async def free_from(self, department: Department) -> datetime:
        """From when on a promise of this department's is within the caps: now, or tomorrow (UTC)."""
        account = self._directory.account_of(department)
        if not _capped(account):
            return self._now
        today, tomorrow = _day(self._now, account)
        return tomorrow if await self._is_used_up(account, today) else self._now

    async def _is_used_up(self, account: Account, today: datetime) -> bool:
        if account.id not in self._used_up:
            departments = [
                department.id
                for department in self._directory.departments.values()
                if self._directory.account_of(department) is account
            ]
            self._used_up[account.id] = _reaches(await self._store.usage(departments, today), account)
        return self._used_up[account.id]


def _capped(account: Account) -> bool:
    return account.max_attempts_a_day is not None or account.max_minutes_a_day is not None


def _reaches(used: Used, account: Account) -> bool:
    attempts, minutes = account.max_attempts_a_day, account.max_minutes_a_day
    return (attempts is not None and used.attempts >= attempts) or (
        minutes is not None and used.talk >= timedelta(minutes=minutes)
    )


def _day(now: datetime, account: Account) -> tuple[datetime, datetime]:
    """The instants between which the account's present day lies."""
    date = now.astimezone(account.zone).date()
    today, tomorrow = (
        datetime.combine(date + timedelta(days=after), time(), account.zone).astimezone(UTC) for after in (0, 1)
    )
    return today, tomorrow
