"""Two who want different things at one moment, each through a store of their own: one wins, and both are told so.

Each race names what comes of it when the one or the other comes first. At the same moment it must be one of the two.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.domain.outcome import Outcome
from dialer.intake.admission import Double
from dialer.store.store import SqlStore
from dialer.store.views import Decision, Objected
from dialer.store.writer import Pace
from tests.contract.life import found
from tests.contract.story import (
    AGAIN,
    COMPLETED,
    NOON,
    REVIEW,
    Door,
    amended,
    attempt_at,
    callback,
    claim_of,
    ended,
)

TOMORROW = NOON + timedelta(days=1)


async def _new(_store: SqlStore, new: Callback) -> Callback:
    return new


async def _waiting(store: SqlStore, new: Callback) -> Callback:
    await store.add([new])
    return new


async def _running(store: SqlStore, new: Callback) -> Callback:
    await store.claim(claim_of(await _waiting(store, new)))
    return new


async def _doubtful(store: SqlStore, new: Callback) -> Callback:
    await store.finish(ended(attempt_at(await _running(store, new)), Outcome.IN_DOUBT), REVIEW)
    return await found(store, new)


RULE = Door()

Deed = Callable[[SqlStore, Callback], Awaitable[object]]
Told = tuple[str, str, str, str | None]
"""What the one and the other were told, the callback's status and what is wished of it."""

DEEDS: dict[str, Deed] = {
    "claim": lambda store, it: store.claim(claim_of(it)),
    "other claim": lambda store, it: store.claim(claim_of(it, twin="B")),
    "cancel": lambda store, it: store.cancel(it.id, "no time"),
    "move": lambda store, it: store.reschedule(it.id, TOMORROW, None, TOMORROW),
    "object": lambda store, it: store.object_to(it.visitor.phone, "ann", ""),
    "call in": lambda store, it: store.customer_called_in(it.visitor.phone, [it.department]),
    "defer": lambda store, it: store.defer(it, TOMORROW, "closed"),
    "expire": lambda store, it: store.close(it, Status.EXPIRED, "its time ran out"),
    "end for good": lambda store, it: store.finish(ended(attempt_at(it)), COMPLETED),
    "end for now": lambda store, it: store.finish(ended(attempt_at(it)), AGAIN),
    "find the end": lambda store, it: store.amend(amended(ended(attempt_at(replace(it, attempts=0)))), AGAIN),
    "retry": lambda store, it: store.resolve(it, Decision.RETRY, "bob", "once more"),
    "admit": lambda store, it: store.admit([it], RULE),
    "admit again": lambda store, it: store.admit([replace(it, id=callback(int(it.id[1:]) + 1_000_000).id)], RULE),
}


@dataclass(frozen=True)
class Race:
    """`first` is what comes of it when the one is first, `second` when the other is."""

    ready: Callable[[SqlStore, Callback], Awaitable[Callback]]
    one: str
    other: str
    first: Told
    second: Told


RACES = [
    # Whoever claims has the callback; whoever wants something else of it then has a wish.
    Race(_waiting, "claim", "cancel", ("won", "noted", "in_progress", "cancel"), ("lost", "done", "cancelled", None)),
    Race(_waiting, "claim", "move", ("won", "noted", "in_progress", "move"), ("lost", "done", "scheduled", None)),
    Race(_waiting, "claim", "object", ("won", "noted", "in_progress", "objection"), ("lost", "done", "rejected", None)),
    Race(
        _waiting, "claim", "call in", ("won", "noted", "in_progress", "called_in"), ("lost", "done", "cancelled", None)
    ),
    Race(_waiting, "claim", "other claim", ("won", "lost", "in_progress", None), ("lost", "won", "in_progress", None)),
    Race(_waiting, "claim", "defer", ("won", "lost", "in_progress", None), ("lost", "won", "scheduled", None)),
    Race(_waiting, "claim", "expire", ("won", "lost", "in_progress", None), ("lost", "won", "expired", None)),
    Race(_waiting, "cancel", "expire", ("done", "lost", "cancelled", None), ("refused", "won", "expired", None)),
    Race(_waiting, "move", "cancel", ("done", "done", "cancelled", None), ("refused", "done", "cancelled", None)),
    Race(_waiting, "move", "expire", ("done", "lost", "scheduled", None), ("refused", "won", "expired", None)),
    # An end that comes first is final or not; a wish that comes first is honoured by it.
    Race(_running, "end for good", "cancel", ("ok", "refused", "completed", None), ("ok", "noted", "completed", None)),
    Race(_running, "end for now", "cancel", ("ok", "done", "cancelled", None), ("ok", "noted", "cancelled", None)),
    Race(_running, "end for now", "move", ("ok", "done", "scheduled", None), ("ok", "noted", "scheduled", None)),
    Race(_running, "end for now", "object", ("ok", "done", "rejected", None), ("ok", "noted", "rejected", None)),
    Race(_running, "end for good", "object", ("ok", "nothing", "completed", None), ("ok", "noted", "completed", None)),
    Race(
        _running,
        "cancel",
        "move",
        ("noted", "refused", "in_progress", "cancel"),
        ("noted", "noted", "in_progress", "cancel"),
    ),
    # A person's retry does not outlive an objection, whichever comes first.
    Race(_doubtful, "retry", "object", ("done", "done", "rejected", None), ("refused", "done", "rejected", None)),
    Race(_doubtful, "retry", "find the end", ("done", "ok", "scheduled", None), ("refused", "ok", "scheduled", None)),
    # What is let in is known to whoever comes next, and no objection is missed.
    Race(_new, "admit", "object", ("done", "done", "rejected", None), ("refused", "nothing", "-", None)),
    Race(_new, "admit", "admit again", ("done", "double", "scheduled", None), ("double", "done", "-", None)),
]


WORDS: list[tuple[Callable[[object], bool], str]] = [
    (lambda answer: answer is True, "won"),
    (lambda answer: answer is False, "lost"),
    (lambda answer: answer is None, "ok"),
    (lambda answer: answer in ([], Objected((), ())), "nothing"),
    (lambda answer: isinstance(answer, IllegalState | RequestRefused), "refused"),
    (lambda answer: isinstance(answer, Double), "double"),
    (lambda answer: bool(getattr(answer, "wish", None) or getattr(answer, "in_progress", None)), "noted"),
    (lambda answer: isinstance(answer, Callback | Objected), "done"),
]


def word(answer: object) -> str:
    """What somebody was told."""
    if isinstance(answer, list) and answer:
        (answer,) = answer
    return next(word for fits, word in WORDS if fits(answer))


async def told(store: SqlStore, it: Callback, one: object, other: object) -> Told:
    after = await store.get(it.id)
    wish = after.wish.kind.value if after and after.wish else None
    return word(one), word(other), after.status.value if after else "-", wish


async def answer(deed: str, store: SqlStore, it: Callback) -> object:
    try:
        return await DEEDS[deed](store, it)
    except IllegalState as refusal:
        return refusal


def numbered(number: int) -> Callback:
    """A callback to a number that no other has."""
    return callback(number, phone=f"+4420794{number:05}")


@pytest.fixture
async def second(where: str, store: SqlStore) -> AsyncIterator[SqlStore]:
    async with SqlStore.open(where, now=lambda: NOON, busy_timeout=60) as opened:
        yield opened


@pytest.mark.parametrize("race", RACES, ids=lambda race: f"{race.one}, {race.other}")
async def test_one_after_the_other(store: SqlStore, second: SqlStore, race: Race) -> None:
    for number, one_first in enumerate((True, False)):
        it = await race.ready(store, numbered(number))
        if one_first:
            one = await answer(race.one, store, it)
            other = await answer(race.other, second, it)
        else:
            other = await answer(race.other, store, it)
            one = await answer(race.one, second, it)
        assert await told(store, it, one, other) == (race.first if one_first else race.second)


@pytest.mark.parametrize("seed", range(3))
async def test_at_one_moment_it_is_as_if_one_had_been_first(where: str, seed: int) -> None:
    dice = random.Random(seed)
    cases = [(race, numbered(number)) for number, race in enumerate(RACES * 12)]
    dice.shuffle(cases)
    async with (
        SqlStore.open(where, exclusive=True, now=lambda: NOON, busy_timeout=60, pace=Pace(0, 0)) as store,
        SqlStore.open(where, now=lambda: NOON, busy_timeout=60, pace=Pace(0, 0)) as second,
    ):
        ready = await asyncio.gather(*(race.ready(store, new) for race, new in cases))

        async def run(race: Race, it: Callback) -> tuple[Race, Told]:
            by, deeds = [store, second], [race.one, race.other]
            dice.shuffle(by)
            dice.shuffle(deeds)
            answers = await asyncio.gather(*(answer(deed, one, it) for deed, one in zip(deeds, by, strict=True)))
            told_to = dict(zip(deeds, answers, strict=True))
            return race, await told(store, it, told_to[race.one], told_to[race.other])

        ends = await asyncio.gather(*(run(race, it) for (race, _), it in zip(cases, ready, strict=True)))
    for race, end in ends:
        assert end in {race.first, race.second}, f"{race.one}, {race.other}"
