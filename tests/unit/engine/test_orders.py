"""What the PBX is told: by its own clock, as it is when the order goes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.ids import AttemptId
from dialer.engine.choices import Place
from dialer.engine.orders import intent, order
from tests.unit.engine.floor import MINUTE, NOON, SECOND, Floor, callback, directory

AHEAD = timedelta(hours=1)


@dataclass
class _Line:
    """What an intent and its order ask of a PBX; its clock is ahead of ours."""

    clock: datetime = NOON + AHEAD
    name: str = "one"
    boot: str = "boot"
    identity: str = "identity"


def test_a_claim_that_took_long_does_not_put_off_the_moment_from_which_nobody_is_rung() -> None:
    (placed,) = Floor(directory()).decide(callback(1, wanted_until=NOON + MINUTE)).made
    assert isinstance(placed, Place)
    line = _Line()
    attempt = intent(AttemptId(f"{1:026}"), placed, line, NOON)  # type: ignore[arg-type]  # a PBX's facts
    line.clock += 10 * SECOND
    ordered = order(attempt, placed, line, directory(), NOON + 10 * SECOND)  # type: ignore[arg-type]  # as above
    assert ordered.ring_until == NOON + MINUTE + AHEAD
