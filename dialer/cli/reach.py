"""A PBX, reached by the daemon's own gateway for the length of a command."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import structlog

from dialer.ami.config import AmiConfig
from dialer.ami.gateway import Gateway
from dialer.ami.session import Session
from dialer.domain.errors import LinkDown
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId
from dialer.engine.ports import DeviceState
from dialer.settings import Settings
from dialer.settings.access import ami_config

_WITHIN = 10.0
"""Seconds from the login to a PBX that can be asked."""


class _Up:
    """A sink that waits for one thing only."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def pbx_up(self, pbx: str, boot: str) -> None:
        del pbx, boot
        self.came.set()

    def pbx_down(self, pbx: str, reason: str) -> None:
        """Whoever asks next is told."""

    def attempt_event(self, attempt: AttemptId, event: Event) -> None:
        """The running daemon's business."""

    def device_state(self, pbx: str, device: str, state: DeviceState) -> None:
        """As above."""

    def called_in(self, pbx: str, trunk: str, number: str) -> None:
        """As above."""


@contextlib.asynccontextmanager
async def reached(settings: Settings, name: str) -> AsyncIterator[Gateway]:
    """The PBX `name` with a session up. Raises `ConfigurationError` or a `PbxError`: why there is none."""
    config = replace(ami_config(settings, name), boot_timeout=_WITHIN)
    # What a command has to say it says itself.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    await _knock(config)
    sink = _Up()
    gateway = Gateway(config, (), sink, Random())  # noqa: S311  # spreads pauses, keeps no secret
    running = asyncio.create_task(gateway.run())
    up = asyncio.create_task(sink.came.wait())
    try:
        await asyncio.wait((running, up), timeout=_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        if not up.done():
            what = f"it takes our login, but could not be worked with within {_WITHIN:g} s"
            raise LinkDown(what, where=f"PBX {name}", remedy="see: dialer doctor")
        yield gateway
    finally:
        for task in (running, up):
            task.cancel()
        await asyncio.wait((running, up))


async def _knock(config: AmiConfig) -> None:
    """Log in once: a gateway tries again and again, and tells nobody why. Raises a `PbxError`."""
    session = Session(config, {})
    try:
        await session.open()
    finally:
        session.close()
