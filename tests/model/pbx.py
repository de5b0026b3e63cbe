"""Asterisk's steps: Originates carried out, the dialplan of `extensions_mi.conf` line by line, and AstDB."""

from collections.abc import Iterator

from dialer.domain.events import AgentAnswered, AgentRinging, Bridged, CustomerDialling, Event, OriginateFailed, Refused
from tests.model import decisions
from tests.model.hearing import LEG_GONE, hear
from tests.model.rules import Fault, Guard, Rules
from tests.model.state import IN_DOUBT, NAMES, OPEN, Try, World, may_begin, update

Moves = Iterator[tuple[str, World]]

CUSTOMER_ALIVE = frozenset({"dialling", "bridged", "handed over"})

_MIDWAY = frozenset({"checked", "whisper", "accepted", "claimed"})
"""Between the answer's checks and the customer's leg: minutes at most, never a day."""


def moves(world: World, index: int, rules: Rules) -> Moves:
    """Everything that the PBX may do next for one attempt."""
    attempt = world.tries[index]
    yield from _originates(world, index, attempt, rules)
    if attempt.leg:
        yield from _DIALPLAN[attempt.leg](world, index, attempt, rules)
    waits = attempt.by < 2 and (may_begin(attempt) or world.refuses)
    if waits and not (attempt.by == 1 and attempt.leg in _MIDWAY):
        passed = ("MI_BY passes", "a day passes after MI_BY")[attempt.by]
        yield f"PBX's clock: {passed} for {NAMES[index]}", update(world, index, by=attempt.by + 1)


def flush(world: World) -> Moves:
    """AstDB's writes of about the last second reach the disk."""
    tries = tuple(_flushed(attempt) for attempt in world.tries)
    if tries != world.tries:
        yield "AstDB is flushed to disk", world._replace(tries=tries)  # type: ignore[arg-type]  # two, as before


def _flushed(attempt: Try) -> Try:
    return attempt._replace(entry_disk=attempt.entry, revoked_disk=attempt.revoked)


def _originates(world: World, index: int, attempt: Try, rules: Rules) -> Moves:
    """From the pipe to a channel. A late one's answer reaches nobody, but its events reach every session."""
    name = NAMES[index]
    if attempt.sent:
        taken = update(world, index, sent=attempt.sent - 1, queued=attempt.queued + 1)
        yield f"PBX takes the Originate of {name}", taken
        if Fault.ORIGINATE_REFUSED in rules.kinds and world.faults:
            gone = update(world, index, sent=attempt.sent - 1)._replace(faults=world.faults - 1)
            yield f"PBX answers the Originate of {name} with an error", hear(gone, index, Refused("error"))
    if attempt.late:
        yield (
            f"PBX takes the late Originate of {name}",
            update(world, index, late=attempt.late - 1, queued=attempt.queued + 1),
        )
        yield f"the late Originate of {name} never comes", update(world, index, late=attempt.late - 1)
    if attempt.late_put:
        yield f"PBX takes the late revocation of {name}", update(world, index, late_put=False, revoked=True)
        yield f"the late revocation of {name} never comes", update(world, index, late_put=False)
    if attempt.queued:
        fewer = update(world, index, queued=attempt.queued - 1)
        if attempt.leg:
            yield from _told(
                f"the twin of {name} is refused: its id is in use", fewer, index, OriginateFailed(0), rules
            )
            return
        ringing = update(fewer, index, leg="ringing")
        yield from _told(f"the agent's phone rings for {name}", ringing, index, AgentRinging(), rules)
        yield from _told(f"the agent's phone is not there for {name}", fewer, index, OriginateFailed(0), rules)


def _told(label: str, world: World, index: int, event: Event, rules: Rules) -> Moves:
    """A step that is told to the daemon; the event may be lost."""
    heard = hear(world, index, event)
    yield label, heard
    if heard is not world and world.faults and Fault.EVENT_LOST in rules.kinds:
        yield f"{label}; the event is lost", world._replace(faults=world.faults - 1)


def end(label: str, world: World, index: int, record: str, rules: Rules) -> Moves:
    """[mi-end], [mi-customer-end]: the hang-up handlers, which run before the channels leave the list.

    `record` is what follows the time: step|answered_at|why|DIALSTATUS|cause|who.
    """
    attempt = world.tries[index]
    replay = record.startswith("|") and attempt.entry and rules.has(Guard.RECORD_STANDS)
    if replay:
        yield label, hear(update(world, index, leg="", stuck=False), index, LEG_GONE)
        return
    entry = f"ended|9|{record}"
    read = attempt.row in {OPEN, IN_DOUBT}
    dishonest = read and attempt.rung and decisions.amended(entry) in NEVER_RUNG
    broken = attempt.broken or ("honest journal" if dishonest else "")
    ended = update(world, index, leg="", stuck=False, entry=entry, broken=broken)
    told = hear(ended, index, decisions.told(entry))
    yield label, told
    if told is not ended and world.faults and Fault.EVENT_LOST in rules.kinds:
        yield f"{label}; MiEnd is lost", hear(ended, index, LEG_GONE)._replace(faults=world.faults - 1)


NEVER_RUNG = frozenset(
    {
        "not_placed",
        "cancelled",
        "pbx_failure",
        "agent_busy",
        "agent_no_answer",
        "agent_declined",
        "agent_unavailable",
    }
)
"""Outcomes that say that the customer's phone never rang."""


def _ringing(world: World, index: int, attempt: Try, rules: Rules) -> Moves:
    name = NAMES[index]
    yield from end(f"the agent does not answer for {name}", world, index, "||||19|", rules)
    refusal = _refusal(world, attempt, rules)
    if refusal:
        answered = hear(world, index, AgentAnswered())
        yield from end(f"the agent answers for {name}: {refusal}", answered, index, f"||{refusal}||16|", rules)
    else:
        checked = update(world, index, leg="checked")
        yield from _told(f"the agent answers for {name}, nothing is against it", checked, index, AgentAnswered(), rules)


def _refusal(world: World, attempt: Try, rules: Rules) -> str:
    """[mi-agent], the first four lines."""
    if attempt.entry and rules.has(Guard.RUN_ONCE):
        return "refused_again"
    if attempt.revoked:
        return "refused_revoked"
    if attempt.identity != world.identity and rules.has(Guard.SAME_DATABASE):
        return "refused_wiped"
    if attempt.by and rules.has(Guard.MI_BY):
        return "refused_late"
    return ""


def _checked(world: World, index: int, _: Try, rules: Rules) -> Moves:
    yield f"{NAMES[index]} is journalled: agent_answered", update(world, index, leg="whisper", entry="agent_answered|1")


def _whisper(world: World, index: int, _: Try, rules: Rules) -> Moves:
    name = NAMES[index]
    yield f"the agent accepts {name}", update(world, index, leg="accepted")
    yield from end(f"the agent declines {name}", world, index, "agent_answered||agent_declined||16|", rules)
    if not rules.has(Guard.ACCEPTANCE):
        yield f"nobody presses 1 for {name}", update(world, index, leg="accepted", broken="no silence")


def _accepted(world: World, index: int, attempt: Try, rules: Rules) -> Moves:
    """Wait, read the own entry, claim. What the agent's leaving now records is what declining does."""
    name = NAMES[index]
    if attempt.entry != attempt.entry_disk and rules.has(Guard.FLUSH_WAIT):
        return
    if attempt.entry != "agent_answered|1" and rules.has(Guard.OWN_ENTRY):
        record = "agent_answered||refused_unjournalled||16|"
        yield from end(f"{name}'s own entry is gone: refused", world, index, record, rules)
    else:
        yield f"{name} is journalled: customer_dialled", update(world, index, leg="claimed", entry="customer_dialled|2")


def _claimed(world: World, index: int, attempt: Try, rules: Rules) -> Moves:
    """Ask; then Dial."""
    name = NAMES[index]
    yield from end(f"the agent hangs up {name}", world, index, "customer_dialled||||16|", rules)
    if attempt.revoked and rules.has(Guard.CLAIM_THEN_ASK):
        record = "customer_dialled||refused_revoked||16|"
        yield from end(f"{name} is revoked: refused", world, index, record, rules)
        return
    broken = attempt.broken or _broken(world, index, attempt)
    dialling = update(world, index, leg="dialling", rung=min(attempt.rung + 1, 2), broken=broken)
    yield from _told(f"{name} RINGS THE CUSTOMER", dialling, index, CustomerDialling(), rules)


def _broken(world: World, index: int, attempt: Try) -> str:
    """The rule that ringing the customer now would break."""
    other = world.tries[1 - index]
    if other.leg in CUSTOMER_ALIVE:
        return "one leg at a time"
    if attempt.rung:
        return "rung once"
    if index == 0 and other.row:
        return "next only when the last cannot"
    return ""


def _dialling(world: World, index: int, _: Try, rules: Rules) -> Moves:
    name = NAMES[index]
    bridged = update(world, index, leg="bridged", entry="answered|3", answered=True)
    yield from _told(f"the customer answers {name}", bridged, index, Bridged(), rules)
    yield from end(f"the customer does not answer {name}", world, index, "customer_dialled|||NOANSWER|0|", rules)
    yield from end(f"the agent leaves {name} while it rings", world, index, "customer_dialled|||CANCEL|16|", rules)


def _bridged(world: World, index: int, _: Try, rules: Rules) -> Moves:
    record = "customer_dialled|3||ANSWER|16|customer"
    yield from end(f"the call of {NAMES[index]} ends", world, index, record, rules)
    handed = update(world, index, leg="handed over", entry="agent_left|4|3")
    yield from _told(f"the agent of {NAMES[index]} hands the call over", handed, index, LEG_GONE, rules)


def _handed_over(world: World, index: int, _: Try, rules: Rules) -> Moves:
    record = "customer_dialled|3||ANSWER|16|agent"
    yield from end(f"the call of {NAMES[index]} ends", world, index, record, rules)


_DIALPLAN = {
    "ringing": _ringing,
    "checked": _checked,
    "whisper": _whisper,
    "accepted": _accepted,
    "claimed": _claimed,
    "dialling": _dialling,
    "bridged": _bridged,
    "handed over": _handed_over,
}

_HUNG_UP = {
    "ringing": "||||26|",
    "checked": "||||26|",
    "whisper": "agent_answered||||26|",
    "accepted": "agent_answered||||26|",
    "claimed": "customer_dialled||||26|",
    "dialling": "customer_dialled|||CANCEL|26|",
    "bridged": "customer_dialled|3||ANSWER|26|",
    "handed over": "customer_dialled|3||ANSWER|26|",
}


def hang_up(label: str, world: World, index: int, rules: Rules) -> Moves:
    """`Gateway.hang_up`: the agent's leg and what is linked to it, by their ids."""
    attempt = world.tries[index]
    if attempt.leg and not attempt.stuck:
        yield from end(label, world, index, _HUNG_UP[attempt.leg], rules)
    else:
        yield f"{label}: nothing is hung up", world
