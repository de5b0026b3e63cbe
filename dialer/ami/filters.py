"""What we want to hear: the names of events, and the filters that make Asterisk send nothing else. No I/O.

Each filter has two forms: Asterisk 20.11, 21.6, 22.1 and later match one header of one event; earlier releases know
only a regular expression over an event's whole text, in which `.` matches line ends too.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dialer.ami.messages import ACTION_ID_PREFIX, Action, filter_event, filter_text
from dialer.ami.tracker import END_EVENT, TRACKED

LISTED = frozenset(
    {
        "CoreShowChannel",
        "CoreShowChannelsComplete",
        "DBGetResponse",
        "DBGetComplete",
        "DBGetTreeResponse",
        "DBGetTreeComplete",
        "DeviceStateListComplete",
    }
)
"""Events that come only in answer to an action of ours; filters do not apply to them."""

DEVICES = "DeviceStateChange"
STATES = "Newstate"
BOOTED = "FullyBooted"

WANTED = TRACKED | LISTED | {DEVICES, STATES, BOOTED}
"""Every event that anybody here reads."""

# The header that carries our prefix, for both legs of an attempt, or only for the agent's where that is enough.
_HEADERS = (
    ("OriginateResponse", "ActionID", ACTION_ID_PREFIX),
    ("DialBegin", "DestLinkedid", "mi-"),
    ("DialState", "DestLinkedid", "mi-"),
    ("DialEnd", "DestLinkedid", "mi-"),
    ("BridgeEnter", "Uniqueid", "mi-"),
    ("Hangup", "Uniqueid", "mi-"),
    ("UserEvent", "UserEvent", END_EVENT),
)
_ROOM = 900  # Bytes of a filter's value, within the 1,024 of its line.


PROBE = filter_event("action(probe)", "^Event: MiProbe[[:space:]]")
"""Tells which form an Asterisk takes: one that reads criteria refuses these; an older one does not look at them and
accepts an expression that matches nothing."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter, in its present and its older form."""

    present: Action
    older: Action


def filters(devices: Iterable[str], contexts: Iterable[str] = ()) -> list[Filter]:
    """The filters that let through our own calls, the states of these devices (`PJSIP/anna`), and each answer in one of
    these dialplan contexts that is of none of our calls."""
    ours = [
        Filter(
            filter_event(f"action(include),name({name}),header({header}),method(starts_with)", prefix),
            filter_text(f"^Event: {name}[[:space:]].*{header}: {prefix}"),
        )
        for name, header, prefix in _HEADERS
    ]
    states = [
        Filter(
            filter_event(f"action(include),name({DEVICES}),header(Device),method(regex)", f"^({group})$"),
            filter_text(f"^Event: {DEVICES}[[:space:]].*Device: ({group})[[:space:]]"),
        )
        for group in _groups(devices)
    ]
    return [*ours, *states, *_answers(contexts)]


def _answers(contexts: Iterable[str]) -> Iterator[Filter]:
    """Without a header an expression goes over the whole event, in the present form too."""
    answered = [f"ChannelState: 6[[:space:]].*Context: ({group})[[:space:]]" for group in _groups(contexts)]
    for each in answered:
        yield Filter(
            filter_event(f"action(include),name({STATES}),method(regex)", each),
            filter_text(f"^Event: {STATES}[[:space:]].*{each}"),
        )
    if answered:
        # The leg to a customer lies in its trunk's context, too; only its Linkedid says whose it is.
        yield Filter(
            filter_event(f"action(exclude),name({STATES}),header(Linkedid),method(starts_with)", "mi-"),
            filter_text(f"!^Event: {STATES}[[:space:]].*Linkedid: mi-"),
        )


def _groups(names: Iterable[str]) -> Iterator[str]:
    """Alternatives of a regular expression, as many as a line holds: one filter per name would cost Asterisk a
    comparison per name and event."""
    group = ""
    for name in sorted(re.escape(each) for each in names):
        if group and len(group) + len(name) >= _ROOM:
            yield group
            group = ""
        group = f"{group}|{name}" if group else name
    if group:
        yield group
