"""A person's decision on a callback whose attempt nobody saw the end of; a retry passes the daemon's own guard."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from dialer.cli import evidence
from dialer.cli.evidence import Evidence
from dialer.cli.host import who
from dialer.cli.output import emit, line, pairs, say
from dialer.cli.records import callback_record, resolution_record
from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status, WishKind
from dialer.domain.errors import DialerError, IllegalState
from dialer.settings import Settings
from dialer.store.store import SqlStore
from dialer.store.views import Decision


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. `force`: a retry whatever speaks against it."""

    decision: Decision
    reason: str
    force: bool
    as_json: bool


async def resolve(store: SqlStore, settings: Settings, callback: Callback, request: Request) -> None:
    """Lay out what is known, decide, and tell. Raises `IllegalState` when it cannot be decided so."""
    if callback.status is not Status.NEEDS_REVIEW:
        raise IllegalState(f"a callback that is {callback.status} can no longer be resolved", where=callback.id)
    attempts = await store.attempts(callback.id)
    latest = await evidence.look(settings, attempts[-1])
    if not request.as_json:
        pairs(evidence.words(latest))
    forced = False
    if request.decision is Decision.RETRY:
        await _insist_that_it_may_be(store, callback)
        forced = await _cleared(settings, callback, attempts, latest, force=request.force)
    changed = await _decided(store, callback, request, forced=forced)
    if request.as_json:
        (*_, made) = await store.resolutions(callback.id)
        emit(
            {
                **callback_record(changed),
                "resolution": resolution_record(made),
                "evidence": evidence.record(latest),
            }
        )
    else:
        line(f"{changed.id}  {changed.status}  {changed.reason}")


async def _insist_that_it_may_be(store: SqlStore, callback: Callback) -> None:
    """Raise `IllegalState` where somebody wished an end of the callback. Neither a PBX that answers nor force helps
    then, so this comes first: nobody is to look for more, and nothing is to be hung up, for a retry that never comes.
    """
    wished = callback.wish and callback.wish.kind
    if wished is WishKind.CANCEL:
        why = "somebody asked to cancel it"
    elif wished is WishKind.OBJECTION or await store.objected(callback.visitor.phone):
        why = "its number is on the do-not-call list, or was: whoever has it objected"
    else:
        return
    raise IllegalState(f"not tried again: {why}", where=callback.id, remedy="resolve it as failed")


async def _cleared(
    settings: Settings, callback: Callback, attempts: Sequence[Attempt], latest: Evidence, *, force: bool
) -> bool:
    """Clear the way for ringing again; True when that was forced. Raises `IllegalState` when it is neither."""
    forced = False
    async with aclosing(_objections(settings, attempts, latest)) as objections:
        async for objection in objections:
            if not force:
                remedy = "mend that and try again, or take the risk of a second call: --force"
                raise IllegalState(f"not tried again: {objection}", where=callback.id, remedy=remedy)
            say(f"{callback.id}: forced, although: {objection}")
            forced = True
    return forced


async def _objections(settings: Settings, attempts: Sequence[Attempt], latest: Evidence) -> AsyncGenerator[str, None]:
    """Keep every attempt in doubt from its customer, and yield each reason why a retry could still be a second call."""
    if latest.reached:
        yield latest.reached
    for attempt in attempts:
        try:
            found = await evidence.bar(settings, attempt)
        except DialerError as error:
            yield f"{error.where}: {error.what}"
        else:
            if found.reached and found.reached != latest.reached:
                yield found.reached


async def _decided(store: SqlStore, callback: Callback, request: Request, *, forced: bool) -> Callback:
    try:
        return await store.resolve(callback, request.decision, who(), request.reason, forced=forced)
    except IllegalState:
        now = await store.get(callback.id) or callback
        if now.status is callback.status:
            raise  # nobody has decided it: the store says why this was refused
        what = f"it was decided meanwhile: {now.status}, {now.reason}"
        raise IllegalState(what, where=callback.id, remedy=f"see: dialer callbacks show {callback.id}") from None
