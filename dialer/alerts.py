"""Alerts: what a person should look at, said once until it clears, each with its cause and its remedy.

The one place for them: a log line, a metric in a Prometheus text file, and, where one is configured, a webhook.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import stamina
import structlog
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from dialer.engine.ports import AlertKind

log = structlog.get_logger()

_WITHIN = 10.0
"""Seconds for one delivery of the webhook."""

_TRIES = 8
"""Deliveries tried of one message, with growing pauses: some minutes."""

_MOST_WAITING = 1000
_MULTIPLE_CHOICES = 300


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong; `key` is the id of what it is about. Holds nothing personal."""

    kind: AlertKind
    key: str
    what: str
    remedy: str
    since: datetime


class Alerts:
    """What is wrong now. `raised` and `cleared` neither wait nor raise; the rest happens behind them."""

    def __init__(self, webhook: str | None = None, metrics_file: Path | None = None, *, tries: int = _TRIES) -> None:
        self._webhook = webhook
        self._tries = tries
        self._metrics_file = metrics_file
        self._standing: dict[tuple[AlertKind, str], Alert] = {}
        self._registry = CollectorRegistry()
        self._gauge = Gauge("dialer_alert", "1 while an alert stands.", ("kind", "key"), registry=self._registry)
        self._queue: asyncio.Queue[dict[str, object]] = asyncio.Queue(_MOST_WAITING)
        self._file_failed = False

    def raised(self, kind: AlertKind, key: str, what: str, remedy: str) -> None:
        """Something is wrong. Said once: until it clears, saying it again changes nothing."""
        if (kind, key) in self._standing:
            return
        alert = self._standing[kind, key] = Alert(kind, key, what, remedy, datetime.now(UTC))
        log.error("alert.raised", kind=kind.value, key=key, what=what, remedy=remedy)
        self._tell(alert, standing=True)

    def cleared(self, kind: AlertKind, key: str) -> None:
        """It is right again, if it was wrong."""
        alert = self._standing.pop((kind, key), None)
        if alert is None:
            return
        log.warning("alert.cleared", kind=kind.value, key=key, what=alert.what)
        self._tell(alert, standing=False)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Send what is told to the webhook, in order, while inside."""
        self._write_metrics()
        if self._webhook is None:
            yield
            return
        sending = asyncio.create_task(self._send_all(self._webhook), name="alerts")
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.wait((sending,))

    def _tell(self, alert: Alert, *, standing: bool) -> None:
        if standing:
            self._gauge.labels(alert.kind.value, alert.key).set(1)
        else:
            self._gauge.remove(alert.kind.value, alert.key)
        self._write_metrics()
        if self._webhook is None:
            return
        try:
            self._queue.put_nowait(_message(alert, standing=standing))
        except asyncio.QueueFull:
            log.warning("alert.not_sent", kind=alert.kind.value, key=alert.key, why="too many wait for the webhook")

    def _write_metrics(self) -> None:
        if self._metrics_file is None:
            return
        try:
            write_to_textfile(str(self._metrics_file), self._registry)
            self._file_failed = False
        except OSError as error:
            if not self._file_failed:
                log.warning("alert.metrics_not_written", file=str(self._metrics_file), why=error.strerror)
            self._file_failed = True

    async def _send_all(self, webhook: str) -> None:
        async with httpx.AsyncClient(timeout=_WITHIN, follow_redirects=False, trust_env=False) as client:
            while True:
                message = await self._queue.get()
                try:
                    await self._send(client, webhook, message)
                except (*_FAILED, UnicodeError) as error:
                    why = str(error) if isinstance(error, _Refused) else type(error).__name__
                    log.warning("alert.not_sent", kind=message["kind"], key=message["key"], why=why)

    async def _send(self, client: httpx.AsyncClient, webhook: str, message: dict[str, object]) -> None:
        async for again in stamina.retry_context(on=_FAILED, attempts=self._tries, timeout=None, wait_max=60.0):
            with again:
                await _post(client, webhook, message)


class _Refused(Exception):
    """The webhook answered, but not with a 2xx, or not in time."""


# OSError: of TLS that breaks off behind its handshake, which the library passes on as it is.
_FAILED = (httpx.HTTPError, OSError, _Refused)


async def _post(client: httpx.AsyncClient, webhook: str, message: dict[str, object]) -> None:
    """Deliver a message. Of the answer only the status is read: the rest may have no end."""
    try:
        async with asyncio.timeout(_WITHIN), client.stream("POST", webhook, json=message) as answer:
            status = answer.status_code
    except TimeoutError:
        raise _Refused(f"no answer within {_WITHIN:g} s") from None
    if status >= _MULTIPLE_CHOICES:
        raise _Refused(f"it answered {status}")


def _message(alert: Alert, *, standing: bool) -> dict[str, object]:
    return {
        "alert": "raised" if standing else "cleared",
        "kind": alert.kind.value,
        "key": alert.key,
        "what": alert.what,
        "remedy": alert.remedy,
        "since": alert.since.isoformat(),
    }
