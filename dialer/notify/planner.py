"""Which messages follow from a change of a callback, and when: purely, from what is known.

Nothing is said without permission, to a number that is never called, or twice. What was just asked for is answered at
any hour; everything else keeps out of the visitor's quiet hours. That the daemon tries again is no message: only a
change of the promise is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain import phone
from dialer.domain.callback import Callback, Status, Visitor
from dialer.domain.directory import OpeningHours, Site
from dialer.domain.errors import RequestRefused
from dialer.domain.ids import by_feed
from dialer.domain.phone import NumberKind
from dialer.notify.messages import Channel, Draft, Message, MessageKind, MessageState, Plan
from dialer.notify.outbox import Change
from dialer.scheduling.hours import closes_in_all, next_open_in_all, open_in_all
from dialer.scheduling.quiet import called_windows

JUST_ASKED = timedelta(minutes=15)
"""For so long after a request its answer may come at any hour."""

WORTH_TELLING = timedelta(hours=24)
"""For so long an end is still news."""

TOO_LATE = "too late"
"""Why a message makes no sense any more that was not sent in time."""

_DAY = timedelta(days=1)
_BEFORE_QUIET = timedelta(minutes=15)
"""A reminder that quiet hours bring forward leaves so long before they begin, so that a second try still can."""

_ENDS = {
    Status.CANCELLED: MessageKind.CANCELLED,
    Status.FAILED: MessageKind.FAILED,
    Status.EXPIRED: MessageKind.EXPIRED,
}
_OVER = frozenset(_ENDS) | {Status.COMPLETED}
_WHY = {status: status.value for status in _OVER}
_PROMISING = frozenset({MessageKind.BOOKED, MessageKind.MOVED})
_TEXTED = frozenset({NumberKind.MOBILE, NumberKind.FIXED_OR_MOBILE})


@dataclass(frozen=True, slots=True)
class Manner:
    """How a site writes to its visitors. `channels`: the ways that it allows and that are set up; `confirm_after`: a
    call as soon as possible is confirmed only when it is further ahead than this; `reminder_before`: how long before
    the call its reminder goes (zero: none), for times booked at least `reminder_ahead` ahead."""

    channels: frozenset[Channel]
    confirm_after: timedelta = timedelta(minutes=15)
    reminder_before: timedelta = timedelta(minutes=30)
    reminder_ahead: timedelta = timedelta(hours=2)


def permitted(visitor: Visitor, manner: Manner) -> tuple[Channel, ...]:
    """The ways by which the visitor may be written to: e-mail where they gave an address, texts where they allowed them
    for a number that takes them."""
    may = {Channel.EMAIL: bool(visitor.email), Channel.SMS: visitor.sms and _takes_texts(visitor.phone)}
    return tuple(channel for channel in Channel if may[channel] and channel in manner.channels)


def plan(
    change: Change, callback: Callback, before: Sequence[Message], site: Site, manner: Manner, *, objected: bool
) -> Plan:
    """What follows from `change`; `before` are the callback's messages so far, `callback` as it is now. `objected`: the
    number is on the do-not-call list."""
    waiting = [message for message in before if message.state is MessageState.WAITING]
    if objected or change.status is Status.REJECTED:
        return Plan(drop=_ids(waiting), why="objection")
    if any(message.draft.about > change.version for message in before):
        # Told again by hand, long after: what was promised since stands.
        return Plan()
    ways = permitted(callback.visitor, manner)
    if change.status is Status.SCHEDULED and _is_new_promise(change, before):
        drafts = _promise(change, ways, callback, site, manner)
    elif (kind := _ENDS.get(change.status)) and _is_news(change, before):
        drafts = tuple(_end(change, kind, way, site, callback.visitor.phone) for way in ways)
    elif change.status in _OVER:
        drafts = ()
    else:
        return Plan()
    # A change that is told again has its messages already.
    made = {_key(draft) for draft in drafts}
    return Plan(
        drafts, _ids([each for each in waiting if _key(each.draft) not in made]), _WHY.get(change.status, "moved")
    )


def hold(message: Draft, callback: Callback, site: Site, now: datetime) -> datetime | str | None:
    """Whether a message may leave now: None; or when (UTC), for quiet hours; or why it makes no sense any more."""
    if now >= message.give_up_at:
        return TOO_LATE
    if callback.status not in _STILL[message.kind]:
        return callback.status.value
    if callback.status is Status.SCHEDULED and (callback.wanted_at, callback.wanted_until) != _wish(message):
        return "moved"
    quiet = called_windows(site, callback.visitor.phone)
    if (message.asked_until is not None and now < message.asked_until) or open_in_all(quiet, now):
        return None
    morning = next_open_in_all(quiet, now)
    return TOO_LATE if morning is None or morning >= message.give_up_at else morning


_STILL: Mapping[MessageKind, frozenset[Status]] = {
    MessageKind.BOOKED: frozenset({Status.SCHEDULED}),
    MessageKind.MOVED: frozenset({Status.SCHEDULED}),
    MessageKind.REMINDER: frozenset({Status.SCHEDULED}),
    **{kind: frozenset({status}) for status, kind in _ENDS.items()},
}
"""Where a callback must stand for a message to be true."""


def _takes_texts(number: str) -> bool:
    try:
        return phone.of_e164(number).kind in _TEXTED
    except RequestRefused:
        return False


def _is_new_promise(change: Change, before: Sequence[Message]) -> bool:
    """A promise that was not told yet, or not like this.

    A try that came to nothing leaves the wish as it was, and a wish for the past was told when it was made.
    """
    if change.previous is None:
        return True
    told = [message.draft for message in before if message.draft.kind in _PROMISING]
    if change.wanted_at is None:
        return bool(told) and told[-1].wanted_at is not None
    return change.wanted_at > change.at and not (told and _wish(told[-1]) == (change.wanted_at, change.wanted_until))


def _is_news(change: Change, before: Sequence[Message]) -> bool:
    """Whether an end is news: a cancellation only to whoever was promised a time, anything else to everybody."""
    return change.status is not Status.CANCELLED or change.wanted_at is not None or bool(before)


def _promise(
    change: Change, ways: Sequence[Channel], callback: Callback, site: Site, manner: Manner
) -> tuple[Draft, ...]:
    soon = change.wanted_at is None and change.due_at - change.at <= manner.confirm_after
    if soon and change.previous is None:
        return ()
    kind = MessageKind.BOOKED if change.previous is None else MessageKind.MOVED
    about = 0 if change.previous is None else change.version
    until = _asked_until(change)
    drafts = [
        _draft(change, kind, way, about, send_at=change.at, asked_until=until, give_up_at=change.due_at) for way in ways
    ]
    quiet = called_windows(site, callback.visitor.phone)
    if (at := _reminder_at(change, quiet, manner)) is not None:
        drafts += [
            _draft(
                change,
                MessageKind.REMINDER,
                way,
                change.version,
                send_at=at,
                asked_until=None,
                give_up_at=change.due_at,
            )
            for way in ways
        ]
    return tuple(drafts)


def _asked_until(change: Change) -> datetime | None:
    """Until when the answer to what was asked for may come at any hour. A feed may have been down for hours since the
    visitor asked, and tells of a request alone when that was."""
    if change.previous is None:
        return change.requested_at + JUST_ASKED
    return None if by_feed(change.source) else change.at + JUST_ASKED


def _reminder_at(change: Change, quiet: Sequence[OpeningHours], manner: Manner) -> datetime | None:
    """When to remind of a promise; None: not at all."""
    if not manner.reminder_before or change.wanted_at is None or change.due_at - change.at < manner.reminder_ahead:
        return None
    at = change.due_at - manner.reminder_before
    if not open_in_all(quiet, at):
        closing = _closing_before(quiet, at)
        at = change.at if closing is None else closing - _BEFORE_QUIET
    return at if at > change.at else None


def _closing_before(quiet: Sequence[OpeningHours], at: datetime) -> datetime | None:
    """When quiet hours that hold at `at` began, if they began within a day."""
    last, moment = None, next_open_in_all(quiet, at - _DAY)
    while moment is not None and moment < at:
        last = closes_in_all(quiet, moment)
        moment = None if last is None else next_open_in_all(quiet, last)
    return last


def _end(change: Change, kind: MessageKind, way: Channel, site: Site, number: str) -> Draft:
    """A cancellation was just asked for. That we gave up waits for the morning, and is news for a day from then."""
    if kind is MessageKind.CANCELLED:
        news = change.at + WORTH_TELLING
        return _draft(change, kind, way, 0, send_at=change.at, asked_until=_asked_until(change), give_up_at=news)
    at = next_open_in_all(called_windows(site, number), change.at) or change.at
    return _draft(change, kind, way, 0, send_at=at, asked_until=None, give_up_at=at + WORTH_TELLING)


def _draft(
    change: Change,
    kind: MessageKind,
    way: Channel,
    about: int,
    *,
    send_at: datetime,
    asked_until: datetime | None,
    give_up_at: datetime,
) -> Draft:
    return Draft(
        callback=change.callback,
        kind=kind,
        channel=way,
        about=about,
        wanted_at=change.wanted_at,
        wanted_until=change.wanted_until,
        promised_at=change.due_at,
        send_at=send_at,
        asked_until=asked_until,
        give_up_at=give_up_at,
    )


def _wish(draft: Draft) -> tuple[datetime | None, datetime | None]:
    return draft.wanted_at, draft.wanted_until


def _key(draft: Draft) -> tuple[Channel, MessageKind, int]:
    return draft.channel, draft.kind, draft.about


def _ids(messages: Sequence[Message]) -> tuple[int, ...]:
    return tuple(message.id for message in messages)
