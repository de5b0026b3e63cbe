"""Revocations: keys in the PBX's own database, each of which keeps one attempt from ever reaching its customer.

The dialplan refuses a revoked attempt at the agent's answer, and asks once more after it has claimed the customer's
leg: whoever finds the revocation on disk may conclude from then on.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable

from dialer.ami import answers, messages
from dialer.ami.database import FLUSH
from dialer.ami.session import Refused, Session
from dialer.domain.ids import AttemptId

_ROUNDS = 3


async def revoke(session: Session, attempts: Iterable[AttemptId], flush: float = FLUSH) -> frozenset[AttemptId]:
    """Write revocations, wait `flush` seconds and read them back, three rounds at most; returns those that stayed.

    Raises a `PbxError` when the link is lost or an answer is missing: then nothing is known.
    """
    kept: frozenset[AttemptId] = frozenset()
    missing = frozenset(attempts)
    for _ in range(_ROUNDS):
        if not missing:
            break
        stayed = await _round(session, missing, flush)
        kept |= stayed
        missing -= stayed
    return kept


async def _round(session: Session, attempts: frozenset[AttemptId], flush: float) -> frozenset[AttemptId]:
    # Fractions of a second make the text this round's own: one that somebody else wrote later may not be on disk yet.
    value = f"{time.time():.6f}"
    written = await _those(attempts, lambda attempt: _accepted(session, attempt, value))
    await asyncio.sleep(flush)
    return await _those(written, lambda attempt: _stayed(session, attempt, value))


async def _those(
    attempts: frozenset[AttemptId], holds: Callable[[AttemptId], Coroutine[None, None, bool]]
) -> frozenset[AttemptId]:
    """Those attempts of which it holds, asked all at once."""
    ordered = sorted(attempts)
    answers = await asyncio.gather(*map(holds, ordered), return_exceptions=True)
    found = set()
    for attempt, answer in zip(ordered, answers, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        if answer:
            found.add(attempt)
    return frozenset(found)


async def _accepted(session: Session, attempt: AttemptId, value: str) -> bool:
    try:
        await session.ask(messages.revocation_put(attempt, value))
    except Refused:
        return False
    return True


async def _stayed(session: Session, attempt: AttemptId, value: str) -> bool:
    try:
        reply = await session.ask(messages.revocation_get(attempt))
    except Refused:
        return False  # gone, or a PBX that does not say: either way not shown to be there
    return answers.stored(reply) == value
