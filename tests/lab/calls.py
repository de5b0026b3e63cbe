"""The far end's own call records: the independent witness of who was rung, and how often."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.lab.config import CDR_TEXTS, CDR_TIMES


@dataclass(frozen=True)
class FarCall:
    """One INVITE that reached the far end, or left it, complete once the call has ended. Texts are as received."""

    who: str  # "agent", "customer", or "caller": who called in
    dialled: str  # the agent's name, the customer's number, or the extension called
    caller_number: str
    caller_name: str
    callback_id: str  # X-Mi-Callback-Id
    page: str  # X-Mi-Page
    department: str  # X-Mi-Department
    disposition: str  # "ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"
    hung_up: bool  # whether this phone ended the call, rather than the PBX
    uniqueid: str
    start: datetime
    answer: datetime | None
    end: datetime
    duration: float  # seconds since the start
    billsec: float  # seconds since the answer
    link: str = ""  # Call-Info


def read_calls(path: Path) -> list[FarCall]:
    """Every call that has ended, in the order of its end."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as handle:
        width = len(CDR_TEXTS) + len(CDR_TIMES)
        return [_call(row) for row in csv.reader(handle) if len(row) == width]


def _call(row: list[str]) -> FarCall:
    texts = dict(zip(CDR_TEXTS, row, strict=False))
    times = {name: float(text or 0) for name, text in zip(CDR_TIMES, row[len(CDR_TEXTS) :], strict=True)}
    return FarCall(
        who=texts["who"],
        dialled=texts["dialled"],
        caller_number=texts["cid_num"],
        caller_name=texts["cid_name"],
        callback_id=texts["callback_id"],
        page=_rejoined(texts["page1"], texts["page2"], texts["page3"]),
        department=texts["department"],
        disposition=texts["disposition"],
        hung_up=texts["ended_by"] == "phone",
        uniqueid=texts["uniqueid"],
        start=datetime.fromtimestamp(times["start"], UTC),
        answer=datetime.fromtimestamp(times["answer"], UTC) if times["answer"] else None,
        end=datetime.fromtimestamp(times["end"], UTC),
        duration=times["duration"],
        billsec=times["billsec"],
        link=_rejoined(texts["link1"], texts["link2"]),
    )


def _rejoined(*pieces: str) -> str:
    """Text that was cut by bytes, perhaps within a character."""
    return "".join(pieces).encode(errors="surrogateescape").decode(errors="surrogateescape")
