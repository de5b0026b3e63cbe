"""What a PBX knows of attempts: first the living channels, then the journal, then whose database that is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dialer.ami import answers, database, journal, messages
from dialer.ami.session import Refused, Session
from dialer.domain.errors import ProtocolViolation
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import EndRecord
from dialer.engine.ports import Traces, Unfinished


async def traces(session: Session, attempts: Sequence[AttemptId], identity: str) -> Mapping[AttemptId, Traces]:
    """Living channels first, then the journal: an attempt that ends in between is then seen twice, never missed. Where
    an entry is missing, then the database's identity: one that is not `identity` was wiped, and ends the session.

    Raises a `PbxError`: all is known, or nothing is said.
    """
    living = answers.living((await session.ask(messages.core_show_channels())).events)
    entries = await asyncio.gather(*(_entry(session, attempt) for attempt in attempts), return_exceptions=True)
    found: dict[AttemptId, Traces] = {}
    for attempt, entry in zip(attempts, entries, strict=True):
        if isinstance(entry, BaseException):
            raise entry
        found[attempt] = Traces(attempt in living.agents, attempt in living.customers, entry, identity)
    if all(each.journal is not None for each in found.values()):
        return found
    present = await database.identity(session) or ""
    if present != identity:
        session.give_up("its database was wiped or replaced")
    return {attempt: replace(each, identity=present) for attempt, each in found.items()}


async def _entry(session: Session, attempt: AttemptId) -> EndRecord | Unfinished | None:
    """An attempt's journal entry. Only the PBX's own "not found" means that there is none: a PBX that is stopping
    refuses every question."""
    try:
        reply = await session.ask(messages.journal_get(attempt))
    except Refused as refusal:
        if refusal.text == database.NO_ENTRY:
            return None
        raise
    value = answers.stored(reply)
    if value is None:
        raise ProtocolViolation("the PBX answered a question for a journal entry without one")
    return journal.parse(value)
