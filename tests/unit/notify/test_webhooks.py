"""Webhooks on real sockets: what a receiver can verify, and what becomes of its answers."""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from replicate.webhook import InvalidSignatureError, InvalidTimestampError, Webhooks, WebhookSigningSecret
from standardwebhooks.webhooks import Webhook as Standard
from standardwebhooks.webhooks import WebhookVerificationError

from dialer.http.addresses import Address
from dialer.http.client import HttpClient
from dialer.notify.events import event_body
from dialer.notify.pump import NotDelivered
from dialer.notify.webhooks import Webhook
from tests.lab.certificates import make_certificates
from tests.rig.receiver import OK, Answer, Receiver, Told, receiving, status
from tests.unit.notify.test_events import CHANGE

LOOPBACK = (ip_network("127.0.0.0/8"),)


def secret(seed: int) -> str:
    return "whsec_" + base64.b64encode(hashlib.sha256(bytes([seed])).digest()).decode()


OLD, NEW, FOREIGN = secret(1), secret(2), secret(3)


class Clock:
    def __init__(self, at: datetime | None = None) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at or datetime.now(UTC)


async def tell(
    receiver: Receiver, *, secrets: Sequence[str] = (NEW, OLD), at: datetime | None = None, times: int = 1
) -> None:
    async with HttpClient(allow_private=LOOPBACK) as client:
        webhook = Webhook(receiver.url(), secrets, client, Clock(at))
        for number in range(times):
            await webhook(replace(CHANGE, tries=number))


async def refused(receiver: Receiver) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        await tell(receiver)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def verified_by_another(told: Told, key: str) -> None:
    """By the standard's other implementation in the registry that tells of itself by no dependency on the first."""
    signing = WebhookSigningSecret(key=key)
    Webhooks.validate(headers=dict(told.headers), body=told.body.decode(), secret=signing, tolerance=300)


def verified_by_hand(told: Told, key: str) -> bool:
    signed = f"{told.event_id}.{told.headers['webhook-timestamp']}.".encode() + told.body
    made = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}" in told.headers["webhook-signature"].split(" ")


class TestSignatures:
    @pytest.mark.parametrize("key", [OLD, NEW])
    async def test_both_secrets_of_a_rotation_verify_by_three_implementations(self, key: str) -> None:
        async with receiving() as receiver:
            await tell(receiver)
        (told,) = receiver.told
        verified_by_another(told, key)
        Standard(key).verify(told.body, dict(told.headers))
        assert verified_by_hand(told, key)
        assert told.event_id == CHANGE.event_id
        assert told.body == event_body(CHANGE).encode()
        assert told.headers["content-type"] == "application/json"

    async def test_the_newest_signs_first(self) -> None:
        async with receiving() as receiver:
            await tell(receiver, secrets=[NEW, OLD])
            await tell(receiver, secrets=[NEW])
        both, alone = (told.headers["webhook-signature"].split(" ") for told in receiver.told)
        assert len(both) == 2
        assert verified_by_hand(receiver.told[1], NEW)
        assert len(alone) == 1

    async def test_what_is_foreign_forged_or_old_does_not_verify(self) -> None:
        async with receiving() as receiver:
            await tell(receiver)
            await tell(receiver, at=datetime.now(UTC) - timedelta(minutes=6))
        fresh, old = receiver.told
        forgeries = [
            (fresh, FOREIGN),
            (replace(fresh, body=fresh.body.replace(b"completed", b"cancelled")), NEW),
            (replace(fresh, headers={**fresh.headers, "webhook-id": "another-1"}), NEW),
        ]
        for told, key in forgeries:
            with pytest.raises(InvalidSignatureError):
                verified_by_another(told, key)
            with pytest.raises(WebhookVerificationError):
                Standard(key).verify(told.body, dict(told.headers))
            assert not verified_by_hand(told, key)
        with pytest.raises(InvalidTimestampError):
            verified_by_another(old, NEW)

    async def test_a_redelivery_is_the_same_but_for_the_time_of_its_sending(self) -> None:
        async with receiving() as receiver:
            await tell(receiver, times=2, at=datetime.now(UTC))
            await tell(receiver, at=datetime.now(UTC) + timedelta(seconds=90))
        assert len({(told.event_id, told.body) for told in receiver.told}) == 1
        assert len({told.headers["webhook-timestamp"] for told in receiver.told}) == 2
        for told in receiver.told:
            verified_by_another(told, OLD)


def answers(answer: bytes) -> Answer:
    async def answering(_: Told) -> bytes:
        return answer

    return answering


class TestAnswers:
    @pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
    async def test_every_2xx_is_delivered(self, code: int) -> None:
        async with receiving(answers(status(code) if code != 204 else OK)) as receiver:
            await tell(receiver, times=3)
        assert len(receiver.told) == 3

    @pytest.mark.parametrize(
        ("code", "down"),
        [
            *((code, True) for code in (301, 304, 401, 404, 429, 500, 503, 600)),
            *((code, False) for code in (400, 409, 413, 422)),
        ],
    )
    async def test_any_other_is_not_and_says_whether_it_is_of_this_event(self, code: int, down: bool) -> None:  # noqa: FBT001  # a parameter of the test
        async with receiving(answers(status(code))) as receiver:
            failure = await refused(receiver)
        assert (failure.what, failure.down, failure.final) == (f"it answered {code}", down, False)

    async def test_410_is_final(self) -> None:
        async with receiving(answers(status(410))) as receiver:
            failure = await refused(receiver)
        assert failure.final
        assert "410" in failure.what

    @pytest.mark.parametrize(
        ("header", "wait"),
        [("120", timedelta(minutes=2)), ("", None), ("soon", None), ("-5", None), ("9" * 40, timedelta(days=1))],
    )
    async def test_when_to_try_again_is_heard(self, header: str, wait: timedelta | None) -> None:
        async with receiving(answers(status(429, f"Retry-After: {header}"))) as receiver:
            assert (await refused(receiver)).retry_after == wait

    async def test_a_connection_that_closes_and_an_answer_that_is_none(self) -> None:
        for answer in (b"", b"220 smtp.example.com ESMTP\r\n\r\n"):
            async with receiving(answers(answer)) as receiver:
                assert (await refused(receiver)).down

    async def test_an_answer_without_an_end_is_not_read(self) -> None:
        for answer in (
            status(200, body=b"x" * 1_000_000),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + b"x" * 300_000,
        ):
            async with receiving(answers(answer)) as receiver:
                assert "longer than" in (await refused(receiver)).what

    async def test_a_lie_about_its_length_is_no_answer(self) -> None:
        async def lies(_: Told) -> bytes:
            return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nshort"

        async with receiving(lies) as receiver:
            assert (await refused(receiver)).down

    async def test_one_that_takes_too_long_is_not_waited_for(self) -> None:
        async def never(_: Told) -> bytes:
            await asyncio.Event().wait()
            return OK

        async with receiving(never) as receiver, HttpClient(allow_private=LOOPBACK) as client:
            with pytest.raises(NotDelivered, match="no whole answer within"):
                await Webhook(receiver.url(), [NEW], client, Clock(), within=0.1)(CHANGE)

    async def test_nothing_listens_there(self) -> None:
        async with receiving() as receiver:
            pass
        failure = await refused(receiver)
        assert (failure.what, failure.down) == ("nothing listens there", True)


class TestWhere:
    @pytest.mark.parametrize("answer", [307, 308])
    async def test_a_redirect_is_followed_on_the_same_host_and_the_signature_holds(self, answer: int) -> None:
        async def moved(told: Told) -> bytes:
            return OK if told.path == "/new" else status(answer, "Location: /new")

        async with receiving(moved) as receiver:
            await tell(receiver)
        assert [told.path for told in receiver.told] == ["/hooks?key=s3cret", "/new"]
        verified_by_another(receiver.told[-1], NEW)

    async def test_not_for_ever(self) -> None:
        async with receiving(answers(status(307, "Location: /again"))) as receiver:
            assert (await refused(receiver)).what == "it answered 307"
        assert len(receiver.told) == 4

    async def test_never_to_an_address_that_is_not_allowed_not_even_by_redirect(self) -> None:
        async with receiving() as inner:
            async with HttpClient() as client:
                with pytest.raises(NotDelivered, match="not a public one"):
                    await Webhook(inner.url(), [NEW], client, Clock())(CHANGE)
            redirect = answers(status(307, f"Location: {inner.url(host='127.0.0.2')}"))
            async with receiving(redirect) as outer, HttpClient(allow_private=[ip_network("127.0.0.1/32")]) as client:
                with pytest.raises(NotDelivered, match="not a public one"):
                    await Webhook(outer.url(), [NEW], client, Clock())(CHANGE)
                assert len(outer.told) == 1
        assert inner.told == []

    async def test_a_name_that_turns_to_another_address_is_judged_at_every_connection(self) -> None:
        turns = iter(["127.0.0.1", "127.0.0.2"])

        async def rebinding(_: str) -> Sequence[Address]:
            return [ip_address(next(turns))]

        async with receiving(answers(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))) as receiver:
            allowed = [ip_network("127.0.0.1/32")]
            async with HttpClient(allow_private=allowed, resolve=rebinding) as client:
                webhook = Webhook(receiver.url(host="hooks.example.com"), [NEW], client, Clock())
                await webhook(CHANGE)
                with pytest.raises(NotDelivered, match="not a public one"):
                    await webhook(CHANGE)
        assert len(receiver.told) == 1

    async def test_tls_is_verified(self, tmp_path: Path) -> None:
        made = make_certificates(tmp_path)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(made.certificate, made.key)
        async with receiving(tls=tls) as receiver:
            url = receiver.url(host="localhost", scheme="https")
            async with HttpClient(allow_private=LOOPBACK, ca_file=made.ca) as client:
                await Webhook(url, [NEW], client, Clock())(CHANGE)
            async with HttpClient(allow_private=LOOPBACK) as client:
                with pytest.raises(NotDelivered, match="certificate is not trusted"):
                    await Webhook(url, [NEW], client, Clock())(CHANGE)
        verified_by_another(receiver.told[0], NEW)
