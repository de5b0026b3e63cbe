"""A minimal asynchronous AMI client for tests: shares no code with the daemon's, keeps every byte it reads."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.lab.lab import AmiAccess

TIMEOUT = 10.0  # seconds
_serial = itertools.count(1)


@dataclass(frozen=True)
class Message:
    """One response or event."""

    raw: bytes
    headers: tuple[tuple[str, str], ...]

    def __getitem__(self, key: str) -> str:
        return next((value for name, value in self.headers if name == key), "")

    @property
    def name(self) -> str:
        """The event's name, or ``Response``."""
        return self["Event"] or "Response"


class AmiClient:
    """One session. ``events`` holds every event so far, ``raw`` every byte after the login."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._changed = asyncio.Event()
        self.events: list[Message] = []
        self.raw = bytearray()
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, access: AmiAccess, *, tls: bool = False) -> Self:
        """Connect and log in; raises ConnectionError when refused."""
        context = ssl.create_default_context(cafile=str(access.ca_file)) if tls else None
        port = access.tls_port if tls else access.port
        reader, writer = await asyncio.open_connection(access.host, port, ssl=context, limit=1 << 20)
        await reader.readline()  # the banner
        client = cls(reader, writer)
        answer = await client.action("Login", ("Username", access.username), ("Secret", access.secret))
        if answer["Response"] != "Success":
            await client.close()
            raise ConnectionError(answer["Message"])
        await client.event(lambda event: event.name == "FullyBooted")
        client.events.clear()
        client.raw.clear()
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session."""
        self._task.cancel()
        self._writer.close()
        await asyncio.gather(self._task, return_exceptions=True)

    async def action(self, name: str, *headers: tuple[str, str]) -> Message:
        """Send one action; its response. An ``ActionID`` among the headers is kept."""
        action_id = next((value for key, value in headers if key == "ActionID"), f"lab-{next(_serial)}")
        lines = [("Action", name), *(header for header in headers if header[0] != "ActionID"), ("ActionID", action_id)]
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[action_id] = answer
        self._writer.write(("".join(f"{key}: {value}\r\n" for key, value in lines) + "\r\n").encode())
        try:
            return await asyncio.wait_for(answer, TIMEOUT)
        finally:
            del self._answers[action_id]

    async def include(self, criteria: str, value: str = "") -> None:
        """Add a filter, such as ``name(Hangup),header(Uniqueid),method(starts_with)`` with the value ``mi-``."""
        headers = (("Operation", "Add"), ("MatchCriteria", f"action(include),{criteria}"), ("Filter", value))
        answer = await self.action("Filter", *headers)
        if answer["Response"] != "Success":
            raise ValueError(f"{criteria}: {answer['Message']}")

    async def event(self, wanted: Callable[[Message], bool], within: float = TIMEOUT) -> Message:
        """The first event, past or future, that is wanted; raises TimeoutError after ``within`` seconds."""
        seen = 0
        async with asyncio.timeout(within):
            while True:
                for event in self.events[seen:]:
                    if wanted(event):
                        return event
                seen = len(self.events)
                self._changed.clear()
                await self._changed.wait()

    async def journal(self, attempt: str, family: str = "mi") -> str:
        """The text under a key of AstDB, or an empty one."""
        answer = await self.action("DBGet", ("Family", family), ("Key", attempt))
        if answer["Response"] != "Success":
            return ""
        wanted = ("DBGetResponse", answer["ActionID"])
        return (await self.event(lambda event: (event.name, event["ActionID"]) == wanted))["Val"]

    async def _read(self) -> None:
        while True:
            block = await self._reader.readuntil(b"\r\n\r\n")
            self.raw += block
            lines = block.decode(errors="surrogateescape").split("\r\n")[:-2]
            pairs = (line.partition(":") for line in lines)
            message = Message(block, tuple((key, value.removeprefix(" ")) for key, _, value in pairs))
            answer = self._answers.get(message["ActionID"])
            if "Event" in dict(message.headers):
                self.events.append(message)
                self._changed.set()
            elif answer is not None and not answer.done():
                answer.set_result(message)
