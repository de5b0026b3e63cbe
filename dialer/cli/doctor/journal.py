"""Whether the store knows the calls that a PBX remembers: one that was put back from a backup does not."""

import asyncio
from collections.abc import Iterator
from datetime import UTC

from ulid import ULID

from dialer.ami.journal import FAMILY
from dialer.cli.doctor.client import Client
from dialer.cli.doctor.findings import Finding, bad, good
from dialer.cli.output import stamp
from dialer.domain.errors import StoreError
from dialer.domain.ids import AttemptId, attempt_of
from dialer.settings import Settings
from dialer.store.store import SqlStore

_REMEDY = (
    "a backup that was put back would ring again whom it rang since: docs/operations.md, “Backup and restore”; "
    "after a change of the store on purpose this goes by itself, with the first call"
)


def examine(settings: Settings, place: str, client: Client) -> Iterator[Finding]:
    """Look for calls on the PBX that are younger than all that the store holds. Nothing where either cannot be read:
    that has been told."""
    # In this order: a running daemon writes to its store first.
    answer = client.ask("DBGetTree", {"Family": FAMILY, "Key": "mi-%"}, "DBGetTreeComplete")
    if answer.get("Message") == "Permission denied":
        return
    remembered = _remembered(client)
    try:
        newest = asyncio.run(_newest(settings)) or ""
    except StoreError:
        return
    unknown = [attempt for attempt in remembered if attempt > newest]
    if unknown:
        at = ULID.from_str(max(unknown)).datetime.astimezone(UTC)
        many = f"{len(unknown)} call{'s' * (len(unknown) > 1)}"
        yield bad(place, "journal", f"it made {many} that our store does not know, the last at {stamp(at)}", _REMEDY)
    else:
        yield good(place, "journal", "no call is younger than what our store knows")


def _remembered(client: Client) -> list[AttemptId]:
    keys = [event.get("Key", "").rpartition("/")[2] for event in client.seen("DBGetTreeResponse")]
    return [attempt for key in keys if (attempt := attempt_of(key))]


async def _newest(settings: Settings) -> AttemptId | None:
    async with SqlStore.open(settings.database) as store:
        return await store.newest_attempt()
