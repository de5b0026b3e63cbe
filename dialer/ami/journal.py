"""The journal's values (version 3), as the dialplan writes them to AstDB and sends them in `MiEnd`.

    agent_answered|t   customer_dialled|t   answered|t   agent_left|t|answered_at
    ended|t|step|answered_at|why|DIALSTATUS|cause|who|rang|sip

Older dialplans wrote the end without its last fields. Times are epoch milliseconds. Nothing here
raises: a value that cannot be read is an `Unfinished` of its own kind, because a key that exists is evidence, whatever
it holds.
"""

import re
from datetime import UTC, datetime, timedelta

from dialer.domain.outcome import EndRecord, JournalStep, Party
from dialer.engine.ports import Unfinished

FAMILY = "mi"
"""The journal's family in AstDB; the key is the attempt's channel id."""

UNREADABLE = "unreadable"

_STEPS = frozenset({"agent_answered", "customer_dialled", "answered", "agent_left"})
_FIELDS = range(7, 11)  # The last three came later, one by one: `who`, `rang` and `sip`.
_RANG = {"": None, "0": False, "1": True}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile(r"[0-9]{1,14}", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]{0,40}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{0,3}", re.ASCII)


def parse(value: str) -> EndRecord | Unfinished:
    """What a journal value says; `Unfinished("unreadable")` for anything that the dialplan does not write."""
    step, *fields = value.split("|")
    if step == "ended":
        return parse_end(value) or Unfinished(UNREADABLE)
    if step in _STEPS and fields and _time(fields[0]) is not None:
        return Unfinished(step)
    return Unfinished(UNREADABLE)


def parse_end(value: str) -> EndRecord | None:
    """The record of an end, or None when the value is not a whole one."""
    fields = value.split("|")
    if fields[0] != "ended" or len(fields) not in _FIELDS:
        return None
    _, ended, step, answered, why, dial_status, cause, who, rang, sip = (*fields, "", "", "")[:10]
    ended_at, answered_at = _time(ended), _time(answered)
    known = step in set(JournalStep) and who in {"", *Party} and rang in _RANG
    words = _WORD.fullmatch(why) and _WORD.fullmatch(dial_status)
    numbers = _NUMBER.fullmatch(cause) and _NUMBER.fullmatch(sip)
    if ended_at is None or (answered and answered_at is None) or not (known and words and numbers):
        return None
    return EndRecord(
        ended_at=ended_at,
        step=JournalStep(step),
        answered_at=answered_at,
        why=why,
        dial_status=dial_status,
        cause=int(cause or 0),
        hung_up_by=Party(who) if who else None,
        rang=_RANG[rang],
        sip=int(sip or 0),
    )


def _time(milliseconds: str) -> datetime | None:
    """UTC; None for what is no count of milliseconds (14 digits reach the year 5138)."""
    if _MILLISECONDS.fullmatch(milliseconds) is None:
        return None
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
