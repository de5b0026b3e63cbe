"""The server: bound before the daemon is ready, refused with one clear line, ended with the drain."""

import asyncio
import contextlib
import socket
import sqlite3
import ssl
from pathlib import Path

import httpx
import pytest

from dialer.domain.errors import ConfigurationError
from dialer.web import server
from dialer.web.server import Listening, serving
from tests.lab.certificates import make_certificates
from tests.rig import API, Daemon, detached
from tests.web.place import Place
from tests.web.test_api_problems import raw

HERE = "127.0.0.1"


async def hello(scope: object, receive: object, send: object) -> None:
    """The least application."""
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]  # ASGI's own
    await send({"type": "http.response.body", "body": b"hello"})  # type: ignore[operator]  # as above


async def test_a_daemon_serves_takes_in_and_ends(tmp_path: Path) -> None:
    """What was answered is in the store, a key that a command revokes opens nothing more, and a stop ends it."""
    with Daemon(detached(tmp_path, {"api": API})) as daemon:
        await daemon.ready()
        key = daemon.key()
        async with await daemon.client(key) as client:
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/readyz")).json()["code"] == "pbx"
            made = await client.post("/v1/callbacks", json={"department": "sales", "phone": "020 7946 0001"})
            assert made.status_code == 201
            shown = await client.get(f"/v1/callbacks/{made.json()['id']}")
            assert shown.json()["visitor"]["phone"] == "+442079460001"
            assert daemon.cli("key", "revoke", "1").returncode == 0
            await asyncio.sleep(0.6)
            assert (await client.get("/v1/callbacks")).json()["code"] == "key_unknown"
        assert daemon.stop() == 0
        with contextlib.closing(sqlite3.connect(daemon.database)) as store:
            assert store.execute("SELECT id, source FROM callback").fetchall() == [(made.json()["id"], "api:shop")]
            assert store.execute("SELECT last_used_at IS NOT NULL FROM api_key").fetchall() == [(1,)]
        log = daemon.tail(1000)
    for secret in (key, "79460001", "020 7946"):
        assert secret not in log


def test_an_answer_s_parts_do_not_wait_for_each_other() -> None:
    """asyncio sets TCP_NODELAY on what a socket accepts that names its protocol, and only then: else each answer's body
    waits 40 ms for the acknowledgement of its head."""
    with server._bound(Listening(HERE, 0)) as bound:
        assert bound.proto == socket.IPPROTO_TCP


async def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as refusal:
            async with serving(hello, Listening(HERE, port)):
                pass
    assert str(refusal.value) == (
        f"api.listen: cannot listen on 127.0.0.1 port {port}: Address already in use"
        " (stop what listens there, or set api.listen to a free port)"
    )


async def test_tls(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "tls")
    async with serving(hello, Listening(HERE, 0, made.certificate, made.key)) as port:
        trusting = ssl.create_default_context(cafile=str(made.ca))
        async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/")).text == "hello"
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("files", ["missing", "foreign", "rubbish"])
async def test_a_certificate_that_cannot_be_used(tmp_path: Path, files: str) -> None:
    made, other = make_certificates(tmp_path / "one"), make_certificates(tmp_path / "other")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    pair = {
        "missing": (tmp_path / "none.pem", made.key),
        "foreign": (made.certificate, other.key),
        "rubbish": (rubbish, rubbish),
    }
    with pytest.raises(ConfigurationError, match=r"^api\.tls_certificate: the certificate or its key cannot be used"):
        async with serving(hello, Listening(HERE, 0, *pair[files])):
            pass


async def test_whoever_does_not_ask_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither nothing, nor a head that comes byte by byte, before or after a whole request."""
    monkeypatch.setattr(server, "_HEADERS_WITHIN", 0.2)
    async with serving(hello, Listening(HERE, 0)) as port:
        for sent in ((b"",), (b"G",), (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"G")):
            reader, writer = await asyncio.open_connection(HERE, port)
            for part in sent:
                writer.write(part)
                if b"Host" in part:
                    assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 10)
            writer.close()


async def test_whoever_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody takes ends with its connection, and so does what was made of it."""
    monkeypatch.setattr(server, "_TAKEN_WITHIN", 0.2)
    over = asyncio.Event()

    async def long(scope: object, receive: object, send: object) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]  # as above
        for _ in range(100):
            part = {"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True}
            await send(part)  # type: ignore[operator]  # as above
        over.set()

    async with serving(long, Listening(HERE, 0)) as port:
        reader, writer = await asyncio.open_connection(HERE, port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.wait_for(over.wait(), 10)  # what is sent to nobody is dropped
        with contextlib.suppress(ConnectionError):
            while await reader.read(1_000_000):
                pass
        writer.close()


async def test_there_is_an_end_to_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 2)
    async with serving(hello, Listening(HERE, 0)) as port:
        many = [await asyncio.open_connection(HERE, port) for _ in range(4)]
        ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        served = 0
        for reader, writer in many:
            with contextlib.suppress(ConnectionError):
                writer.write(ask)
                served += (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 200")
            writer.close()
    assert served == 2


async def test_tls_that_is_not_agreed_upon_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither said nothing nor half of a greeting."""
    monkeypatch.setattr(server, "_TLS_WITHIN", 1)
    made = make_certificates(tmp_path / "tls")
    async with serving(hello, Listening(HERE, 0, made.certificate, made.key)) as port:
        for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
            reader, writer = await asyncio.open_connection(HERE, port)
            writer.write(said)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 10)
            writer.close()


async def test_connections_count_before_tls_is_agreed_upon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third is closed at once; when one of the two is gone, the next is served."""
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 2)
    made = make_certificates(tmp_path / "tls")
    trusting = ssl.create_default_context(cafile=str(made.ca))
    async with (
        serving(hello, Listening(HERE, 0, made.certificate, made.key)) as port,
        httpx.AsyncClient(verify=trusting, trust_env=False, base_url=f"https://{HERE}:{port}") as client,
    ):
        silent = [await asyncio.open_connection(HERE, port) for _ in range(2)]
        with pytest.raises(httpx.TransportError):
            await client.get("/")
        silent[0][1].close()
        await silent[0][1].wait_closed()
        assert (await client.get("/")).text == "hello"
        silent[1][1].close()


async def test_who_was_answered_keeps_no_connection_by_a_body_that_never_ends(
    api: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_REST_WITHIN", 0.2)
    port = httpx.URL(api.client.base_url).port
    reader, writer = await asyncio.open_connection(HERE, port)
    writer.write(b"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n")
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 401")
    writer.write(b"x")
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_who_sends_the_rest_of_a_body_in_time_may_ask_again(api: Place) -> None:
    ask = b"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    reader, writer = await asyncio.open_connection(HERE, httpx.URL(api.client.base_url).port)
    for _ in range(2):
        writer.write(ask)
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 401")
        for part in (b"no", b"no"):
            writer.write(part)
            await writer.drain()
    writer.close()


async def test_rubbish_behind_an_answer_ends_the_connection_without_a_word(
    api: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no bug of ours either, and would be a line in the log for whoever likes to write there."""
    ask = b"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, writer = await asyncio.open_connection(HERE, httpx.URL(api.client.base_url).port)
    writer.write(ask)
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 401")
    writer.write(b"rubbish\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    assert not caplog.records


@pytest.mark.parametrize("answered", [False, True])
async def test_a_body_in_crumbs_is_not_gone_through(
    api: Place, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, answered: bool
) -> None:
    """250 KB of them, read at once, took the loop a quarter of a second; whether or not anybody waits for them."""
    monkeypatch.setattr(server, "_MOST_PIECES", 100)
    key = "" if answered else f"Authorization: {shop['authorization']}\r\n"
    head = f"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\n{key}Content-Type: application/json\r\n"
    reader, writer = await asyncio.open_connection(HERE, httpx.URL(api.client.base_url).port)
    writer.write(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
    if answered:
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 401")
    writer.write(b"1\r\n \r\n" * 101)
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"" if answered else b"HTTP/1.1 400")
    writer.close()


async def test_requests_under_way_are_answered_before_the_server_ends() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: object, receive: object, send: object) -> None:
        begun.set()
        await go_on.wait()
        await hello(scope, receive, send)

    async with httpx.AsyncClient(trust_env=False) as client:
        async with serving(slow, Listening(HERE, 0)) as port:
            asked = asyncio.create_task(client.get(f"http://{HERE}:{port}/"))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert (await asked).text == "hello"


async def test_pipelined_requests_are_answered_in_their_order(api: Place) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    said = await raw(api, ask + ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert said.count(b'{"status":"ok"}') == 2
