"""What is varied from one exploration to the next: which faults may happen, and which safeguards are taken away."""

from dataclasses import dataclass
from enum import Enum, auto


class Fault(Enum):
    """What may go wrong, once per unit of the budget, between any two steps."""

    CUT = auto()
    DAEMON_KILLED = auto()
    ASTERISK_KILLED = auto()
    ASTERISK_RESTARTED = auto()
    DISK_FULL = auto()
    WIPED = auto()
    LIVE_WIPE = auto()
    REFUSES = auto()
    STUCK = auto()
    EVENT_LOST = auto()
    ORIGINATE_REFUSED = auto()
    CLOCK_BACK = auto()
    LIST_MISSES = auto()


USUAL = frozenset(Fault) - {Fault.CLOCK_BACK, Fault.LIST_MISSES}
"""The last two are not among what the protocol promises to bear; they show what some safeguards are for."""


class Guard(Enum):
    """The safeguards, each of which can be taken away; the value says where it lives and what it does."""

    INTENT_FIRST = "Engine._place: the intent is durable before Originate"
    NEVER_RESEND = "Attempts: an Originate is never sent again, even when nothing of it is found"
    REVOKE_FIRST = "Attempts._conclude: nothing is released that was not revoked before"
    READ_BACK = "revocation._round: the revocation is read back, after the flush"
    WAIT_FOR_FLUSH = "revocation._round: the read-back waits for the flush"
    WAIT_FOR_TIME = "Attempts._expired: a refused revocation is made up for by MI_BY alone"
    LOST_TWICE = "Attempts._judge: what seems to be lost is looked for once more"
    BOOT_CHECK = "Engine._place: no Originate to another start of the PBX than the intent's"
    IDENTITY = "reconcile: a database with another identity proves nothing"
    PERSONS_GUARD = "callbacks resolve: a person's retry revokes, hangs up and looks first"
    SWEEP_LATE = "Tombstones: keys stay until MI_BY has passed"
    SWEEP_A_DAY_LATER = "Tombstones: keys stay a day longer than MI_BY"
    ENDINGS_COUNT = "Attempts._end: an ending counts only when a channel was there and the PBX took its hang-up"
    MI_BY = "dialplan: refused at the answer when late"
    SAME_DATABASE = "dialplan: refused at the answer where AstDB is not the intent's any more"
    RUN_ONCE = "dialplan: refused at the answer when the id ran before"
    FLUSH_WAIT = "dialplan: the customer's leg waits until AstDB was flushed"
    OWN_ENTRY = "dialplan: its own entry is read back after the wait"
    CLAIM_THEN_ASK = "dialplan: the revocation is asked for again after the claim"
    ACCEPTANCE = "dialplan: the agent presses 1 first"
    RECORD_STANDS = "dialplan: a replay does not overwrite the first run's record"


@dataclass(frozen=True, slots=True)
class Rules:
    """One exploration: how many faults of which kinds, and what is taken away."""

    faults: int
    kinds: frozenset[Fault] = USUAL
    without: frozenset[Guard] = frozenset()

    def has(self, guard: Guard) -> bool:
        return guard not in self.without
