"""A site, a callback, and changes of it, for the tests of messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.directory import Site
from dialer.domain.ids import CallbackId
from dialer.notify.messages import Channel, Draft, Message, MessageKind, MessageState
from dialer.notify.outbox import Change
from dialer.notify.planner import Manner

LONDON = ZoneInfo("Europe/London")
SHOP = Site("shop", "Example Shop", LONDON, "GB")
BOTH = Manner(frozenset(Channel))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
"""A Monday, 10:00 in London."""
WANTED = MONDAY + DAY + 4 * HOUR
"""Tuesday, 14:00."""

# Ofcom's drama mobiles are no numbers to the library, and a text needs one. Nothing is ever sent to it.
MOBILE = "+447400123456"
LANDLINE = "+442079460123"
ID = CallbackId("01KJPCZ0V8Z9W6D7V0H2M1N4QK")
ZOE = Visitor(MOBILE, "Zoë Smith", "zoe@example.com", sms=True)


def callback(**changes: object) -> Callback:
    """Booked for Tuesday at 14:00, at 10:00 on Monday."""
    booked = Callback(ID, "shop", "sales", ZOE, MONDAY, WANTED, WANTED)
    return replace(booked, **changes)  # type: ignore[arg-type]  # a test's own


def change(**changes: object) -> Change:
    """The booking."""
    made = Change(
        id=1,
        subscriber="messages",
        callback=ID,
        version=1,
        status=Status.SCHEDULED,
        previous=None,
        reason="",
        due_at=WANTED,
        wanted_at=WANTED,
        wanted_until=None,
        expires_at=None,
        attempts=0,
        customer_attempts=0,
        attempt=None,
        outcome=None,
        site="shop",
        department="sales",
        source="",
        external_id=None,
        requested_at=MONDAY,
        at=MONDAY,
        tries=0,
        since=MONDAY,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # as above


def draft(kind: MessageKind = MessageKind.BOOKED, channel: Channel = Channel.EMAIL, **changes: object) -> Draft:
    """A message of the booking."""
    made = Draft(ID, kind, channel, 0, WANTED, None, WANTED, MONDAY, MONDAY + 15 * MINUTE, WANTED)
    return replace(made, **changes)  # type: ignore[arg-type]  # as above


def stored(id_: int, of: Draft, state: MessageState = MessageState.SENT) -> Message:
    """A message as the store has it."""
    return Message(id_, of, state, "", 0, MONDAY, MONDAY)
