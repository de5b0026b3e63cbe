"""The checks of this host: the state folder and the store."""

import asyncio
import tempfile
from collections.abc import Iterator

from dialer.cli.doctor.findings import Finding, bad, good
from dialer.domain.errors import StoreError
from dialer.settings import Settings
from dialer.store import schema
from dialer.store.store import SqlStore


def examine(settings: Settings) -> Iterator[Finding]:
    """Whether the daemon, run by this user, would have where to keep things."""
    yield _folder(settings)
    yield from asyncio.run(_store(settings))


def _folder(settings: Settings) -> Finding:
    folder = settings.state_dir
    try:
        with tempfile.TemporaryFile(dir=folder):
            return good("host", "state folder", f"{folder} can be written")
    except OSError as error:
        remedy = "create it and give it to the daemon's user, and run this as that user"
        return bad("host", "state folder", f"{folder}: {(error.strerror or 'not writable').lower()}", remedy)


async def _store(settings: Settings) -> list[Finding]:
    try:
        async with SqlStore.open(settings.database) as store:
            paused = [str(pause.stop) for pause in await store.pauses()]
            stranded = await store.stranded(settings.department)
    except StoreError as error:
        return [bad("host", "store", f"{settings.database}: {error.what}", error.remedy)]
    held = f"; paused: {', '.join(paused)}" if paused else ""
    sound = good("host", "store", f"{settings.database}, schema {schema.REVISIONS[-1]}{held}")
    return [sound, *(_stranded(department, count) for department, count in stranded.items())]


def _stranded(department: str, count: int) -> Finding:
    remedy = f"name it again, or cancel them: dialer callbacks list --department {department} --status scheduled"
    what = f"{count} wait for a department that is not in the configuration"
    return bad("host", f"department {department}", what, remedy)
