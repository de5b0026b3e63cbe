"""`python -m tests.load.submitter`: submissions over a few connections, one after the other on each, for some seconds;
a process of its own. What to do comes as JSON on stdin, what came of it goes as JSON to stdout.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Self

WARM_UP = 1.0  # seconds that are not counted


@dataclass(frozen=True)
class Work:
    """Each number once in each department. `rate`: submissions a second of all connections, as far as answers come."""

    port: int
    key: str
    departments: list[str]
    numbers: list[str]
    at: str
    connections: int
    seconds: float
    rate: float

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


@dataclass
class Answers:
    """Seconds from a request to its answer, and how many answers were none of 201."""

    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


async def submit(work: Work) -> Answers:
    """Do it."""
    answers, start, nth = Answers(), time.monotonic(), count()
    until = start + WARM_UP + work.seconds

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", work.port)
        while time.monotonic() < until:
            number = next(nth)
            if number >= len(work.numbers) * len(work.departments):
                break
            await asyncio.sleep(max(0.0, start + number / work.rate - time.monotonic()))
            sent = time.monotonic()
            writer.write(_request(work, number))
            status = await _answered(reader)
            now = time.monotonic()
            if sent >= start + WARM_UP:
                answers.latencies.append(now - sent)
                answers.seconds = now - start - WARM_UP
                answers.errors += status != 201
        writer.close()

    await asyncio.gather(*(connection() for _ in range(work.connections)))
    return answers


def _request(work: Work, nth: int) -> bytes:
    department, number = divmod(nth, len(work.numbers))
    asked = {"department": work.departments[department], "phone": work.numbers[number], "name": "Jane", "at": work.at}
    body = json.dumps(asked).encode()
    head = (
        f"POST /v1/callbacks HTTP/1.1\r\nHost: dialer\r\nAuthorization: Bearer {work.key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: load-{nth}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answered(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split(b" ", 2)[1])


if __name__ == "__main__":
    print(asyncio.run(submit(Work.from_json(sys.stdin.read()))).to_json())
