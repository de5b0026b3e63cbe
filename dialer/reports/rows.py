"""What reports are made of: one row for each attempt that has ended, and one for each event of the widget."""

from datetime import datetime, timedelta
from typing import NamedTuple

from dialer.domain.outcome import Outcome
from dialer.domain.widget import EventKind


class Call(NamedTuple):
    """An attempt that has ended; times are UTC.

    `begun_at` is when its intent was written. `sent_at` (Originate), `dialled_at` (the customer leg was begun) and
    `answered_at` (both talk) are by this program's clock, None where it did not come so far or nobody saw it.
    `promised_at` is when the visitor wanted the call: the wanted time, or else the time of the request. `number` is the
    number that was dialled, E.164.
    """

    site: str
    department: str
    agent: str
    number: str
    outcome: Outcome
    due_at: datetime
    ready_at: datetime
    begun_at: datetime
    sent_at: datetime | None
    dialled_at: datetime | None
    answered_at: datetime | None
    promised_at: datetime
    talk: timedelta

    def __repr__(self) -> str:
        return f"Call({self.outcome}, {self.department}, {self.begun_at.isoformat()})"


class Visit(NamedTuple):
    """The first time on a day that a session told of this kind; `at` is UTC.

    Of a submit: `requested` when a callback was accepted from the session at that time, `connected` when one of those
    was connected.
    """

    site: str
    kind: EventKind
    at: datetime
    requested: bool = False
    connected: bool = False
