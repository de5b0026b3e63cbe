"""What an account may use up a day, by its own clock: attempts, and minutes of talk. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dialer.domain.directory import Account
from dialer.engine.ports import Usage


@dataclass(slots=True)
class _Day:
    of: date | None = None
    attempts: int = 0
    talk: timedelta = timedelta(0)


class Caps:
    """Counts each account's day; only accounts with a cap are counted."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        capped = [each for each in accounts if each.max_attempts_a_day or each.max_minutes_a_day]
        self._days = {account.id: _Day() for account in capped}

    def counts(self, account: Account) -> bool:
        """Whether this account has a cap."""
        return account.id in self._days

    def load(self, account: Account, used: Usage, now: datetime) -> None:
        """Take up what today has seen already."""
        self._days[account.id] = _Day(_today(account, now), used.attempts, used.talk)

    def open_at(self, account: Account, now: datetime) -> datetime:
        """`now` while the account may call; else the beginning of its next day (UTC)."""
        day = self._day(account, now)
        if day is None or not _used_up(account, day):
            return now
        return _midnight(account, _today(account, now) + timedelta(days=1))

    def begin(self, account: Account, now: datetime) -> None:
        """An attempt begins."""
        if day := self._day(account, now):
            day.attempts += 1

    def undo(self, account: Account, now: datetime) -> None:
        """An attempt of today was not begun after all."""
        if (day := self._day(account, now)) and day.attempts:
            day.attempts -= 1

    def talked(self, account: Account, talk: timedelta, now: datetime) -> None:
        """An attempt ended after so much talk."""
        if day := self._day(account, now):
            day.talk += talk

    def _day(self, account: Account, now: datetime) -> _Day | None:
        day = self._days.get(account.id)
        if day is not None and day.of != (today := _today(account, now)):
            day = self._days[account.id] = _Day(today)
        return day


def day_of(account: Account, now: datetime) -> datetime:
    """The first instant of the account's present day (UTC)."""
    return _midnight(account, _today(account, now))


def _midnight(account: Account, day: date) -> datetime:
    return datetime.combine(day, time(), account.zone).astimezone(UTC)


def _today(account: Account, now: datetime) -> date:
    return now.astimezone(account.zone).date()


def _used_up(account: Account, day: _Day) -> bool:
    attempts, minutes = account.max_attempts_a_day, account.max_minutes_a_day
    return (attempts is not None and day.attempts >= attempts) or (
        minutes is not None and day.talk >= timedelta(minutes=minutes)
    )
