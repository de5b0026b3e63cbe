"""One text through the gateway: what it is asked, and what is known of the text by its answer."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network

import pytest

from dialer.http.client import HttpClient
from dialer.notify.gateway import Gateway, Texter, filled
from dialer.notify.sending import MaybeSent, NotSent
from tests.messages.gateways import TOKEN, Texts, texts
from tests.messages.test_messages_smtp import Asked

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
WORDS = {"number": "+447400123456", "text": 'Tŷ "Gwyn": {number}\n{', "sender": "Shop", "id": "C1-booked-0"}


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)


async def sent(gateway: Gateway, asked: Asked | None = None) -> bool:
    async with HttpClient(allow_private=LOOPBACK) as client:
        return await Texter(gateway, client, Noon()).send(WORDS, asked or Asked())


async def failed(box: Texts, status: int | None, **more: float) -> NotSent | MaybeSent:
    box.status = status
    asked = Asked()
    with pytest.raises((NotSent, MaybeSent)) as caught:
        await sent(box.gateway(**more), asked)
    assert asked.count == 1
    assert "7400" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    return caught.value


async def test_the_gateway_is_asked_as_the_configuration_says() -> None:
    async with texts() as box:
        assert await sent(box.gateway())
    (asking,) = box.asked
    assert asking.line == "POST /v1/messages HTTP/1.1"
    assert asking.headers["authorization"] == f"Bearer {TOKEN}"
    assert asking.headers["content-type"] == "application/json"
    assert asking.body == {
        "to": WORDS["number"],
        "from": "Shop",
        # what a word holds is text, and not filled in again
        "text": WORDS["text"],
        "options": [{"reference": "C1-booked-0"}, True, 3],
    }


async def test_what_may_not_leave_does_not() -> None:
    async with texts() as box:
        assert not await sent(box.gateway(), Asked(answer=False))
    assert box.asked == []


@pytest.mark.parametrize(
    ("status", "final", "down"),
    [
        *((400, True, False), (404, True, False), (422, True, False), (401, False, True), (403, False, True)),
        *((429, False, True), (503, False, True)),
    ],
)
async def test_a_refusal_is_a_refusal(status: int, final: bool, down: bool) -> None:  # noqa: FBT001  # a table's
    async with texts() as box:
        error = await failed(box, status)
    assert isinstance(error, NotSent)
    assert (error.what, error.final, error.down) == (f"the gateway answered {status}", final, down)


async def test_the_gateway_s_own_pause_is_heeded() -> None:
    async with texts() as box:
        box.headers = "Retry-After: 90\r\n"
        error = await failed(box, 429)
    assert isinstance(error, NotSent)
    assert error.retry_after == timedelta(seconds=90)


@pytest.mark.parametrize("status", [500, 502, 504, 302, 204, None])
async def test_what_nobody_knows(status: int | None) -> None:
    async with texts() as box:
        assert isinstance(await failed(box, status), MaybeSent)


async def test_a_gateway_that_does_not_answer_in_time_may_have_sent_it() -> None:
    async with texts() as box:
        box.headers = "X-Slow: "  # a header that has no end
        assert isinstance(await failed(box, 200, within=0.3), MaybeSent)


async def test_where_nothing_listens_or_we_do_not_connect_nothing_was_sent() -> None:
    async with texts() as box:
        gateway = box.gateway()
    with pytest.raises(NotSent) as caught:
        await sent(gateway)
    assert caught.value.down
    async with HttpClient() as guarded:
        with pytest.raises(NotSent, match="not a public one"):
            await Texter(gateway, guarded, Noon()).send(WORDS, Asked())


def test_a_brace_without_a_word_stays() -> None:
    assert filled("{} {number {other} {text}", WORDS) == "{} {number {other} " + WORDS["text"]
    assert filled({"a": None}, WORDS) == {"a": None}
