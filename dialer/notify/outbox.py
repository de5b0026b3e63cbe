"""The outbox: which changes of callbacks have still to be told, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dialer.domain.callback import Status
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome

BY_A_PERSON = "by_a_person"
"""What stands for a reason that a person wrote in words: those may name somebody, and are not passed on."""


class DeliveryState(StrEnum):
    """What has become of telling one change to one subscriber."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is told of changes, by a name such as `webhook:crm`; of callbacks of one site, or from one source ('': of
    all)."""

    name: str
    site: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one callback for one subscriber, as it was in the change's own transaction. Times are UTC.

    `previous` is the status before it (None: the callback was just accepted), `outcome` that of `attempt`, the latest,
    where it had ended; `reason` one of the program's own words. `tries` counts deliveries that failed, `since` is when
    they could begin. Holds nothing personal: whoever needs the visitor reads the callback.
    """

    id: int
    subscriber: str
    callback: CallbackId
    version: int
    status: Status
    previous: Status | None
    reason: str
    due_at: datetime
    wanted_at: datetime | None
    wanted_until: datetime | None
    expires_at: datetime | None
    attempts: int
    customer_attempts: int
    attempt: AttemptId | None
    outcome: Outcome | None
    site: str
    department: str
    source: str
    external_id: str | None
    requested_at: datetime
    at: datetime
    tries: int
    since: datetime

    @property
    def event_id(self) -> str:
        """The same in every redelivery and for every subscriber. Holds no full stop: where it is signed, that ends
        it."""
        return f"{self.callback}-{self.version}"


class Outbox(Protocol):
    """Where changes wait. Every method raises `StoreError`; what returns from a change is durable."""

    async def ready(self, subscriber: str, now: datetime, limit: int) -> list[Change]:
        """What can be told at `now`, the longest due first: of each callback only its oldest change that waits."""

    async def next_at(self, subscriber: str) -> datetime | None:
        """When the first of all that waits can be told; None when nothing waits."""

    async def delivered(self, changes: Sequence[Change]) -> None:
        """They were told."""

    async def postpone(self, change: Change, until: datetime, why: str) -> None:
        """It could not be told, and is tried again; later changes of its callback wait with it."""

    async def give_up(self, change: Change, why: str) -> None:
        """It is not tried again by itself; later changes of its callback go on."""

    async def give_up_before(self, subscriber: str, since: datetime, why: str) -> int:
        """As `give_up`, for all that has waited since before then; how many those were."""
