"""Each safeguard taken away, in the surroundings in which it is needed: the model must then find what goes wrong."""

from dataclasses import dataclass

from tests.model.properties import DOUBT, HONEST
from tests.model.rules import USUAL, Fault, Guard, Rules
from tests.model.search import Result, explore

_ON_THE_PHONE = frozenset({HONEST, "rung once", "one leg at a time", "next only when the last cannot"})
"""What a customer or a reader of the outcomes would notice."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A safeguard that is taken away, and the least that makes it matter.

    `beside`: another that has to be gone as well, because each covers for the other; `wanted`: the properties that
    count, where the removal itself, or what is gone beside it, breaks others at once.
    """

    guard: Guard
    faults: int = 1
    kinds: frozenset[Fault] = USUAL
    beside: Guard | None = None
    wanted: frozenset[str] | None = None

    def rules(self) -> Rules:
        """With the safeguard taken away."""
        gone = {self.guard} if self.beside is None else {self.guard, self.beside}
        return Rules(self.faults, self.kinds, frozenset(gone))

    @property
    def is_usual(self) -> bool:
        """Its surroundings are part of the whole exploration, if that has as many faults."""
        return self.beside is None and self.kinds <= USUAL

    def rules_in_place(self) -> Rules:
        """The same surroundings with the safeguard in place: here nothing may be found."""
        return Rules(self.faults, self.kinds, frozenset() if self.beside is None else frozenset({self.beside}))


REMOVALS = (
    Removal(Guard.INTENT_FIRST, kinds=frozenset({Fault.DAEMON_KILLED}), wanted=_ON_THE_PHONE),
    Removal(Guard.NEVER_RESEND),
    Removal(Guard.REVOKE_FIRST),
    Removal(Guard.READ_BACK),
    Removal(Guard.WAIT_FOR_FLUSH),
    Removal(Guard.WAIT_FOR_TIME),
    Removal(Guard.LOST_TWICE, wanted=frozenset({DOUBT})),
    Removal(Guard.BOOT_CHECK),
    Removal(Guard.IDENTITY, 2, frozenset({Fault.WIPED, Fault.DAEMON_KILLED})),
    Removal(Guard.PERSONS_GUARD, kinds=frozenset({Fault.STUCK})),
    Removal(Guard.SWEEP_LATE),
    Removal(Guard.SWEEP_A_DAY_LATER, kinds=frozenset({Fault.CLOCK_BACK})),
    Removal(Guard.ENDINGS_COUNT),
    Removal(Guard.MI_BY),
    Removal(Guard.SAME_DATABASE, 2, frozenset({Fault.LIVE_WIPE, Fault.CUT, Fault.EVENT_LOST})),
    Removal(Guard.RUN_ONCE, 0, beside=Guard.NEVER_RESEND, wanted=frozenset({"rung once"})),
    Removal(Guard.FLUSH_WAIT, 2, frozenset({Fault.ASTERISK_KILLED, Fault.EVENT_LOST})),
    Removal(Guard.OWN_ENTRY, 3, frozenset({Fault.DISK_FULL, Fault.ASTERISK_KILLED, Fault.EVENT_LOST})),
    Removal(Guard.CLAIM_THEN_ASK, 2, frozenset({Fault.LIST_MISSES, Fault.EVENT_LOST}), wanted=_ON_THE_PHONE),
    Removal(Guard.ACCEPTANCE),
    Removal(Guard.RECORD_STANDS, 0, beside=Guard.NEVER_RESEND, wanted=frozenset({"honest journal"})),
)


def taken_away(removal: Removal) -> Result:
    """What is found without the safeguard."""
    return explore(removal.rules(), removal.wanted)


def in_place(removal: Removal) -> Result:
    """What is found in the same surroundings with it."""
    return explore(removal.rules_in_place(), removal.wanted)
