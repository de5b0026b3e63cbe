"""The calendar entry of a call (RFC 5545, RFC 5546): published, and withdrawn again."""

from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress

from dialer.domain.callback import Callback
from dialer.notify.messages import Draft, MessageKind

_USUAL_LENGTH = timedelta(minutes=15)
_ALARM = timedelta(minutes=10)

PUBLISH, CANCEL = "PUBLISH", "CANCEL"
_METHODS = {MessageKind.BOOKED: PUBLISH, MessageKind.MOVED: PUBLISH, MessageKind.CANCELLED: CANCEL}


def method_of(kind: MessageKind) -> str | None:
    """What a message does to the visitor's calendar; None: nothing."""
    return _METHODS.get(kind)


def invitation(
    draft: Draft, callback: Callback, method: str, title: str, organizer: str, page: str | None, now: datetime
) -> str:
    """The entry as iCalendar text. Its UID is the callback's for good, its SEQUENCE the callback's version: a later one
    replaces an earlier, whichever comes first. `organizer` is an e-mail address."""
    event = Event()
    event.add("uid", f"{callback.id}@mi-dialer")
    event.add("sequence", callback.version)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", draft.promised_at.astimezone(UTC))
    ends = draft.wanted_until
    end = ends if ends is not None and ends > draft.promised_at else draft.promised_at + _USUAL_LENGTH
    event.add("dtend", end.astimezone(UTC))
    event.add("summary", title)
    event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    event.add("status", "CANCELLED" if method == CANCEL else "CONFIRMED")
    # A call by phone does not keep anybody from being shown as free.
    event.add("transp", "TRANSPARENT")
    if page is not None:
        event.add("url", page)
    if method == PUBLISH:
        event.add_component(_alarm(title))
    calendar = Calendar()
    calendar.add("prodid", "-//Mi Telecom//Mi Connect callback dialer//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    text: str = calendar.to_ical().decode()
    return text


def _alarm(title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", -_ALARM)
    return alarm
