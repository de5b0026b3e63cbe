"""The actions that we send, each made in one place. No I/O.

Names and headers are those of Asterisk's manager (`manager show command <name>`).
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from dialer.ami import encode, journal
from dialer.ami.codec import Message, Unsendable
from dialer.domain.ids import AttemptId, attempt_of, channel_id
from dialer.engine.ports import Order

DIALPLAN_VERSION = "3"
"""The version of `config/asterisk/extensions_mi.conf` that this program speaks with."""

_NOWHERE = "mi-nowhere"
"""A context that no dialplan has."""

ACTION_ID_PREFIX = "mi-"

_IDENTITY = "identity"

REVOKED = "mi-no"
"""The family of revocations in AstDB; the key is the attempt's channel id, the value the epoch in seconds."""

NO_CHANNEL = "No such channel"
"""What `Hangup` and `Getvar` are refused with when the channel is not there, or no longer."""

NO_CHANNEL_TO_REDIRECT = ("Channel does not exist", "Redirect failed, channel not up")
"""How `Redirect` is refused then, and when the channel is being hung up: the texts' beginnings."""

UP = "Up"
"""The state of a channel that was answered."""

_NON_SELECTED_USER_CLEARING = 26

_MAX_DEPARTMENT = 200
_ID_PARTS = 4
# What a configured value may hold inside a `Variable`, which Originate splits at commas and unquotes.
_PLAIN = re.compile(r"[\w+./&@:-]*", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Action:
    """One action without its ActionID, which the session gives.

    `complete` names the event that ends its list of events ('': the answer is a single response). `about` ties
    events that bear the ActionID to an attempt.
    """

    name: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    complete: str = ""
    about: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an action: its response, and the events of its list."""

    response: Message
    events: tuple[Message, ...] = ()


def challenge() -> Action:
    """Ask for the challenge of a login that never sends the secret."""
    return Action("Challenge", (("AuthType", "MD5"),))


def login(username: str, secret: str, question: str) -> Action:
    """Answer a challenge. Of all events only `system` until the filters are set: it carries `FullyBooted`."""
    # MD5 is the manager's only challenge; what protects the link is TLS or loopback.
    key = hashlib.md5((question + secret).encode(), usedforsecurity=False).hexdigest()
    return Action("Login", (("AuthType", "MD5"), ("Username", username), ("Key", key), ("Events", "system")))


def events_on() -> Action:
    """Let through every event that the filters allow."""
    return Action("Events", (("EventMask", "on"),))


def filter_event(criteria: str, value: str) -> Action:
    """Add a filter in the form of Asterisk 20.11, 21.6, 22.1 and later."""
    return Action("Filter", (("Operation", "Add"), ("MatchCriteria", criteria), ("Filter", value)))


def filter_text(pattern: str) -> Action:
    """Add a filter in the older form: a regular expression over the whole text of an event."""
    return Action("Filter", (("Operation", "Add"), ("Filter", pattern)))


def getvar(name: str) -> Action:
    """Ask for a global variable; the answer is the header `Value`."""
    return Action("Getvar", (("Variable", name),))


def channel_state(channel: str) -> Action:
    """Ask for a channel's state, by its Uniqueid; the answer is the header `Value`: `Ringing`, `Up` …"""
    return Action("Getvar", (("Channel", channel), ("Variable", "CHANNEL(state)")))


def ping() -> Action:
    """Ask for a sign of life."""
    return Action("Ping")


def clock() -> Action:
    """Ask what time it is for the PBX, in seconds of the epoch; the answer is the header `Value`."""
    return getvar("STRFTIME(,,%s)")


def core_status() -> Action:
    """Ask when Asterisk started."""
    return Action("CoreStatus")


def core_show_channels() -> Action:
    """Ask for every living channel."""
    return Action("CoreShowChannels", complete="CoreShowChannelsComplete")


def device_state_list() -> Action:
    """Ask for every device's state."""
    return Action("DeviceStateList", complete="DeviceStateListComplete")


def journal_get(attempt: AttemptId) -> Action:
    """Ask for an attempt's journal entry. By key: reading the whole family would hold AstDB's lock."""
    return _get(journal.FAMILY, attempt)


def revocation_get(attempt: AttemptId) -> Action:
    """Ask for an attempt's revocation."""
    return _get(REVOKED, attempt)


def identity_get() -> Action:
    """Ask for the identity of the PBX's database."""
    return Action("DBGet", (("Family", journal.FAMILY), ("Key", _IDENTITY)), complete="DBGetComplete")


def identity_put(value: str) -> Action:
    """Give the PBX's database an identity. It lies in the journal's family, so that whoever wipes that wipes both."""
    return Action("DBPut", (("Family", journal.FAMILY), ("Key", _IDENTITY), ("Val", value)))


def _get(family: str, attempt: AttemptId) -> Action:
    return Action("DBGet", (("Family", family), ("Key", channel_id(attempt))), complete="DBGetComplete")


def keys(family: str, prefix: str) -> Action:
    """Ask for the entries of those attempts whose ids begin with `prefix`: the match is an SQL LIKE."""
    like = f"{channel_id(AttemptId(prefix))}%"
    return Action("DBGetTree", (("Family", family), ("Key", like)), complete="DBGetTreeComplete")


def delete(family: str, attempt: AttemptId) -> Action:
    """Delete an attempt's entry."""
    return Action("DBDel", (("Family", family), ("Key", channel_id(attempt))))


def revocation_put(attempt: AttemptId, value: str) -> Action:
    """Revoke an attempt: from the acknowledgement on the dialplan finds `value` under its key."""
    return Action("DBPut", (("Family", REVOKED), ("Key", channel_id(attempt)), ("Val", value)))


def hangup(channel: str) -> Action:
    """Hang up a channel: by its Uniqueid, never by a name, which another channel may bear by then."""
    return Action("Hangup", (("Channel", channel), ("Cause", str(_NON_SELECTED_USER_CLEARING))))


def announce_revoked(channel: str) -> Action:
    """Take an answered channel, by its Uniqueid, out of whatever it is in: to the announcement that the call was
    cancelled, and then hung up."""
    return Action("Redirect", (("Channel", channel), ("Context", "mi-revoked"), ("Exten", "s"), ("Priority", "1")))


def originate(order: Order) -> Action:
    """Ring the agent, with the attempt as its ChannelId and everything that the dialplan needs.

    Raises `Unsendable` when a configured value holds what Originate would split.
    """
    if _NUMBER.fullmatch(order.number) is None:
        raise Unsendable("the number to dial is not a plain number")
    channel = channel_id(order.attempt)
    headers = (
        ("Channel", order.agent_endpoint),
        ("ChannelId", channel),
        ("Context", "mi-agent"),
        ("Exten", order.number),
        ("Priority", "1"),
        ("Async", "true"),
        ("Timeout", str(order.agent_ring * 1000)),
        ("CallerID", f'"{encode.caller_name(order.caller_name)}" <{order.number}>'),
        # Pushed first, so that an agent leg that is never answered is journalled too; the quotes keep the commas.
        ("Variable", f'CHANNEL(hangup_handler_push)="mi-end,s,1({_plain("ChannelId", channel)})"'),
        # A phone that forwards its calls would be followed on another channel, under another id, which has no journal.
        _variable("FORWARD_CONTEXT", _NOWHERE),
        _variable("MI_BY", _epoch(order.place_by)),
        *((_variable("MI_UNTIL", _epoch(order.ring_until)),) if order.ring_until else ()),
        _variable("MI_DB", order.identity),
        _variable("MI_TRUNK", order.trunk_endpoint),
        _variable("MI_CLI", order.caller_id),
        _variable("MI_RING", str(order.customer_ring)),
        _variable("MI_MAX", str(order.max_call)),
        _variable("MI_ACCEPT", "1" if order.press_to_accept else "0"),
        _variable("MI_WHISPER", order.whisper),
        _sip_header("Callback-Id", order.callback),
        _sip_header("Page", order.page),
        _sip_header("Department", order.department, _MAX_DEPARTMENT),
        *_call_info(order.page_link),
    )
    return Action("Originate", headers, about=order.attempt)


def _epoch(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def _variable(name: str, value: str) -> tuple[str, str]:
    return "Variable", f"{name}={_plain(name, value)}"


def _plain(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value) is None:
        raise Unsendable(f"{name} holds a character that an Originate cannot carry")
    return value


def _sip_header(name: str, text: str, limit: int = encode.MAX_VALUE) -> tuple[str, str]:
    return "Variable", f"PJSIP_HEADER(add,X-Mi-{name})={encode.encode_value(text, limit)}"


def _call_info(link: str) -> tuple[tuple[str, str], ...]:
    """The header by which a phone offers a page on the caller (RFC 3261, 20.9)."""
    encoded = encode.encode_link(link)
    return (("Variable", f"PJSIP_HEADER(add,Call-Info)=<{encoded}>;purpose=info"),) if encoded else ()


def action_id(session: str, number: int, attempt: AttemptId | None) -> str:
    """An ActionID that no other session on the PBX uses: `mi-<session>-<number>`, with the attempt that it is about.

    `OriginateResponse` goes to every session, and only its ActionID says whose it is.
    """
    base = f"{ACTION_ID_PREFIX}{session}-{number}"
    return f"{base}-{attempt}" if attempt else base


def about(identifier: str) -> AttemptId | None:
    """The attempt that an ActionID of ours (or of an earlier session of ours) is about."""
    parts = identifier.split("-")
    ours = len(parts) == _ID_PARTS and parts[0] == "mi"
    return attempt_of(f"mi-{parts[-1]}") if ours else None
