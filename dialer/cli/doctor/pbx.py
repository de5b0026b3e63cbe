"""The checks of one PBX, through either client. Nobody is rung, and nothing is left behind but log lines there."""

import re
import time
from collections.abc import Iterator
from secrets import token_hex

from dialer.ami.messages import DIALPLAN_VERSION
from dialer.cli.doctor import journal
from dialer.cli.doctor.client import Client, Headers
from dialer.cli.doctor.findings import Finding, bad, good
from dialer.domain.directory import Agent, Directory, Trunk
from dialer.domain.errors import PbxError
from dialer.settings import Settings

MODULES = (
    *("pbx_config", "app_db", "app_dial", "app_exec", "app_playback", "app_playtones", "app_read", "app_stack"),
    *("app_userevent", "func_callerid", "func_channel", "func_db", "func_hangupcause", "func_logic", "func_strings"),
    *("func_timeout", "bridge_simple", "res_manager_devicestate", "chan_pjsip", "res_pjsip", "res_pjsip_caller_id"),
    *("res_pjsip_header_funcs", "res_pjsip_sdp_rtp", "res_pjsip_session", "res_rtp_asterisk"),
)
"""Modules of `config/asterisk/modules_mi.conf.example` without which no callback can be placed."""

_OLDEST = 18
_MAX_SKEW = 2.0  # seconds: the dialplan refuses what is answered after its time, by the PBX's clock
_NOBODY = "PJSIP/mi-doctor-nobody"
_FAMILY = "mi-doctor"
_ABSENT = frozenset({"UNAVAILABLE", "INVALID", "UNKNOWN", ""})
_DENIED = "Permission denied"
_ACCOUNT = "in manager.conf, as in manager_mi.conf, then: manager reload"


def examine(name: str, client: Client, settings: Settings, directory: Directory) -> Iterator[Finding]:
    """All checks of the PBX `name`, in the order in which one would mend them."""
    place = f"PBX {name}"
    yield good(place, "login", client.how)
    try:
        yield from _version(place, client)
        yield from _privileges(place, client)
        yield from _dialplan(place, client)
        yield from _modules(place, client)
        yield from _endpoints(place, client, directory, name)
        yield from _database(place, client)
        yield from journal.examine(settings, place, client)
        yield from _clock(place, client)
    except PbxError as error:
        yield bad(place, "link", error.what, error.remedy or "see the PBX's log and load, then run this again")


def _version(place: str, client: Client) -> Iterator[Finding]:
    version = client.ask("CoreSettings", {}).get("AsteriskVersion", "")
    number = re.search(r"(?:^|/)([0-9]+)[.-]", version)
    if number is None:
        yield bad(place, "version", f"it calls its version “{version}”", f"use a release, {_OLDEST} or later")
    elif int(number[1]) < _OLDEST:
        yield bad(place, "version", f"Asterisk {version}", f"upgrade to {_OLDEST} or later, best to 22")
    else:
        yield good(place, "version", f"Asterisk {version}")


def _privileges(place: str, client: Client) -> Iterator[Finding]:
    """What the account may send, by harmless tries; and what it is sent."""
    filtered, form = _filtered(client)
    client.ask("Events", {"EventMask": "on"})
    answers = {
        "system": filtered,
        "call": client.ask("Getvar", {"Variable": "EPOCH"}),
        # To an endpoint that is not there: it rings nobody, and its failure comes back as a call's event.
        "originate": client.ask("Originate", {"Channel": _NOBODY, "Application": "Hangup", "Async": "true"}),
    }
    lacking = [name for name, answer in answers.items() if answer["Response"] != "Success"]
    if lacking:
        remedy = f"write = system,call,originate {_ACCOUNT}"
        yield bad(place, "write", f"the account lacks {', '.join(lacking)}", remedy)
    else:
        yield good(place, "write", "system, call, originate")
    events = {"system": "FullyBooted", "call": "OriginateResponse"}
    expected = [name for name in events if name != "call" or "originate" not in lacking]
    unheard = [name for name in expected if not client.wait_for(events[name], lambda _: True)]
    if unheard:
        yield bad(place, "read", f"no {' or '.join(unheard)} events come", f"read = system,call,user {_ACCOUNT}")
    else:
        yield good(place, "read", f"{', '.join(expected)} (user events come with calls only)")
    if "system" not in lacking:
        yield good(place, "filters", form)


def _filtered(client: Client) -> tuple[Headers, str]:
    """Have nothing but our own try's event sent; the answer, and the form of filter that the PBX takes."""
    criteria = "action(include),name(OriginateResponse)"
    answer = client.ask("Filter", {"Operation": "Add", "MatchCriteria": criteria, "Filter": ""})
    if answer["Response"] == "Success" or answer.get("Message") == _DENIED:
        return answer, "by event and header"
    answer = client.ask("Filter", {"Operation": "Add", "Filter": "^Event: OriginateResponse"})
    return answer, "by text, which costs the PBX more: 20.11, 21.6, 22.1 and later do it by header"


def _dialplan(place: str, client: Client) -> Iterator[Finding]:
    version = client.ask("Getvar", {"Variable": "MI_DIALPLAN_VERSION"}).get("Value", "")
    if version == DIALPLAN_VERSION:
        yield good(place, "dialplan", f"version {version}")
    elif version:
        remedy = "install the extensions_mi.conf that came with this program, then: dialplan reload"
        yield bad(place, "dialplan", f"version {version}; this program needs {DIALPLAN_VERSION}", remedy)
    else:
        remedy = "copy extensions_mi.conf to the PBX, #include it in extensions.conf, then: dialplan reload"
        yield bad(place, "dialplan", "ours is not loaded", remedy)


def _modules(place: str, client: Client) -> Iterator[Finding]:
    missing = [module for module in MODULES if client.ask("ModuleCheck", {"Module": module})["Response"] != "Success"]
    if missing:
        remedy = f"load them in modules.conf, now with: module load {missing[0]}.so"
        yield bad(place, "modules", f"not loaded: {', '.join(missing)}", remedy)
    else:
        yield good(place, "modules", f"all {len(MODULES)} needed ones are loaded")


def _endpoints(place: str, client: Client, directory: Directory, pbx: str) -> Iterator[Finding]:
    client.ask("DeviceStateList", {}, "DeviceStateListComplete")
    states = {event.get("Device", ""): event.get("State", "") for event in client.seen("DeviceStateChange")}
    for trunk in directory.trunks.values():
        if trunk.pbx == pbx:
            yield _trunk(place, client, trunk, states.get(f"PJSIP/{trunk.endpoint}", ""))
    for agent in directory.agents.values():
        if agent.pbx == pbx:
            yield _agent(place, client, agent, states.get(agent.device, ""))


def _trunk(place: str, client: Client, trunk: Trunk, state: str) -> Finding:
    check = f"trunk {trunk.id}"
    if not _known(client, trunk.endpoint):
        remedy = "add it as in pjsip_mi.conf.example, then: module reload res_pjsip.so"
        return bad(place, check, f"there is no PJSIP endpoint {trunk.endpoint}", remedy)
    allowed = {"Variable": f"PJSIP_ENDPOINT({trunk.endpoint},allow_transfer)"}
    if client.ask("Getvar", allowed).get("Value") == "true":
        remedy = "set allow_transfer = no as in pjsip_mi.conf.example, then: module reload res_pjsip.so"
        return bad(place, check, f"{trunk.endpoint} lets the customer's side transfer an agent's leg", remedy)
    if state in _ABSENT:
        remedy = f"check contact, registration and qualify: pjsip show endpoint {trunk.endpoint}"
        return bad(place, check, f"{trunk.endpoint} is {state or 'without a state'}", remedy)
    return good(place, check, f"{trunk.endpoint} is {state}")


def _agent(place: str, client: Client, agent: Agent, state: str) -> Finding:
    check = f"agent {agent.id}"
    endpoint = agent.endpoint.removeprefix("PJSIP/")
    if not _known(client, endpoint):
        remedy = "add it as in pjsip_mi.conf.example, then: module reload res_pjsip.so"
        return bad(place, check, f"there is no PJSIP endpoint {endpoint}", remedy)
    if state == "UNAVAILABLE":
        remedy = f"register the phone; see: pjsip show endpoint {endpoint}"
        return bad(place, check, f"{agent.device} is not registered", remedy)
    if state in _ABSENT:
        remedy = "name a device whose state the PBX knows; see: core show hints, pjsip show endpoints"
        return bad(place, check, f"{agent.device} is {state or 'without a state'}", remedy)
    return good(place, check, f"{agent.device} is {state}")


def _known(client: Client, endpoint: str) -> bool:
    return client.ask("PJSIPShowEndpoint", {"Endpoint": endpoint})["Response"] == "Success"


def _database(place: str, client: Client) -> Iterator[Finding]:
    """Write a key of our own, read it back, delete it."""
    entry = {"Family": _FAMILY, "Key": token_hex(8)}
    value = token_hex(8)
    written = client.ask("DBPut", {**entry, "Val": value})["Response"] == "Success"
    read = client.ask("DBGet", entry)["Response"] == "Success"
    same = read and client.wait_for("DBGetResponse", lambda event: event.get("Val") == value)
    deleted = client.ask("DBDel", entry)["Response"] == "Success"
    if written and same and deleted:
        yield good(place, "AstDB", "written, read and deleted")
    else:
        step = "write" if not written else "read back" if not same else "delete"
        remedy = "check the disk's space and the rights on astdb.sqlite3 there, and write = system"
        yield bad(place, "AstDB", f"could not {step} a key", remedy)


def _clock(place: str, client: Client) -> Iterator[Finding]:
    before = time.time()
    started = time.monotonic()
    told = client.ask("Getvar", {"Variable": "STRFTIME(,,%s%3q)"}).get("Value", "")
    taken = time.monotonic() - started
    if not told.isdecimal():
        yield bad(place, "clock", "it does not tell its time", "load func_strings, and grant write = call")
        return
    skew = int(told) / 1000 - (before + taken / 2)
    found = f"{skew:+.3f} s from ours, give or take {taken / 2 * 1000:.1f} ms (one question, half its round trip)"
    if abs(skew) > _MAX_SKEW:
        yield bad(place, "clock", found, "keep both clocks by NTP: timedatectl, or chronyc tracking")
    else:
        yield good(place, "clock", found)
