"""The lab's generated configuration: what is about ports, folders and test phones. What ships is used as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.behaviour import DEFAULT_AGENT, DEFAULT_CUSTOMER
from tests.lab.certificates import Certificates
from tests.lab.ports import HOST, RTP_FIRST, RTP_LAST
from tests.lab.tree import Tree

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "asterisk"
TRUNK = "mi-trunk"
LAB_USER = "lab"  # an AMI account that may do everything, on both sides
MAX_FILES = 16384  # 250 calls with audio take some 2,500


@dataclass(frozen=True)
class Side:
    """Where one Asterisk of the lab lives and listens."""

    home: Path
    sip_port: int
    ami_port: int
    ami_tls_port: int


@dataclass(frozen=True)
class Secrets:
    """AMI secrets of this lab."""

    dialer: str
    lab: str


def write_pbx(
    tree: Tree,
    side: Side,
    far: Side,
    secrets: Secrets,
    certificates: Certificates,
    agents: Sequence[str],
    unregistered: Sequence[str],
) -> None:
    """Configure the PBX under test."""
    modules = (SHIPPED / "modules_mi.conf.example").read_text()
    files = _common(tree, side)
    files["modules.conf"] = modules.replace("[modules]", "[modules]\nautoload = no")
    files["manager.conf"] = _manager(side, secrets, certificates) + "#include manager_mi.conf\n"
    files["manager_mi.conf"] = (SHIPPED / "manager_mi.conf").read_text().replace("CHANGE-ME", secrets.dialer)
    files["extensions.conf"] = f"#include {SHIPPED / 'extensions_mi.conf'}\n{PBX_EXTENSIONS}"
    files["pjsip.conf"] = _pjsip(side) + _pbx_endpoints(far, agents, unregistered)
    _write(side, files)


def write_far_end(tree: Tree, side: Side, pbx: Side, secrets: Secrets, certificates: Certificates) -> None:
    """Configure the far end."""
    modules = (SHIPPED / "modules_mi.conf.example").read_text().replace("[modules]", "[modules]\nautoload = no")
    files = _common(tree, side)
    files["modules.conf"] = modules + "".join(f"load = {name}.so\n" for name in FAR_MODULES)
    files["manager.conf"] = _manager(side, secrets, certificates)
    files["cdr.conf"] = "[general]\nenable = yes\nunanswered = yes\ncongestion = yes\n"
    files["cdr_custom.conf"] = f"[mappings]\n{side.home}/calls.csv => {_cdr_line()}\n"
    files["extensions.conf"] = (
        FAR_EXTENSIONS.replace("@AGENT@", DEFAULT_AGENT.encode())
        .replace("@CUSTOMER@", DEFAULT_CUSTOMER.encode())
        .replace("@PBX@", f"{HOST}:{pbx.sip_port}")
    )
    files["pjsip.conf"] = _pjsip(side) + FAR_ENDPOINT.replace("@HOST@", HOST).replace("@PBX@", f"{HOST}:{pbx.sip_port}")
    _write(side, files)


def _write(side: Side, files: dict[str, str]) -> None:
    for folder in ("etc", "run", "log", "spool", "db"):
        (side.home / folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (side.home / "etc" / name).write_text(text)


def _common(tree: Tree, side: Side) -> dict[str, str]:
    home = side.home
    folders = {
        "astetcdir": home / "etc",
        "astmoddir": tree.modules,
        "astvarlibdir": home / "db",
        "astdbdir": home / "db",
        "astkeydir": home / "db",
        "astdatadir": tree.data,
        "astagidir": home / "db",
        "astspooldir": home / "spool",
        "astrundir": home / "run",
        "astlogdir": home / "log",
        "astsbindir": home / "run",
    }
    lines = "".join(f"{name} => {path}\n" for name, path in folders.items())
    return {
        **dict.fromkeys(EMPTY, "; nothing to change\n"),
        "asterisk.conf": f"[directories]\n{lines}\n[options]\nmaxfiles = {MAX_FILES}\n",
        "logger.conf": "[general]\nqueue_log = no\n[logfiles]\nmessages => notice,warning,error\n",
        "rtp.conf": f"[general]\nrtpstart = {RTP_FIRST}\nrtpend = {RTP_LAST}\nstrictrtp = no\n",
        "indications.conf": INDICATIONS,
        "cdr.conf": "[general]\nenable = no\n",
        "musiconhold.conf": f"[default]\nmode = files\ndirectory = {tree.data}/sounds/en/digits\n",
    }


def _manager(side: Side, secrets: Secrets, certificates: Certificates) -> str:
    return f"""[general]
enabled = yes
bindaddr = {HOST}
port = {side.ami_port}
tlsenable = yes
tlsbindaddr = {HOST}:{side.ami_tls_port}
tlscertfile = {certificates.certificate}
tlsprivatekey = {certificates.key}
authlimit = 500

[{LAB_USER}]
secret = {secrets.lab}
read = all
write = all
writetimeout = 2000

"""


def _pjsip(side: Side) -> str:
    return f"""[global]
type = global
endpoint_identifier_order = ip,username

[lab-udp]
type = transport
protocol = udp
bind = {HOST}:{side.sip_port}

"""


def _pbx_endpoints(far: Side, agents: Sequence[str], unregistered: Sequence[str]) -> str:
    """Endpoints after the shipped example, less what needs a network: registration, qualification, time-outs."""
    loopback = f"media_address = {HOST}\nbind_rtp_to_media_address = yes\n"
    shipped = (SHIPPED / "pjsip_mi.conf.example").read_text().replace("rtp_timeout", ";rtp_timeout")
    shipped = shipped.replace("qualify_frequency", ";qualify_frequency")
    templates = shipped.replace("type = endpoint\n", f"type = endpoint\n{loopback}")
    parts = [templates, f"[{TRUNK}](mi-trunk-template)\naors = {TRUNK}\n"]
    parts.append(f"[{TRUNK}](mi-aor-template)\ncontact = sip:{HOST}:{far.sip_port}\n")
    parts.append(f"[{TRUNK}]\ntype = identify\nendpoint = {TRUNK}\nmatch = {HOST}\n")
    for name in (*agents, *unregistered):
        parts.append(f"[{name}](mi-agent-template)\naors = {name}\n[{name}](mi-aor-template)\n")
        if name not in unregistered:
            parts.append(f"contact = sip:dev_{name}@{HOST}:{far.sip_port}\n")
    return "".join(parts)


def _cdr_line() -> str:
    fields = [f"CDR({name})" for name in CDR_TEXTS] + [f"CDR({name},{option})" for name, option in CDR_TIMES.items()]
    return ",".join(f"${{CSV_QUOTE(${{{field}}})}}" for field in fields)


CDR_TEXTS = (
    "who", "dialled", "cid_num", "cid_name", "callback_id", "page1", "page2", "page3", "department", "link1", "link2",
    "disposition", "ended_by", "uniqueid",
)  # fmt: skip
CDR_TIMES = {"start": "u", "answer": "u", "end": "u", "duration": "f", "billsec": "f"}  # seconds, to the microsecond

FAR_MODULES = ("app_echo", "app_senddtmf", "app_transfer", "cdr_custom", "func_cdr", "func_cut", "res_cdrel_custom")

EMPTY = ("acl.conf", "ccss.conf", "cel.conf", "features.conf", "pjproject.conf", "udptl.conf")  # else a warning each

INDICATIONS = """[general]
country = uk
[uk]
description = United Kingdom
ringcadence = 400,200,400,2000
dial = 350+440
ring = 400+450/400,0/200,400+450/400,0/2000
busy = 400/375,0/375
congestion = 400/400,0/350,400/225,0/525
"""

PBX_EXTENSIONS = """
; Where the agents' own calls and transfers go, and calls that are none of the dialer's.
[from-agents]
exten => _[a-z][a-z0-9]!,1,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup()
exten => _[+0-9]!,1,Dial(PJSIP/${EXTEN}@mi-trunk,30)
 same => n,Hangup()

; Calls that come in by the trunk: a voice that answers, the same behind a menu of its own, a bell that nobody hears,
; or an agent's phone.
[from-trunk]
exten => voice,1,Answer()
 same => n,Wait(60)
exten => menu,1,Goto(menu,s,1)
exten => nobody,1,Ringing()
 same => n,Wait(60)
exten => _[a-z]!,1,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup()

[menu]
exten => s,1,Answer()
 same => n,Wait(60)
"""

FAR_ENDPOINT = """[pbx]
type = endpoint
context = far
disallow = all
allow = alaw,ulaw
direct_media = no
media_address = @HOST@
bind_rtp_to_media_address = yes
aors = pbx

[pbx]
type = aor
contact = sip:@PBX@

[pbx]
type = identify
endpoint = pbx
match = @HOST@
"""

FAR_EXTENSIONS = """; Carrier, customers and agents' phones by number. Each call plays the script that behaviour.py
; wrote for its phone, and leaves one line in the far end's own CDR.

[globals]
DEFAULT_AGENT=@AGENT@
DEFAULT_CUSTOMER=@CUSTOMER@

[far]
exten => _dev_.,1,Gosub(phone,s,1(agent,${EXTEN:4},${DEFAULT_AGENT}))
exten => _[+0-9]!,1,Gosub(phone,s,1(customer,${EXTEN},${DEFAULT_CUSTOMER}))

[phone]                                      ; (agent or customer, name or number, default script)
exten => s,1,Set(CDR(who)=${ARG1})
 same => n,Set(CDR(dialled)=${ARG2})
 same => n,Set(CDR(cid_num)=${CALLERID(num)})
 same => n,Set(CDR(cid_name)=${CALLERID(name)})
 same => n,Set(CDR(callback_id)=${PJSIP_HEADER(read,X-Mi-Callback-Id)})
 same => n,Set(PAGE=${PJSIP_HEADER(read,X-Mi-Page)})
 same => n,Set(CDR(page1)=${PAGE:0:400})      ; a CDR gives back 511 bytes of a value
 same => n,Set(CDR(page2)=${PAGE:400:400})
 same => n,Set(CDR(page3)=${PAGE:800})
 same => n,Set(CDR(department)=${PJSIP_HEADER(read,X-Mi-Department)})
 same => n,Set(LINK=${PJSIP_HEADER(read,Call-Info)})
 same => n,Set(CDR(link1)=${LINK:0:400})
 same => n,Set(CDR(link2)=${LINK:400})
 same => n,Set(SCRIPT=${DB(${ARG1}/${ARG2})})
 same => n,ExecIf($["${SCRIPT}" = ""]?Set(SCRIPT=${ARG3}))
 same => n,Set(ALERT=${CUT(SCRIPT,|,1)})
 same => n,Set(RING=${CUT(SCRIPT,|,2)})
 same => n,Set(REFUSE=${CUT(SCRIPT,|,3)})
 same => n,Set(PRESS=${CUT(SCRIPT,|,4)})
 same => n,Set(PRESS_AT=${CUT(SCRIPT,|,5)})
 same => n,Set(AFTER=${CUT(SCRIPT,|,6)})
 same => n,Set(TRANSFER=${CUT(SCRIPT,|,7)})
 same => n,Set(AUDIO=${CUT(SCRIPT,|,8)})
 same => n,Set(FORWARD=${CUT(SCRIPT,|,9)})
 same => n,ExecIf($["${ALERT}" = "180"]?Ringing())
 same => n,ExecIf($["${ALERT}" = "183"]?Progress())
 same => n,ExecIf($["${ALERT}" = "183"]?Playtones(ring))
 same => n,Wait($[${RING} < 0 ? 86400 :: ${RING} / 1000])
 same => n,ExecIf($[${REFUSE} > 0]?PJSIPHangup(${REFUSE}))
 same => n,ExecIf($["${FORWARD}" != ""]?Transfer(PJSIP/sip:${FORWARD}@@PBX@))
 same => n,ExecIf($["${FORWARD}" != ""]?Hangup())
 same => n,StopPlaytones()
 same => n,Answer(,i)
 same => n,ExecIf($["${AUDIO}" = "tone"]?Playtones(440))
 same => n,GotoIf($["${PRESS}" = ""]?pressed)
 same => n,Wait($[${PRESS_AT} / 1000])
 same => n,SendDTMF(${PRESS},100,100)
 same => n,ExecIf($["${AUDIO}" = "tone"]?Playtones(440))
 same => n(pressed),ExecIf($["${AUDIO}" = "echo" & ${AFTER} >= 0]?Set(TIMEOUT(absolute)=$[${AFTER} / 1000]))
 same => n,ExecIf($["${AUDIO}" = "echo"]?Echo())
 same => n,Wait($[${AFTER} < 0 ? 86400 :: ${AFTER} / 1000])
 same => n,Set(CDR(ended_by)=phone)
 same => n,ExecIf($["${TRANSFER}" != ""]?Transfer(PJSIP/sip:${TRANSFER}@@PBX@))
 same => n,Hangup()
"""
