"""A scripted manager on loopback for what a healthy Asterisk never does, and a sink that can be waited on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from dialer.ami.config import AmiConfig, TlsConfig
from dialer.ami.messages import DIALPLAN_VERSION
from dialer.domain.events import Event
from dialer.domain.ids import AttemptId
from dialer.engine.ports import DeviceState

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"
IDENTITY = "01HZXW0000000000000000000D"
PATIENCE = 5.0  # seconds until a test that waits has failed

Action = Mapping[str, str]
Answer = Callable[[Action], bytes | None]


def reply(action: Action, response: str = "Success", **headers: str) -> bytes:
    lines = {"Response": response, "ActionID": action["ActionID"], **headers}
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n"


def event(name: str, **headers: str) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in {"Event": name, **headers}.items()).encode() + b"\r\n"


def listed(complete: str, *items: bytes) -> Answer:
    return lambda action: b"".join(
        [reply(action, EventList="start"), *items, event(complete, ActionID=action["ActionID"], EventList="Complete")]
    )


def stored(value: str) -> Answer:
    """The answer to every question for a key of the database."""

    def answer(action: Action) -> bytes:
        about = {"ActionID": action["ActionID"]}
        return reply(action) + event("DBGetResponse", Val=value, **about) + event("DBGetComplete", **about)

    return answer


def entry(answer: Answer) -> Answer:
    """The answer to a question for an attempt's key; the database has its identity."""
    return lambda action: (stored(IDENTITY) if action["Key"] == "identity" else answer)(action)


def refuse(text: str) -> Answer:
    return lambda action: reply(action, "Error", Message=text)


def silence(_: Action) -> None:
    return None


class Scripted:
    """Answers like an Asterisk with the right dialplan; `answers` replaces what single actions get."""

    def __init__(self, banner: bytes = BANNER, **answers: Answer) -> None:
        self.banner = banner
        self.answers: dict[str, Answer] = {
            "Challenge": lambda action: reply(action, Challenge="42"),
            "Login": lambda action: reply(action) + BOOTED,
            "Filter": lambda action: reply(action, "Error" if "probe" in action["MatchCriteria"] else "Success"),
            "Getvar": lambda action: reply(action, Value=DIALPLAN_VERSION),
            "CoreStatus": lambda action: reply(action, CoreStartupDate="2026-03-01", CoreStartupTime="12:00:00"),
            "DBGet": stored(IDENTITY),
            "DeviceStateList": listed("DeviceStateListComplete"),
            "CoreShowChannels": listed("CoreShowChannelsComplete"),
            **answers,
        }
        self.seen: Counter[str] = Counter()
        self.received: asyncio.Queue[Action] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None] | None] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*filter(None, self._sessions))
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def config(self, *, tls: TlsConfig | None = None) -> AmiConfig:
        """Impatient, so that faults show at once."""
        return AmiConfig(
            name="lab",
            host="127.0.0.1",
            port=self.port,
            username="mi-dialer",
            secret="opensesame",
            tls=tls,
            connect_timeout=0.3,
            action_timeout=0.3,
            boot_timeout=0.3,
            ping_interval=0.05,
            backoff_first=0.01,
            backoff_cap=0.02,
            slow_retry=0.03,
        )

    def say(self, data: bytes) -> None:
        """Send to the latest session."""
        self.writers[-1].write(data)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self.writers:
            writer.transport.abort()

    def forget(self) -> None:
        """Drop the actions that nobody has asked for."""
        self.received = asyncio.Queue()

    async def until(self, name: str) -> Action:
        """The next action of that name."""
        async with asyncio.timeout(PATIENCE):
            while (action := await self.received.get())["Action"] != name:
                pass
        return action

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sessions.add(asyncio.current_task())
        self.writers.append(writer)
        writer.write(self.banner)
        try:
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in block.split("\r\n") if line)
                self.seen[action["Action"]] += 1
                self.received.put_nowait(action)
                answer = self.answers.get(action["Action"], reply)(action)
                if answer is not None:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@dataclass
class Sink:
    """Keeps what a gateway tells, and lets a test wait for it."""

    told: list[tuple[object, ...]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def pbx_up(self, pbx: str, boot: str) -> None:
        self._tell("up", pbx, boot)

    def pbx_down(self, pbx: str, reason: str) -> None:
        self._tell("down", pbx, reason)

    def attempt_event(self, attempt: AttemptId, event: Event) -> None:
        self._tell(attempt, event)

    def device_state(self, pbx: str, device: str, state: DeviceState) -> None:
        self._tell(pbx, device, state)

    def called_in(self, pbx: str, trunk: str, number: str) -> None:
        self._tell("called in", pbx, trunk, number)

    def count(self, what: object) -> int:
        return sum(entry[0] == what for entry in self.told)

    async def until(self, true: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until something told makes it true."""
        async with asyncio.timeout(patience):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def _tell(self, *entry: object) -> None:
        self.told.append(entry)
        self._changed.set()


@asynccontextmanager
async def running(work: Coroutine[object, object, None]) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is cancelled at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
