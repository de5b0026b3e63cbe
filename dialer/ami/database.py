"""The PBX's own database, AstDB, beyond single attempts: who it is, and what of it may go."""

import asyncio
from collections.abc import Iterable

from ulid import ULID

from dialer.ami import answers, journal, messages
from dialer.ami.session import Refused, Session
from dialer.domain.ids import AttemptId

FLUSH = 1.5
"""Seconds after which an acknowledged write is on the PBX's disk or gone: AstDB is flushed about once a second, and a
full disk takes back even what was read in between."""

NO_ENTRY = "Database entry not found"
_NOT_DELETED = "Database entry could not be deleted"

_FAMILIES = (journal.FAMILY, messages.REVOKED)


async def identity(session: Session) -> str | None:
    """What the database is known by; None when it has no identity. Raises a `PbxError`."""
    try:
        return answers.stored(await session.ask(messages.identity_get()))
    except Refused as refusal:
        if refusal.text == NO_ENTRY:
            return None
        raise


async def identify(session: Session, flush: float = FLUSH) -> str | None:
    """As `identity`, but a database without one is given one: it counts once it is on disk, `flush` seconds later.
    None when the database did not keep it. Raises a `PbxError`."""
    known = await identity(session)
    if known is not None:
        return known
    try:
        await session.ask(messages.identity_put(str(ULID())))
    except Refused:
        return None
    await asyncio.sleep(flush)
    return await identity(session)


async def remembered(session: Session, prefix: str) -> frozenset[AttemptId]:
    """The attempts with a journal entry or a revocation whose ids begin so. Raises a `PbxError`."""
    found: frozenset[AttemptId] = frozenset()
    for family in _FAMILIES:
        found |= answers.listed(await session.ask(messages.keys(family, prefix)))
    return found


async def forget(session: Session, attempts: Iterable[AttemptId]) -> None:
    """Delete these attempts' entries, one after the other: nobody waits for it, and calls shall not. Raises a
    `PbxError`."""
    for attempt in attempts:
        for family in _FAMILIES:
            try:
                await session.ask(messages.delete(family, attempt))
            except Refused as refusal:
                if refusal.text != _NOT_DELETED:  # it says the same of a key that is not there
                    raise
