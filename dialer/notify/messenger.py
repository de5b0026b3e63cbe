"""The messenger: plans what a change has to tell the visitor, and has sent what is due."""

import asyncio
from collections.abc import Mapping

from dialer.domain.callback import Status
from dialer.domain.errors import StoreError
from dialer.notify.carrier import Carrier, World
from dialer.notify.messages import Channel, Messages
from dialer.notify.outbox import Change
from dialer.notify.planner import permitted, plan
from dialer.notify.pump import NotDelivered
from dialer.notify.ways import Voice, Way

_TELLS_NOTHING = frozenset({Status.IN_PROGRESS, Status.NEEDS_REVIEW})


class Messenger:
    """`deliver` is told each change by the outbox; `run` sends what is due. `voices`: every site's, by its id."""

    def __init__(
        self, messages: Messages, voices: Mapping[str, Voice], ways: Mapping[Channel, Way], world: World
    ) -> None:
        self._messages = messages
        self._voices = voices
        self._carriers = {channel: Carrier(channel, way, messages, voices, world) for channel, way in ways.items()}
        self._callbacks = world.callbacks

    async def deliver(self, change: Change) -> None:
        """Plan the messages that follow from a change; telling it again changes nothing. Raises `NotDelivered`."""
        voice = self._voices.get(change.site)
        if change.status in _TELLS_NOTHING or voice is None:
            return
        try:
            await self._plan(change, voice)
        except StoreError as error:
            raise NotDelivered("the store could not be read or written") from error

    async def _plan(self, change: Change, voice: Voice) -> None:
        callback = await self._callbacks.get(change.callback)
        if callback is None:
            return
        before = await self._messages.of(change.callback)
        if not before and not permitted(callback.visitor, voice.manner):
            return
        objected = await self._callbacks.objected(callback.visitor.phone)
        planned = plan(change, callback, before, voice.site, voice.manner, objected=objected)
        if planned.new or planned.drop:
            await self._messages.plan(planned)
            self.wake()

    def wake(self) -> None:
        """Something may be due."""
        for carrier in self._carriers.values():
            carrier.wake()

    def stop(self) -> None:
        """Let `run` return as soon as what is being sent has its end."""
        for carrier in self._carriers.values():
            carrier.stop()

    async def run(self) -> None:
        """Send what is due, until stopped."""
        async with asyncio.TaskGroup() as tasks:
            for channel, carrier in self._carriers.items():
                tasks.create_task(carrier.run(), name=f"messages by {channel}")
