"""Every error is a problem: the framework's own, the server's, a hostile body's, a store's, a bug's."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from dialer.web import gate
from dialer.web.docs import Documents
from dialer.web.problems import ProblemBody
from tests.web.place import MAX_BODY, Place, place, problem

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/callbacks/", 404, "not_found"),
        ("GET", "/v1//callbacks", 404, "not_found"),
        ("PUT", "/v1/callbacks", 405, "method_not_allowed"),
        ("HEAD", "/v1/callbacks", 405, ""),
        ("OPTIONS", "/v1/callbacks", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("GET", "/v1/callbacks/%00%ff", 404, "callback_unknown"),
        ("GET", "/v1/departments/sales%2Fslots/slots", 404, "not_found"),
    ],
)
async def test_the_framework_s_own(
    api: Place, shop: dict[str, str], method: str, path: str, status: int, code: str
) -> None:
    answer = await api.client.request(method, path, headers=shop)
    if method == "HEAD":
        assert answer.status_code == status
    else:
        problem(answer, status, code)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_object"),
        (b"null", "not_object"),
        (b'{"phone": NaN}', "not_json"),
        (b'{"phone": 1, "phone": 2}', "duplicate_key"),
        (b'{"consent": {"page": 1, "page": 2}}', "duplicate_key"),
        (b'{"phone": "\xff"}', "not_utf8"),
        (b"[" * 4000, "not_json"),
        (b'{"a": ' * 500 + b"1" + b"}" * 500, "field_unknown"),
        (b'{"phone": ' + b"9" * 4001, "not_json"),
        (b'\xef\xbb\xbf{"phone": 1}', "not_json"),
    ],
)
async def test_a_hostile_body(api: Place, shop: dict[str, str], body: bytes, code: str) -> None:
    answer = await api.client.post("/v1/callbacks", content=body, headers={**shop, **JSON})
    if code == "field_unknown":
        problem(answer, 422, code)
    else:
        problem(answer, 400, code, "body")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/jsonp"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_a_body_of_another_kind(api: Place, shop: dict[str, str], headers: dict[str, str]) -> None:
    answer = await api.client.post("/v1/callbacks", content=b"{}", headers={**shop, **headers})
    assert problem(answer, 415, answer.json()["code"], answer.json()["field"])["code"] in {
        "media_type",
        "content_encoding",
    }


async def test_a_body_that_is_too_long_is_not_read(api: Place, shop: dict[str, str]) -> None:
    whole = await api.client.post("/v1/callbacks", content=b" " * (MAX_BODY + 1), headers={**shop, **JSON})
    problem(whole, 413, "too_large")

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 1000

    in_parts = await api.client.post("/v1/callbacks", content=parts(), headers={**shop, **JSON})
    problem(in_parts, 413, "too_large")


async def test_a_body_that_does_not_come(api: Place, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_BODY_WITHIN", 0.05)
    told = await raw(api, post(shop, b"Content-Length: 10\r\n") + b"{")
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"timeout"' in told


async def test_who_goes_away_in_the_middle_of_a_body_is_no_bug_of_ours(api: Place, shop: dict[str, str]) -> None:
    with capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", api.client.base_url.port)
        writer.write(post(shop, b"Content-Length: 10\r\n") + b"{")
        await writer.drain()
        assert (await api.client.get("/healthz", headers=shop)).status_code == 200  # by then the head was read
        writer.close()
        await writer.wait_closed()
        assert (await api.client.get("/healthz", headers=shop)).status_code == 200
    assert logs == []


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\r\n\r\nhello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 40_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http(api: Place, bytes_: bytes) -> None:
    head, _, body = (await raw(api, bytes_)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "not_http"


async def test_a_bug_is_told_without_what_it_held(
    api: Place, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise ValueError("+442079460123 is Zoe's")

    monkeypatch.setattr(api.daemon, "taken_in", broken)
    answer = await api.client.post("/v1/callbacks", json={"department": "care", "phone": api.number()}, headers=shop)
    problem(answer, 500, "internal")
    shown = "".join(capfd.readouterr())
    assert "api.failed" in shown
    assert "ValueError" in shown
    assert "Zoe" not in shown + answer.text
    assert "+4420" not in shown + answer.text


async def test_a_store_that_fails_is_told_and_nothing_is_promised(tmp_path: Path) -> None:
    async with place(tmp_path) as api:
        headers = await api.as_()
        (tmp_path / "dialer.db").rename(tmp_path / "gone.db")
        body = {"department": "care", "phone": api.number()}
        answer = await api.client.post("/v1/callbacks", json=body, headers=headers)
        problem(answer, 503, "store")
        assert answer.headers["retry-after"] == "5"
        problem(await api.client.get("/readyz"), 503, "store")
        (tmp_path / "gone.db").rename(tmp_path / "dialer.db")
        assert (await api.client.post("/v1/callbacks", json=body, headers=headers)).status_code == 201


async def test_health(api: Place) -> None:
    assert (await api.client.get("/healthz")).json() == {"status": "ok"}
    assert (await api.client.get("/readyz")).json() == {"status": "ok"}
    api.daemon.pbx = False
    problem(await api.client.get("/readyz"), 503, "pbx")
    api.daemon.pbx = True


async def test_the_documentation_needs_nothing_from_elsewhere(api: Place) -> None:
    page = await api.client.get("/docs")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert 'src="' not in page.text
    document = (await api.client.get("/openapi.json")).json()
    for path in document["paths"]:
        assert path in page.text
    assert {path.partition("/")[2] for path in document["paths"]} >= {"v1/callbacks", "healthz", "readyz"}


async def test_the_documentation_is_made_beside_the_loop_and_once() -> None:
    """Making it takes a twentieth of a second and more, in which no call could be begun."""
    makers = []

    class Described(FastAPI):
        def openapi(self) -> dict[str, object]:
            makers.append(threading.current_thread())
            return super().openapi()

    app, documents = Described(), Documents()
    app.add_api_route("/", lambda: None, response_model=ProblemBody)
    first, second = await asyncio.gather(documents.of(app), documents.of(app))
    assert first is second
    (maker,) = makers
    assert maker is not threading.current_thread()


def post(headers: dict[str, str], more: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **JSON}.items())
    return b"POST /v1/callbacks HTTP/1.1\r\nHost: a\r\n" + lines.encode() + more + b"\r\n"


async def raw(api: Place, sent: bytes) -> bytes:
    """All that the server says to these bytes."""
    url = httpx.URL(api.client.base_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
