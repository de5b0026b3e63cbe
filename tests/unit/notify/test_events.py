"""What is told of a change, to the byte."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

from dialer.domain.callback import Status, Visitor
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.notify.events import event_body, event_data, event_type, instant
from dialer.notify.outbox import Change

AT = datetime(2026, 3, 2, 12, 0, 0, 123457, UTC)
CHANGE = Change(
    id=7,
    subscriber="webhook:crm",
    callback=CallbackId("01KJPCZ0V8Z9W6D7V0H2M1N4QK"),
    version=3,
    status=Status.COMPLETED,
    previous=Status.IN_PROGRESS,
    reason="connected",
    due_at=AT,
    wanted_at=None,
    wanted_until=None,
    expires_at=AT + timedelta(hours=8),
    attempts=1,
    customer_attempts=1,
    attempt=AttemptId("01KJPCZ0V8Z9W6D7V0H2M1N4QM"),
    outcome=Outcome.CONNECTED,
    site="shop",
    department="sales",
    source="feed:mi",
    external_id='crm "7" ☎',
    requested_at=AT - timedelta(minutes=1),
    at=AT + timedelta(seconds=40),
    tries=0,
    since=AT + timedelta(seconds=40),
)


def test_the_whole_event() -> None:
    assert event_body(CHANGE) == (
        '{"type":"callback.completed","timestamp":"2026-03-02T12:00:40.123457Z","data":{'
        '"id":"01KJPCZ0V8Z9W6D7V0H2M1N4QK","external_id":"crm \\"7\\" \\u260e","site":"shop","department":"sales",'
        '"version":3,"status":"completed","previous":"in_progress","reason":"connected",'
        '"requested_at":"2026-03-02T11:59:00.123457Z","wanted_at":null,"wanted_until":null,'
        '"due_at":"2026-03-02T12:00:00.123457Z","expires_at":"2026-03-02T20:00:00.123457Z","attempts":1,'
        '"customer_attempts":1,"attempt":"01KJPCZ0V8Z9W6D7V0H2M1N4QM","outcome":"connected",'
        '"at":"2026-03-02T12:00:40.123457Z"}}'
    )


def test_tries_do_not_change_it() -> None:
    again = replace(CHANGE, tries=9, since=AT + timedelta(days=4), id=8, subscriber="webhook:other")
    assert event_body(again) == event_body(CHANGE)
    assert again.event_id == CHANGE.event_id == "01KJPCZ0V8Z9W6D7V0H2M1N4QK-3"


def test_the_first_change_is_the_acceptance() -> None:
    first = replace(CHANGE, previous=None, status=Status.SCHEDULED, attempt=None, outcome=None, version=1)
    assert event_type(first) == "callback.accepted"
    assert json.loads(event_body(first))["data"]["previous"] is None
    assert event_type(replace(first, previous=Status.SCHEDULED)) == "callback.scheduled"


def test_nothing_in_it_is_a_visitor_s() -> None:
    names = {each.name for each in fields(Visitor)}
    assert not names & ({each.name for each in fields(Change)} | set(event_data(CHANGE)))


def test_an_instant_has_its_zone_and_its_microseconds() -> None:
    assert instant(datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=1)))) == "2026-07-01T08:00:00.000000Z"
