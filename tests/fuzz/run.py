"""Runs of schemathesis over the whole description of the API, against the real daemon's process and store."""

import asyncio
import contextlib
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.faults import failing
from tests.fuzz.report import Judged
from tests.rig import API, Department, Piped, detached

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
BY_FORM = ",".join(CHECKS[1:])
AN_OPERATION = 200
"""Cases of each operation in one round, beside those that cover its parameters' bounds."""
DEPARTMENTS = (
    Department("sales", ["anna"]),
    Department("mornings", ["anna"], hours='hours = { "mon-fri" = ["09:00-12:00"] }'),
)
KNOWN = 20
"""Callbacks that exist beforehand."""


@dataclass(frozen=True)
class Fuzzed:
    """What was found; `lost`: callbacks that were answered 201 and are not in the store; `resent`: requests of our own
    that were sent beside the faults and once more after them, `unheard` those that a fault left without a promise,
    `again` those that were answered as before, or now."""

    judged: Judged
    lost: int
    faults: dict[str, int]
    resent: int
    unheard: int
    again: int

    def summary(self) -> dict[str, Any]:
        """For the last line."""
        judged = asdict(self.judged)
        accepted = len(judged.pop("accepted"))
        statuses = {str(status): count for status, count in sorted(self.judged.statuses.items())}
        where = dict(self.judged.where.most_common(20))
        return {
            **judged,
            "statuses": statuses,
            "where": where,
            "accepted": accepted,
            "lost": self.lost,
            "faults": self.faults,
            "resent": self.resent,
            "resent_after_503": self.unheard,
            "resent_once": self.again,
        }

    @property
    def kept(self) -> bool:
        """Whether nothing was found."""
        judged = self.judged
        return not (judged.server_errors or judged.undocumented or self.lost) and self.resent == self.again


async def fuzz(cases: int, folder: Path, *, faults: bool = False, per_round: int = AN_OPERATION) -> Fuzzed:
    """At least so many requests; with `faults` on a store that fails again and again."""
    judged, counts, sent = Judged(), dict[str, int](), dict[str, str | None]()
    tables = {"api": API, "site.shop": {"origins": ["https://www.example.com"]}}
    with Piped(detached(folder, tables, DEPARTMENTS)) as daemon:
        await daemon.ready()
        key = daemon.key()
        async with await daemon.client(key) as client:
            document = (await client.get("/openapi.json")).json()
            ids = [await _made(client, number) for number in range(KNOWN)]
            async with _faulty(daemon, counts) if faults else contextlib.nullcontext():
                submitting = asyncio.create_task(_submit(client, sent)) if faults else None
                seed = 0
                while judged.cases < cases:
                    seed += 1
                    record = folder / f"record-{seed}.ndjson"
                    await _schemathesis(str(client.base_url), key, ids, record, seed, per_round)
                    judged.add(record, document)
                    record.unlink()
                    print(f"{judged.cases} cases, {judged.server_errors}, {judged.undocumented}", file=sys.stderr)
                if submitting is not None:
                    submitting.cancel()
                    await asyncio.wait((submitting,))
            unheard = sum(id_ is None for id_ in sent.values())
            again = await _again(client, sent)
        assert daemon.running, daemon.tail()
        daemon.stop()
        lost = _missing(daemon.database, [*judged.accepted, *(id_ for id_ in sent.values() if id_)])
    return Fuzzed(judged, lost, counts, len(sent), unheard, again)


@contextlib.asynccontextmanager
async def _faulty(daemon: Piped, counts: dict[str, int]) -> AsyncIterator[None]:
    async with failing(daemon) as found:
        yield
    counts |= found


async def _made(client: Any, number: int) -> str:
    answer = await client.post("/v1/callbacks", json={"department": "sales", "phone": f"0161 496 {number:04}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _submit(client: Any, sent: dict[str, str | None]) -> None:
    """Requests of our own beside it, each sent once: what is answered 201 is to be there, what is not may be resent."""
    for number in range(1000):
        phone = f"0113 496 {number:04}"
        sent[phone] = None
        answer = await client.post("/v1/callbacks", **_body(phone))
        assert answer.status_code in {201, 503}, answer.text
        if answer.status_code == 201:
            sent[phone] = answer.json()["id"]
        await asyncio.sleep(0.05)


async def _again(client: Any, sent: dict[str, str | None]) -> int:
    """Send all of them again; how many are answered as they were, or for the first time."""
    count = 0
    for phone, id_ in sent.items():
        answer = await client.post("/v1/callbacks", **_body(phone))
        count += answer.status_code == 201 and id_ in {None, answer.json()["id"]}
    return count


def _body(phone: str) -> dict[str, Any]:
    return {"json": {"department": "sales", "phone": phone}, "headers": {"Idempotency-Key": phone.replace(" ", "-")}}


def _missing(database: Path, ids: list[str]) -> int:
    with contextlib.closing(sqlite3.connect(database)) as store:
        stored = {row[0] for row in store.execute("SELECT id FROM callback")}
    return len(set(ids) - stored)


async def _schemathesis(url: str, key: str, ids: list[str], record: Path, seed: int, per_round: int) -> None:
    """One round; its record is what counts, not its verdict."""
    program = Path(sys.executable).with_name("schemathesis")
    options = {
        "--header": f"Authorization: Bearer {key}",
        "--phases": "examples,coverage,fuzzing",
        "--mode": "all",
        "--max-examples": str(per_round),
        "--checks": BY_FORM,
        "--seed": str(seed),
        "--report": "ndjson",
        "--report-ndjson-path": str(record),
        "--suppress-health-check": "all",
        "--request-timeout": "20",
        "--warnings": "off",
    }
    pairs = [each for option in options.items() for each in option]
    process = await asyncio.create_subprocess_exec(
        str(program),
        *("run", f"{url}/openapi.json", *pairs, "--continue-on-failure", "--no-shrink"),
        cwd=record.parent,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "FUZZ_IDS": " ".join(ids), "PYTHONPATH": ROOT},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode not in {0, 1}:
        raise RuntimeError(f"schemathesis ended with {process.returncode}: {said.decode()[-2000:]}")


ROOT = str(Path(__file__).resolve().parents[2])
