"""Alerts: said once until they clear, in the log, in a metrics file, and to a real web server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from dialer.alerts import Alerts
from dialer.engine.ports import AlertKind
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


def test_an_endless_row_of_alerts_is_bounded() -> None:
    alerts = Alerts("http://127.0.0.1:9/")
    with capture_logs() as logs:
        for number in range(1001):
            alerts.raised(AlertKind.AGENT_PAUSED, f"agent-{number}", "paused", "resume")
    assert [line["key"] for line in logs if line["event"] == "alert.not_sent"] == ["agent-1000"]
