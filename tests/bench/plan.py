"""What both contestants are given, and what they hand back: JSON over a pipe, so that each is its own process."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class Job:
    """Place `calls` at `rate` a second (0: as fast as agents are free), each to a number of its own, the first at
    `start` and none from `until` on (epoch seconds). `page` is the agents' page on a callback, with `{id}` in the place
    of its id."""

    host: str
    port: int
    username: str
    secret: str
    trunk: str
    agents: list[str]
    numbers: list[str]
    calls: int
    rate: float
    start: float
    until: float
    page: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def due(self, index: int) -> float:
        """When the call of this index is due (epoch seconds)."""
        return self.start + (index / self.rate if self.rate else 0.0)


@dataclass(frozen=True)
class Result:
    """What came of a job. `faults`: what each attempt that did not connect was. `ends` are epoch
    seconds of each call's end; `cpu` seconds; lateness in seconds."""

    calls: int
    faults: list[str]
    ends: list[float]
    cpu: float
    lateness: list[float]
    messages: int = 0
    device_messages: int = 0
    raw_lateness: list[float] | None = None
    rss_mb: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def throughput(self) -> float:
        """Calls a second in the middle of the run, when filling up and running dry do not count."""
        ends = sorted(self.ends)
        first, last = len(ends) // 5, len(ends) * 4 // 5
        return (last - first) / (ends[last] - ends[first])


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]
