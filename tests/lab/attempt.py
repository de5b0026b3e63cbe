"""One attempt as the daemon will place it: the Originate, spelled out once for all tests of the dialplan."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Self

from ulid import ULID

from tests.lab.ami import AmiClient, Message


@dataclass(frozen=True)
class Attempt:
    """An attempt to place: ``headers`` go on the agent's INVITE, ``variables`` override the defaults (None: drop)."""

    agent: str
    number: str
    caller_id: str = '"Sales: Maria" <+441614960001>'
    cli: str = "+442079460000"
    timeout_ms: int = 20000
    variables: tuple[tuple[str, str | None], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    id: str = field(default_factory=lambda: f"mi-{ULID()}")

    def fields(self) -> list[tuple[str, str]]:
        """The Originate's headers, without an ActionID."""
        variables: dict[str, str | None] = {
            "CHANNEL(hangup_handler_push)": f'"mi-end,s,1({self.id})"',
            "MI_BY": str(int(time.time()) + 60),
            "MI_TRUNK": "mi-trunk",
            "MI_CLI": self.cli,
            "MI_RING": "15",
            "MI_WHISPER": "beep",
        }
        variables |= dict(self.variables)
        variables |= {f"PJSIP_HEADER(add,{name})": value for name, value in self.headers}
        return [
            ("Channel", f"PJSIP/{self.agent}"),
            ("ChannelId", self.id),
            ("Context", "mi-agent"),
            ("Exten", self.number),
            ("Priority", "1"),
            ("Async", "true"),
            ("Timeout", str(self.timeout_ms)),
            ("CallerID", self.caller_id),
            *(("Variable", f"{name}={value}") for name, value in variables.items() if value is not None),
        ]

    async def originate(self, client: AmiClient, run: int = 1) -> Message:
        """Send it; the response. ``run`` keeps the ActionIDs of replays apart."""
        return await client.action("Originate", ("ActionID", f"{self.id}-{run}"), *self.fields())

    async def ended(self, client: AmiClient, within: float = 20.0) -> str:
        """The text of its MiEnd event, waited for as many seconds."""
        event = await client.event(
            lambda event: event["UserEvent"] == "MiEnd" and event["Attempt"] == self.id, within=within
        )
        return event["Record"]


@dataclass(frozen=True)
class Ended:
    """A final record of the journal, taken apart. Times are epoch milliseconds."""

    ended_ms: int
    step: str
    answered_ms: int | None
    why: str
    dial_status: str
    cause: str
    who: str
    rang: str
    sip: str

    @classmethod
    def parse(cls, record: str) -> Self:
        """From its text; raises ValueError unless it is exactly a final record."""
        kind, ended, step, answered, why, dial_status, cause, who, rang, sip = record.split("|")
        if kind != "ended":
            raise ValueError(record)
        return cls(int(ended), step, int(answered) if answered else None, why, dial_status, cause, who, rang, sip)

    @property
    def talk_seconds(self) -> float | None:
        """From the customer's answer to the end; None when nobody answered."""
        return None if self.answered_ms is None else (self.ended_ms - self.answered_ms) / 1000
