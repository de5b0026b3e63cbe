"""Steps in a callback's life that many tests of the store begin with."""

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback
from dialer.domain.outcome import Outcome
from dialer.store.store import SqlStore
from tests.contract.story import REVIEW, attempt_at, callback, claim_of, ended


async def added(store: SqlStore, *numbers: int) -> list[Callback]:
    """New scheduled callbacks."""
    new = [callback(number) for number in numbers]
    await store.add(new, "test")
    return new


async def found(store: SqlStore, of: Callback) -> Callback:
    """The callback as it stands."""
    now = await store.get(of.id)
    assert now is not None
    return now


async def claimed(store: SqlStore, number: int) -> tuple[Callback, Callback]:
    """A callback before and after its claim."""
    (before,) = await added(store, number)
    assert await store.claim(claim_of(before))
    return before, await found(store, before)


async def in_doubt(store: SqlStore, number: int) -> tuple[Attempt, Callback]:
    """An attempt whose end nobody saw, and its callback, which waits for a person."""
    before, _ = await claimed(store, number)
    done = ended(attempt_at(before), Outcome.IN_DOUBT)
    await store.finish(done, REVIEW)
    return done, await found(store, before)
