"""Usage for billing, by account, month and class of destination. Holds nothing of a visitor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain import phone
from dialer.domain.directory import Directory
from dialer.domain.errors import RequestRefused
from dialer.domain.outcome import Outcome, may_have_rung, verdict
from dialer.domain.phone import NumberKind
from dialer.reports.groups import Key, Tally, zone_of
from dialer.reports.rows import Call

_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_NEVER_RANG = frozenset(outcome for outcome in Outcome if not may_have_rung(verdict(outcome)))


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account used in a month (`2030-05`, by its own clock) to one class of destination.

    `calls` are the attempts that rang the customer or may have, `connected` those that were answered, `in_doubt` those
    whose end nobody saw: they may yet change. `started_seconds` and `started_minutes` count each connected call up to
    the next whole one. `account` is '' where its site is not in the configuration any more.
    """

    account: str
    month: str
    region: str
    kind: str
    calls: int
    connected: int
    in_doubt: int
    started_seconds: int
    started_minutes: int


class UsageSums:
    """Of attempts that rang the customer, or may have."""

    def __init__(self) -> None:
        self._calls = 0
        self._connected = 0
        self._doubtful = 0
        self._seconds = 0
        self._minutes = 0

    def add(self, call: Call) -> None:
        """Count one more."""
        if call.outcome in _NEVER_RANG:
            return
        self._calls += 1
        self._doubtful += call.outcome is Outcome.IN_DOUBT
        if call.outcome is Outcome.CONNECTED:
            self._connected += 1
            self._seconds += -(-call.talk // _SECOND)
            self._minutes += -(-call.talk // _MINUTE)

    def figures(self, key: Key) -> Iterable[Usage]:
        """One row, unless nobody was rung."""
        if self._calls:
            counts = (self._calls, self._connected, self._doubtful, self._seconds, self._minutes)
            account, month, region, kind = key
            yield Usage(account, month, region, kind, *counts)


def usage(directory: Directory) -> Tally[Call, Usage]:
    """A tally by account, month and destination."""
    return Tally(UsageSums, lambda call: _key(call, directory))


def _key(call: Call, directory: Directory) -> Key:
    site = directory.sites.get(call.site)
    account = directory.accounts.get(site.account) if site else None
    zone = account.zone if account else zone_of(call.site, directory)
    month = call.begun_at.astimezone(zone).strftime("%Y-%m")
    # What rang nobody is not read: reading a number takes longer than all the rest.
    region, kind = ("", "") if call.outcome in _NEVER_RANG else _destination(call.number)
    return account.id if account else "", month, region, kind


def _destination(number: str) -> tuple[str, str]:
    try:
        read = phone.of_e164(number)
    except RequestRefused:  # numbering plans change
        return "", NumberKind.UNKNOWN
    return read.region, read.kind
