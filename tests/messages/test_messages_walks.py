"""Changes of mind in any order, servers that fail now and then: nothing comes twice, and what came last is true."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from icalendar import Calendar

from dialer.domain.callback import OPEN, Status
from dialer.domain.errors import IllegalState
from dialer.scheduling.retry import NextStep
from tests.contract.story import claim_of, ended
from tests.messages.rig import Rig, rig
from tests.messages.samples import DAY, HOUR, ID, MINUTE, MOBILE, callback

ANSWERS: tuple[dict[str, str], ...] = ({}, {}, {"RCPT": "450 later"}, {"DATA": "451 later"}, {"MAIL": "421 no"})
STEPS = 14


async def move(house: Rig, random: Random) -> None:
    to = house.clock.at + random.randint(1, 60) * HOUR
    await house.store.reschedule(ID, to, None, random.choice((to, to, to, None)))


async def attempt(house: Rig, random: Random) -> None:
    """A try that comes to nothing, during which somebody may change their mind."""
    found = await house.store.get(ID)
    assert found is not None
    if found.status is not Status.SCHEDULED:
        return
    claim = claim_of(found)
    assert await house.store.claim(claim)
    await house.go_on(MINUTE)
    if random.random() < 0.3:
        await move(house, random)
    status = random.choice((*(Status.SCHEDULED,) * 4, Status.FAILED))
    step = NextStep(status, house.clock.at + HOUR, "busy", customer_attempts=1, agent_rings=0)
    await house.store.finish(ended(claim.attempt, at=house.clock.at), step)


async def step(house: Rig, random: Random) -> None:
    house.box.answers = dict(random.choice(ANSWERS))
    house.texts.status = random.choice((202, 202, 429, 500, None))
    try:
        match random.randrange(40):
            case 0:
                await house.store.cancel(ID, "visitor")
            case 1:
                await house.store.object_to(MOBILE, "visitor", "asked")
            case kind if kind < 18:  # so often
                await move(house, random)
            case kind if kind < 26:  # so often
                await attempt(house, random)
            case _:
                pass
    except IllegalState:
        pass  # it is over
    await house.go_on(random.choice((MINUTE, 20 * MINUTE, HOUR, 9 * HOUR)))


def told(house: Rig) -> list[tuple[str, int, datetime]]:
    """What the calendar was told: method, sequence and time."""
    entries = [part for each in house.box.letters for part in each.message.iter_attachments()]
    read: list[Any] = [Calendar.from_ical(part.get_content()) for part in entries]
    return [
        (str(each["METHOD"]), int(event["SEQUENCE"]), event["DTSTART"].dt) for each in read for event in each.events
    ]


@pytest.mark.parametrize("seed", range(8))
async def test_nothing_comes_twice_and_what_came_last_is_true(tmp_path: Path, certificates: Path, seed: int) -> None:
    random = Random(seed)
    async with rig(tmp_path, certificates) as house:
        await house.book(callback())
        for _ in range(STEPS):
            await step(house, random)
            objected = await house.store.objected(MOBILE)
            letters, texts = len(house.box.letters), len(house.texts.asked)
            if objected:
                house.box.answers, house.texts.status = {}, 202
                await house.go_on(DAY)
                assert (len(house.box.letters), len(house.texts.asked)) == (letters, texts)
        house.box.answers, house.texts.status = {}, 202
        await house.go_on(12 * HOUR)
        await house.go_on(timedelta(seconds=1))
        assert set(Counter(each.message["Message-ID"] for each in house.box.letters).values()) <= {1}
        calendar = told(house)
        assert calendar == sorted(calendar, key=lambda each: each[1])
        found = await house.store.get(ID)
        assert found is not None
        if calendar and calendar[-1][0] == "CANCEL":
            assert found.status is Status.CANCELLED
        if found.status in OPEN and found.wanted_at is not None and found.wanted_at > house.clock.at:
            assert calendar[-1][::2] == ("PUBLISH", found.due_at)
