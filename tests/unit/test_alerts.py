"""Alerts: said once until they clear, in the log, in a metrics file, and to a real web server."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from dialer.alerts import Alerts
from dialer.engine.ports import AlertKind
from tests.lab.certificates import make_certificates
from tests.lab.waiting import until

TRUNK = (AlertKind.TRUNK_RESTS, "carrier", "trunk carrier keeps failing", "ask the carrier")


class Receiver(ThreadingHTTPServer):
    """Answers with each of `answers` in turn, the last one for ever; keeps what it took."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.taken: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=s3cret"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if answer == 200:
            self.server.taken.append(content)
        self.send_response(answer)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: it would go to the terminal."""


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    with Receiver(*getattr(request, "param", (200,))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_an_alert_is_said_once_until_it_clears() -> None:
    alerts = Alerts()
    with capture_logs() as logs:
        alerts.cleared(AlertKind.TRUNK_RESTS, "carrier")
        for _ in range(3):
            alerts.raised(*TRUNK)
        alerts.raised(AlertKind.TRUNK_RESTS, "spare", "another", "the same")
        alerts.cleared(AlertKind.TRUNK_RESTS, "carrier")
        alerts.raised(*TRUNK)
    assert [(line["event"], line["key"]) for line in logs] == [
        ("alert.raised", "carrier"),
        ("alert.raised", "spare"),
        ("alert.cleared", "carrier"),
        ("alert.raised", "carrier"),
    ]
    assert (logs[0]["what"], logs[0]["remedy"]) == TRUNK[2:]


async def test_the_metrics_file_holds_what_stands(tmp_path: Path) -> None:
    file = tmp_path / "dialer.prom"
    alerts = Alerts(metrics_file=file)
    async with alerts.delivering():
        assert "dialer_alert{" not in file.read_text()
        alerts.raised(*TRUNK)
        assert 'dialer_alert{key="carrier",kind="trunk_rests"} 1.0' in file.read_text()
        alerts.cleared(AlertKind.TRUNK_RESTS, "carrier")
        assert "dialer_alert{" not in file.read_text()


def test_a_metrics_file_that_cannot_be_written_is_said_once_and_costs_nothing(tmp_path: Path) -> None:
    alerts = Alerts(metrics_file=tmp_path / "nowhere" / "dialer.prom")
    with capture_logs() as logs:
        alerts.raised(*TRUNK)
        alerts.cleared(AlertKind.TRUNK_RESTS, "carrier")
    assert [line["event"] for line in logs] == ["alert.raised", "alert.metrics_not_written", "alert.cleared"]


async def test_the_webhook_hears_of_both_in_order(receiver: Receiver) -> None:
    alerts = Alerts(receiver.url)
    async with alerts.delivering():
        alerts.raised(*TRUNK)
        alerts.cleared(AlertKind.TRUNK_RESTS, "carrier")
        await until(lambda: len(receiver.taken) == 2)
    raised, cleared = receiver.taken
    assert (raised["alert"], cleared["alert"]) == ("raised", "cleared")
    assert (raised["kind"], raised["key"], raised["what"], raised["remedy"]) == TRUNK
    assert raised["since"] == cleared["since"]


@pytest.mark.parametrize("receiver", [(503, 200)], indirect=True)
async def test_a_webhook_that_fails_is_tried_again(receiver: Receiver) -> None:
    async with (alerts := Alerts(receiver.url)).delivering():
        alerts.raised(*TRUNK)
        await until(lambda: len(receiver.taken) == 1)


@pytest.mark.parametrize("receiver", [(302,)], indirect=True)
async def test_a_webhook_that_never_takes_it_is_given_up_in_one_line_without_its_address(
    receiver: Receiver,
) -> None:
    with capture_logs() as logs:
        async with (alerts := Alerts(receiver.url, tries=1)).delivering():
            alerts.raised(*TRUNK)
            await until(lambda: any(line["event"] == "alert.not_sent" for line in logs))
    (line,) = [line for line in logs if line["event"] == "alert.not_sent"]
    assert line["why"] == "it answered 302"
    assert "s3cret" not in str(logs)


async def test_an_address_that_is_no_name_is_said_and_the_next_alert_is_tried_all_the_same() -> None:
    with capture_logs() as logs:
        async with (alerts := Alerts("http://xn--zz/?token=s3cret", tries=1)).delivering():
            alerts.raised(*TRUNK)
            alerts.cleared(AlertKind.TRUNK_RESTS, "carrier")
            await until(lambda: sum(line["event"] == "alert.not_sent" for line in logs) == 2)
    assert "s3cret" not in str(logs)


_HEAD = b"HTTP/1.1 200 OK\r\n"


@contextlib.asynccontextmanager
async def _answering(first: bytes, for_ever: bytes) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of one who takes each message, and what is set when a connection that was answered so has ended."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"}")
            writer.write(first)
            while not reader.at_eof():
                writer.write(for_ever)
                await writer.drain()
                await asyncio.sleep(0.01)
        ended.set()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", ended


async def test_a_webhook_s_answer_is_not_read_however_long_it_is() -> None:
    """One without an end filled the memory of a daemon within seconds."""
    endless = _answering(_HEAD + b"Content-Length: 100000000000\r\n\r\n", b"x" * 100_000)
    with capture_logs() as logs:
        async with endless as (url, ended), (alerts := Alerts(url, tries=1)).delivering():
            alerts.raised(*TRUNK)
            await asyncio.wait_for(ended.wait(), 10)
    assert [line["event"] for line in logs] == ["alert.raised"]


async def test_a_webhook_that_never_comes_to_the_end_of_its_head_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dialer.alerts._WITHIN", 0.3)
    with capture_logs() as logs:
        async with _answering(_HEAD, b"a: b\r\n") as (url, _), (alerts := Alerts(url, tries=1)).delivering():
            alerts.raised(*TRUNK)
            await until(lambda: logs[-1]["event"] == "alert.not_sent")
    assert logs[-1]["why"] == "no answer within 0.3 s"


async def test_tls_that_breaks_off_does_not_end_the_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the handshake is none of TLS: the library passes that on as it is."""
    made = make_certificates(tmp_path)
    monkeypatch.setattr("certifi.where", lambda: str(made.ca))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.key)
    with socket.create_server(("127.0.0.1", 0)) as listening, capture_logs() as logs:

        def answer() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1000)
                    with socket.socket(fileno=os.dup(tls.fileno())) as plain:
                        plain.sendall(b"rubbish, and no record of TLS")

        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        async with (alerts := Alerts(url, tries=1)).delivering():
            answering = asyncio.create_task(asyncio.to_thread(answer))
            alerts.raised(*TRUNK)
            alerts.cleared(*TRUNK[:2])
            await until(lambda: sum(line["event"] == "alert.not_sent" for line in logs) == 2)
            await answering


def test_an_endless_row_of_alerts_is_bounded() -> None:
    alerts = Alerts("http://127.0.0.1:9/")
    with capture_logs() as logs:
        for number in range(1001):
            alerts.raised(AlertKind.AGENT_PAUSED, f"agent-{number}", "paused", "resume")
    assert [line["key"] for line in logs if line["event"] == "alert.not_sent"] == ["agent-1000"]
