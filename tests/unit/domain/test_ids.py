"""Ids, errors, and what shows of a person."""

from datetime import UTC, datetime

import pytest

from dialer.domain.callback import OPEN, Callback, Status, Visitor
from dialer.domain.errors import DialerError, RequestRefused
from dialer.domain.ids import AttemptId, CallbackId, attempt_of, channel_id

ULID = "01HZXW0000000000000000000A"


def test_a_channel_leads_back_to_its_attempt() -> None:
    assert attempt_of(channel_id(AttemptId(ULID))) == ULID


@pytest.mark.parametrize("channel", ["", "mi-", "1700000000.12", f"mx-{ULID}", f"mi-{ULID}1", f"mi-{ULID[1:]}", ULID])
def test_other_channels_are_not_ours(channel: str) -> None:
    assert attempt_of(channel) is None


def test_an_error_is_one_line_with_its_parts() -> None:
    assert str(DialerError("broken")) == "broken"
    assert str(DialerError("broken", where="a.toml")) == "a.toml: broken"
    assert str(DialerError("broken", where="a.toml", remedy="mend it")) == "a.toml: broken (mend it)"
    assert str(DialerError("broken", remedy="mend it")) == "broken (mend it)"


def test_a_refusal_carries_code_and_field() -> None:
    refusal = RequestRefused("field_missing", "phone", "missing", remedy="send it")
    assert (refusal.code, refusal.field, refusal.what, refusal.remedy) == (
        "field_missing",
        "phone",
        "missing",
        "send it",
    )
    assert str(refusal) == "phone: missing (send it)"


def test_final_statuses_are_those_that_are_not_open() -> None:
    assert set(Status) - OPEN == {
        Status.COMPLETED,
        Status.FAILED,
        Status.CANCELLED,
        Status.EXPIRED,
        Status.REJECTED,
    }


def test_a_callback_shows_nothing_of_its_visitor() -> None:
    now = datetime(2030, 5, 17, tzinfo=UTC)
    visitor = Visitor(phone="+441614960001", name="Zoë")
    callback = Callback(CallbackId(ULID), "shop", "sales", visitor, now, None, now)
    assert "Zoë" not in repr(callback)
    assert "441614960001" not in repr(callback)
