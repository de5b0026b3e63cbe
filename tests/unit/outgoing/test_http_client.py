"""The client against servers that lie, stall, lead astray or call themselves somebody else: on real sockets."""

import asyncio
import gzip
import os
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from dialer.domain.errors import ConfigurationError, DialerError
from dialer.http.addresses import Address
from dialer.http.client import Answer, HttpClient, NotConnected, TargetRefused, Unreachable
from tests.lab.certificates import Certificates, make_certificates
from tests.unit.outgoing.wires import LOOPBACK, Script, Wire, answer, serving

HERE = ip_address("127.0.0.1")
SECRET = {"Authorization": "Bearer s3cret", "X-Token": "t0ken"}


def client(*names: Sequence[str], ca_file: Path | None = None) -> HttpClient:
    """One that may go to loopback, where every name leads, or by turns to what `names` say."""
    turns = iter(names)

    async def resolve(_: str) -> Sequence[Address]:
        return [ip_address(each) for each in next(turns)] if names else [HERE]

    return HttpClient(allow_private=LOOPBACK, ca_file=ca_file, resolve=resolve)


async def get(url: str, *, redirects: int = 0, most: int = 1000, within: float = 10.0, of: HttpClient) -> Answer:
    async with of as http:
        return await http.send("GET", url, headers=SECRET, within=within, most=most, redirects=redirects)


async def test_an_answer_whatever_its_status() -> None:
    said = answer(b"no", "X-Why: one", "x-why: two", "Retry-After: 5", status="503 Busy")
    async with serving(said) as wire:
        got = await get(wire.url("/a?b=c"), of=client())
    assert (got.status, got.body, got.good) == (503, b"no", False)
    assert (got.headers["x-why"], got.headers["retry-after"]) == ("one, two", "5")
    (head,) = wire.heads
    assert head.startswith("GET /a?b=c HTTP/1.1\r\n")
    lines = head.lower().split("\r\n")
    assert {"accept-encoding: identity", "authorization: bearer s3cret", f"host: 127.0.0.1:{wire.port}"} <= set(lines)
    assert not any(line.startswith(("content-length", "transfer-encoding")) for line in lines)


async def test_what_is_posted_arrives_with_its_length() -> None:
    got: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got.append(await reader.readexactly(4))
        writer.write(answer())
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, client() as http:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await http.send("POST", url, content=b"1234", within=10, most=10)).good
    assert got == [b"1234"]


async def _stall(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab")
    await writer.drain()
    await asyncio.Event().wait()


async def _endless(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()


async def _endless_chunks(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n" * 1_000)
        await writer.drain()


async def _endless_hints(_: bytes, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(_HINTS)
        await writer.drain()


async def _endless_head(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 10_000 + b"\r\n")
        await writer.drain()


_HINTS = b"HTTP/1.1 103 E\r\n\r\n" * 1500
_BOMB = gzip.compress(b"0" * 1_000_000)

LIES: dict[str, tuple[Script | bytes, str]] = {
    "says more than it sends": (answer(b"abc", length=50), "broke off"),
    "sends more than is taken": (answer(b"x" * 1001), "longer than 1000 bytes"),
    "says that it sends far more": (answer(b"x" * 2000, length=10**15), "longer than 1000 bytes"),
    "never ends": (_endless, "longer than 1000 bytes"),
    "never ends, in pieces": (_endless_chunks, "too many pieces|longer than 1000 bytes"),
    "never comes to its body": (_endless_head, "head of its answer is longer than 32768 bytes"),
    "gives hints only": (_endless_hints, "head of its answer is longer than 32768 bytes"),
    "upgrades unasked": (b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "broke off"),
    "zips a bomb": (answer(_BOMB, "Content-Encoding: gzip"), "encoding that was not asked for"),
    "zips by a name of its own": (answer(b"x", "Content-Encoding: x-br"), "encoding that was not asked for"),
    "says nothing": (b"", "broke off"),
    "speaks something else": (b"220 mail.example.com ESMTP\r\n", "broke off"),
    "gives two lengths": (answer(b"{}", "Content-Length: 5"), "broke off"),
    "gives a length that is none": (answer(b"{}", status="200 OK\r\nContent-Length: -1"), "broke off"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lying_server_is_unreachable(lie: str) -> None:
    script, why = LIES[lie]
    async with serving(script) as wire:
        with pytest.raises(Unreachable, match=why) as caught:
            await get(wire.url("/?key=s3cret"), of=client())
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_between_hints_others_have_their_turn(
    certificates: Certificates, tls: ssl.SSLContext, scheme: str
) -> None:
    """Thousands of them are one read of a socket's, and would be gone through at once."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with serving(_HINTS + answer(), tls if scheme == "https" else None) as wire:
        turning = asyncio.create_task(turn())
        told = await get(wire.url(scheme=scheme), of=client(ca_file=certificates.ca))
        turning.cancel()
    assert told.body == b"{}"
    assert turns > len(_HINTS) / 1024


async def test_a_body_of_a_million_pieces_is_refused_long_before_its_end() -> None:
    async with serving(_endless_chunks) as wire:
        with pytest.raises(Unreachable, match="too many pieces"):
            await get(wire.url(), most=4 * 1024 * 1024, of=client())


async def test_a_body_in_pieces_is_put_together() -> None:
    pieces = b"".join(b"2\r\n%02d\r\n" % number for number in range(100))
    async with serving(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n") as wire:
        assert (await get(wire.url(), of=client())).body == b"".join(b"%02d" % number for number in range(100))


async def test_a_longer_body_than_its_length_is_cut_at_it() -> None:
    async with serving(answer(b"{}garbage", length=2)) as wire:
        assert (await get(wire.url(), of=client())).body == b"{}"


async def test_what_stalls_is_given_up() -> None:
    async with serving(_stall) as wire:
        with pytest.raises(Unreachable, match="no whole answer within"):
            await get(wire.url(), within=0.2, of=client())


async def test_nobody_there_and_no_such_name() -> None:
    async with serving(b"") as wire:
        pass
    with pytest.raises(Unreachable, match="nothing listens there"):
        await get(wire.url(), of=client())
    with pytest.raises(Unreachable, match="cannot be resolved"):
        await get("http://nowhere.invalid/", of=HttpClient())
    with pytest.raises(Unreachable, match="cannot be resolved"):
        await get(f"http://{'a' * 64}.example.com/", of=HttpClient())


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:7f00:1]", "10.0.0.1"]
)
async def test_nobody_leads_us_home(host: str) -> None:
    async with serving(answer()) as wire:
        with pytest.raises(TargetRefused, match="not a public one"):
            await get(wire.url(host=host), of=HttpClient())
        assert not wire.heads


@pytest.mark.parametrize(
    "url",
    [
        *("", "/here", "ftp://example.com/", "file:///etc/passwd", "unix:/run/x", "http://", "http:///x"),
        *("http://user:pass@example.com/", "http://exa mple.com/", "http://example.com:99999/", "http://a\x00b/"),
        "javascript:alert(1)",
    ],
)
async def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises(TargetRefused):
        await get(url, of=client())


async def test_a_name_is_connected_to_where_it_was_judged_each_time_anew() -> None:
    async with serving(answer(b"{}", "Connection: close")) as wire:
        url = wire.url(host="hooks.example.com")
        async with client(["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1", "127.0.0.1"]) as http:
            assert (await http.send("GET", url, within=10, most=10)).good
            with pytest.raises(TargetRefused):
                await http.send("GET", url, within=10, most=10)
            # One that may not be used does not bar one that may.
            assert (await http.send("GET", url, within=10, most=10)).good
    assert [f"Host: hooks.example.com:{wire.port}" in head for head in wire.heads] == [True, True]


# --- redirects -------------------------------------------------------------------------------------------------------


def leads(to: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {to}", status=status)


async def test_a_redirect_is_an_answer_unless_some_are_followed() -> None:
    async with serving(leads("/again")) as wire:
        assert (await get(wire.url(), of=client())).status == 302
        assert len(wire.heads) == 1
        assert (await get(wire.url(), redirects=2, of=client())).status == 302
        assert len(wire.heads) == 4


@pytest.mark.parametrize(
    "target",
    ["http://10.0.0.1/", "http://[::1]/", "//169.254.169.254/latest/", "ftp://example.com/", "http://u:p@127.0.0.1/"],
)
async def test_a_redirect_to_where_we_do_not_go(target: str) -> None:
    async def resolve(host: str) -> Sequence[Address]:
        return [ip_address(host.strip("[]"))]

    async with serving(leads(target)) as wire:
        with pytest.raises(TargetRefused):
            await get(wire.url(), redirects=3, of=HttpClient(allow_private=LOOPBACK, resolve=resolve))


async def _both(status: str, to: Callable[[Wire], str], method: str = "GET") -> tuple[Answer, str]:
    """Sent to one server that leads to another: the answer, and what the other got."""
    async with serving(answer(b"done")) as other, serving(leads(to(other), status)) as wire, client() as http:
        url = wire.url()
        headers = {**SECRET, "Content-Type": "text/plain"}
        got = await http.send(method, url, headers=headers, content=b"", within=10, most=10, redirects=1)
        return got, "".join(other.heads).lower()


async def test_secrets_stay_with_the_host_that_they_are_for() -> None:
    got, head = await _both("302 Found", lambda other: other.url("/there"))
    assert got.body == b"done"
    assert "get /there " in head
    assert "content-type: text/plain" in head
    assert "s3cret" not in head
    assert "t0ken" not in head


async def test_what_is_posted_is_not_made_a_get() -> None:
    got, head = await _both("302 Found", lambda other: other.url(), "POST")
    assert (got.status, head) == (302, "")
    got, head = await _both("307 Temporary Redirect", lambda other: other.url(), "POST")
    assert got.body == b"done"
    assert head.startswith("post / ")


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context


async def test_https_with_an_authority_of_ones_own(certificates: Certificates, tls: ssl.SSLContext) -> None:
    async with serving(answer(), tls) as wire:
        assert (await get(wire.url(scheme="https"), of=client(ca_file=certificates.ca))).good
        url = wire.url(scheme="https", host="localhost")
        assert (await get(url, of=client(ca_file=certificates.ca))).good


async def test_a_server_that_is_somebody_else(certificates: Certificates, tls: ssl.SSLContext) -> None:
    async with serving(answer(), tls) as wire:
        url = wire.url(scheme="https", host="hooks.example.com")
        with pytest.raises(Unreachable, match="not trusted: Hostname mismatch"):
            await get(url, of=client(ca_file=certificates.ca))
        with pytest.raises(Unreachable, match="not trusted"):
            await get(wire.url(scheme="https"), of=client())
        assert not wire.heads


async def test_a_server_that_speaks_no_tls(certificates: Certificates) -> None:
    async with serving(b"HTTP/1.1 400 Bad Request\r\n\r\n") as wire:
        with pytest.raises(Unreachable):
            await get(wire.url(scheme="https"), within=0.4, of=client(ca_file=certificates.ca))


async def test_reaching_sends_nothing(certificates: Certificates, tls: ssl.SSLContext) -> None:
    got: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            got.append(await reader.read(100))
        except ConnectionResetError:
            # What TLS 1.3 sends after the handshake is not waited for.
            got.append(b"")
        writer.close()
        ended.set()

    for context, scheme in ((None, "http"), (tls, "https")):
        ended = asyncio.Event()
        async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context) as server:
            url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/s3cret"
            async with client(ca_file=certificates.ca) as http:
                await http.reach(url, within=10)
            await asyncio.wait_for(ended.wait(), 10)
    assert got == [b"", b""]


async def test_reaching_fails_as_sending_does(certificates: Certificates, tls: ssl.SSLContext) -> None:
    async with serving(answer(), tls) as wire:
        url = wire.url(scheme="https")
        async with client() as http:
            with pytest.raises(NotConnected, match="not trusted") as caught:
                await http.reach(url, within=10)
            assert "ca_file" in caught.value.remedy
        async with HttpClient(ca_file=certificates.ca) as http:
            with pytest.raises(TargetRefused, match="not a public one"):
                await http.reach(url, within=10)
    async with client() as http:
        with pytest.raises(NotConnected, match="nothing listens there"):
            await http.reach(url, within=10)
        with pytest.raises(TargetRefused, match="not a web address"):
            await http.reach("ftp://example.com/", within=10)


async def test_what_does_not_come_to_tls_has_got_nothing() -> None:
    async with serving(b"") as wire, client() as http:
        for trying in (
            http.reach(wire.url(scheme="https"), within=2),
            http.send("POST", wire.url(scheme="https"), content=b"text", within=2, most=10),
        ):
            with pytest.raises(NotConnected, match="took too long"):
                await trying


async def test_what_breaks_the_encryption_once_it_stands(certificates: Certificates, tls: ssl.SSLContext) -> None:
    async def beside(_: bytes, writer: asyncio.StreamWriter) -> None:
        os.write(writer.get_extra_info("socket").fileno(), b"HTTP/1.1 200 OK\r\n\r\n")

    async with serving(beside, tls) as wire:
        with pytest.raises(Unreachable, match="TLS broke off"):
            await get(wire.url(scheme="https"), of=client(ca_file=certificates.ca))


async def test_from_https_nobody_leads_to_http(certificates: Certificates, tls: ssl.SSLContext) -> None:
    async with serving(answer()) as plain, serving(leads(plain.url()), tls) as wire:
        with pytest.raises(TargetRefused, match="away from https"):
            await get(wire.url(scheme="https"), redirects=3, of=client(ca_file=certificates.ca))
        assert not plain.heads


def test_an_authority_that_cannot_be_used_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        HttpClient(ca_file=tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="holds no certificate"):
        HttpClient(ca_file=tmp_path / "empty.pem")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "caf\u00e9\u2603", "a\x00b"])
async def test_a_header_that_no_wire_carries_is_not_sent_and_not_told(value: str) -> None:
    async with serving(answer()) as wire, client() as http:
        with pytest.raises(DialerError) as caught:
            await http.send("GET", wire.url(), headers={"X-Token": value}, within=10, most=10)
        assert not wire.heads
    assert value not in str(caught.value)


def test_networks_of_both_kinds_can_be_allowed() -> None:
    assert HttpClient(allow_private=[ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


async def test_a_name_service_that_does_not_answer_keeps_no_other_name_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PBX's name least of all: it is resolved by the loop's own threads, of which a host has few."""
    silent, known = threading.Event(), socket.getaddrinfo

    def resolving(host: str, *given: Any, **more: Any) -> Any:
        if host.endswith(".test"):
            silent.wait()
        return known(host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    async with HttpClient() as client:
        asking = [
            asyncio.create_task(client.send("GET", f"https://{number}.test/", within=0.2, most=1))
            for number in range(100)
        ]
        try:
            assert all(isinstance(each, Unreachable) for each in await asyncio.gather(*asking, return_exceptions=True))
            await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("localhost", 5038), 5)
        finally:
            silent.set()
