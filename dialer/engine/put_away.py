"""What becomes of a callback that is due and may not be rung: asked again at the moment of dialling. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from dialer.domain import phone
from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Account, Department, OpeningHours
from dialer.domain.errors import RequestRefused
from dialer.engine.choices import Close, Defer
from dialer.scheduling.hours import next_open_in_all, open_in_all


def put_away(
    callback: Callback, department: Department, account: Account, windows: Sequence[OpeningHours], now: datetime
) -> Close | Defer | None:
    """Its end, or a later time, by what its account may call, the `windows` that must all be open, and its attempts of
    today; None where it may be rung at `now` (UTC)."""
    refusal = _refusal(account, callback)
    if refusal:
        return Close(callback, Status.REJECTED, refusal)
    if not open_in_all(windows, now):
        return _later(callback, next_open_in_all(windows, now), "quiet hours where the number is")
    tomorrow = _day_is_used_up(callback, department, now)
    if tomorrow is not None:
        why = f"no more than {department.retry.max_customer_attempts_a_day} customer attempts a day"
        return _later(callback, next_open_in_all(windows, tomorrow), why)
    return None


def _refusal(account: Account, callback: Callback) -> str:
    """Why the number may not be called any more; '' when it may."""
    try:
        account.numbers.check(phone.of_e164(callback.visitor.phone))
    except RequestRefused as refusal:
        return refusal.code
    return ""


def _day_is_used_up(callback: Callback, department: Department, now: datetime) -> datetime | None:
    """The beginning of the next day (UTC) where the callback has had its customer attempts of today: somebody moved it
    back into this day. None where it may be rung."""
    today, cap = now.astimezone(department.hours.zone).date(), department.retry.max_customer_attempts_a_day
    if cap is None or callback.day != today or callback.day_attempts < cap:
        return None
    return datetime.combine(today + timedelta(days=1), time(), department.hours.zone).astimezone(UTC)


def _later(callback: Callback, moment: datetime | None, why: str) -> Close | Defer:
    """The next moment at which its number may be called, unless its promise ends before."""
    if moment is None or (callback.expires_at is not None and moment >= callback.expires_at):
        return Close(callback, Status.EXPIRED, "it may not be called before its time runs out")
    return Defer(callback, moment, why)
