"""What needs a PBX: the doctor on a sound one and on each fault, and test calls through a running daemon."""

import asyncio
import json
import re
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialer.ami.messages import DIALPLAN_VERSION
from dialer.cli.doctor.pbx import MODULES
from dialer.store import schema
from tests.cli.host import Host, environment
from tests.lab import Agent, Customer, Lab
from tests.lab.config import SHIPPED
from tests.rig import Daemon, Department, House, request

BUSY, ANSWERS = "+441614960701", "+441614960702"


@dataclass(frozen=True)
class Told:
    """What a command told, line by line."""

    code: int
    lines: list[str]
    errors: str

    def about(self, check: str) -> str:
        (line,) = (line for line in self.lines if f": {check}: " in line)
        return line

    @property
    def failed(self) -> list[str]:
        return [line for line in self.lines if line.startswith("FAIL ")]


async def tell(host: Host, *arguments: str) -> Told:
    process = await asyncio.create_subprocess_exec(
        *host.command(*arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    out, errors = await process.communicate()
    return Told(process.returncode or 0, out.decode().splitlines(), errors.decode())


def house(lab: Lab, folder: Path, *, agents: tuple[str, ...] = ("anna", "ben"), tls: bool = False) -> Host:
    """A host for the lab."""
    House(lab, folder, [Department("sales", agents)], tls=tls).write()
    return Host(folder)


def edited(host: Host, old: str, new: str) -> Host:
    text = host.config.read_text()
    assert old in text
    host.configure(text.replace(old, new))
    return host


async def test_a_sound_pbx(lab: Lab, tmp_path: Path) -> None:
    hosts = house(lab, tmp_path / "plain"), house(lab, tmp_path / "secure", tls=True)
    for host in hosts:
        await schema.upgrade(host.database)
    plain, secure = await asyncio.gather(tell(hosts[0], "doctor"), tell(hosts[1], "doctor", "--json"))
    assert plain.failed == []
    assert (plain.code, plain.errors) == (0, "")
    assert plain.about("login").endswith("by asterisk-ami, which shares no code with the daemon")
    assert re.search(r"Asterisk [0-9]+\.", plain.about("version"))
    assert plain.about("agent ben") == "ok   PBX main: agent ben: PJSIP/ben is NOT_INUSE"
    assert re.search(r"[+-]0\.0[0-9]{2} s from ours, give or take [0-9.]+ ms", plain.about("clock"))
    checks = [json.loads(line) for line in secure.lines]
    assert (secure.code, secure.errors) == (0, "")
    assert all(check["ok"] for check in checks)
    assert "asterisk-ami cannot speak TLS" in next(check["found"] for check in checks if check["check"] == "login")
    assert len(checks) == len(plain.lines)


async def test_a_store_that_was_put_back_from_a_backup_is_told_before_it_rings_anybody_again(tmp_path: Path) -> None:
    number = "+441174960911"
    with Lab.create() as own, Daemon(House(own, tmp_path, [Department("sales", ("anna",))])) as daemon:
        own.customer(number, Customer.answer(talk_ms=300))
        await daemon.ready()
        assert daemon.cli("pause").returncode == 0
        (id_,) = daemon.submit([request(number)])
        backup = tmp_path / "backup.db"
        await asyncio.to_thread(_back_up, daemon.database, backup)
        assert daemon.cli("resume").returncode == 0
        await daemon.until_settled([id_], final=True)
        host = Host(tmp_path)
        assert "ok   PBX main: journal: no call is younger" in (await tell(host, "doctor")).about("journal")
        assert daemon.stop() == 0
        backup.rename(daemon.database)
        told = await tell(host, "doctor")
        assert (told.code, len(told.failed)) == (1, 1)
        assert "FAIL PBX main: journal: it made 1 call that our store does not know, the last at 20" in told.failed[0]
        assert own.rung(number) == 1


def _back_up(database: Path, to: Path) -> None:
    """As `sqlite3 dialer.db '.backup …'` does, under a living daemon."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


async def test_faults_of_the_configuration(lab: Lab, tmp_path: Path) -> None:
    ami = lab.ami
    hosts = {
        "wrong secret": edited(house(lab, tmp_path / "a"), ami.secret, "not-the-secret"),
        "wrong secret, TLS": edited(house(lab, tmp_path / "b", tls=True), ami.secret, "not-the-secret"),
        "unknown authority": edited(house(lab, tmp_path / "c", tls=True), f'ca_file = "{ami.ca_file}"', ""),
        "nobody there": edited(house(lab, tmp_path / "d"), f"port = {ami.port}", "port = 1"),
        "TLS port": edited(
            house(lab, tmp_path / "e"), f"port = {ami.port}", f"port = {ami.tls_port}\nconnect_timeout_seconds = 0.5"
        ),
        "no name": edited(house(lab, tmp_path / "f"), f'host = "{ami.host}"', 'host = "no..name"'),
        "no secret": edited(house(lab, tmp_path / "g"), f'secret = "{ami.secret}"', 'secret_file = "secret"'),
        "trunk": edited(house(lab, tmp_path / "h"), f'endpoint = "{lab.trunk}"', 'endpoint = "nowhere"'),
        "agents": house(lab, tmp_path / "i", agents=("anna", "ursula", "nobody")),
        "device": edited(house(lab, tmp_path / "j"), '"PJSIP/ben"', '"PJSIP/ben"\ndevice = "Custom:ben"'),
    }
    told = dict(zip(hosts, await asyncio.gather(*(tell(host, "doctor") for host in hosts.values())), strict=True))
    assert {each.code for each in told.values()} == {1}
    assert {each.errors for each in told.values()} == {""}
    for name in ("wrong secret", "wrong secret, TLS"):
        assert "refuses our user or secret (compare with [mi-dialer] in the PBX's manager.conf" in told[name].lines[-1]
        assert "not-the-secret" not in "".join(told[name].lines)
    assert "its certificate is not trusted" in told["unknown authority"].lines[-1]
    assert "127.0.0.1:1: connection refused (is Asterisk running" in told["nobody there"].lines[-1]
    assert "it does not answer within 0.5 s" in told["TLS port"].lines[-1]
    assert "its name cannot be resolved" in told["no name"].lines[-1]
    assert told["no secret"].lines[-1].startswith("FAIL PBX main: secret: cannot read ")
    assert "there is no PJSIP endpoint nowhere (add it" in told["trunk"].about("trunk carrier")
    assert "PJSIP/ursula is not registered (register the phone" in told["agents"].about("agent ursula")
    assert "there is no PJSIP endpoint nobody (add it" in told["agents"].about("agent nobody")
    assert told["agents"].about("agent anna").startswith("ok ")
    assert "Custom:ben is without a state" in told["device"].about("agent ben")
    assert all("(run: dialer db upgrade)" in each.about("store") for each in told.values())


async def test_faults_of_the_pbx(tmp_path: Path) -> None:
    with Lab.create() as own:
        feeble = edited(house(own, tmp_path / "feeble"), 'username = "mi-dialer"', 'username = "feeble"')
        manager = own.pbx.home / "etc" / "manager.conf"
        manager.write_text(f"{manager.read_text()}\n[feeble]\nsecret = {own.ami.secret}\nread = call\nwrite = call\n")
        for command in ("manager reload", "dialplan set global MI_DIALPLAN_VERSION 0", "module unload app_playtones"):
            own.pbx.cli(command)
        stale = house(own, tmp_path / "a")
        old, weak, run = await asyncio.gather(tell(stale, "doctor"), tell(feeble, "doctor"), tell(stale, "run"))
        (own.pbx.home / "etc" / "extensions.conf").write_text("[globals]\n")
        pjsip = own.pbx.home / "etc" / "pjsip.conf"
        pjsip.write_text(pjsip.read_text().replace("allow_transfer = no ", "allow_transfer = yes "))
        own.pbx.cli("core restart now")
        own.pbx.wait_stopped()
        own.pbx.start()
        none = await tell(stale, "doctor")
    assert run.code == 2
    assert run.errors.splitlines()[-1].startswith(
        f"dialer: PBX main: its dialplan is of version 0, this program needs {DIALPLAN_VERSION}"
    )
    assert f"version 0; this program needs {DIALPLAN_VERSION} (install the extensions_mi.conf" in old.about("dialplan")
    assert "not loaded: app_playtones (load them in modules.conf" in old.about("modules")
    assert "lets the customer's side transfer an agent's leg (set allow_transfer = no" in none.about("trunk carrier")
    assert "ours is not loaded (copy extensions_mi.conf" in none.about("dialplan")
    assert "the account lacks system, originate (write = system,call,originate" in weak.about("write")
    assert "no system events come (read = system,call,user" in weak.about("read")
    assert "could not write a key" in weak.about("AstDB")
    assert {each.code for each in (old, weak, none)} == {1}


def test_every_module_that_is_checked_for_is_one_that_we_ask_to_load() -> None:
    asked = re.findall(r"^load = (\w+)\.so$", (SHIPPED / "modules_mi.conf.example").read_text(), re.MULTILINE)
    assert set(MODULES) <= set(asked)


@pytest.fixture
async def daemon(lab: Lab, tmp_path: Path) -> AsyncIterator[Daemon]:
    lab.customer(BUSY, Customer.busy())
    lab.customer(ANSWERS, Customer.answer(talk_ms=500))
    departments = [
        Department("sales", ["anna"]),
        Department("deaf", ["ben"], more=("agent_ring = 1",)),
        Department("absent", ["ursula"]),
        Department("closed", ["cleo"], hours='hours = { mon = ["00:00-00:01"] }'),
    ]
    lab.agent("ben", Agent.no_answer())
    with Daemon(House(lab, tmp_path, departments)) as running:
        await running.until_logged("daemon.ready")
        yield running


async def test_test_calls(daemon: Daemon) -> None:
    host = Host(daemon.house.folder)
    connected, refused, silent = await asyncio.gather(
        tell(host, "call-test", "sales", "--to", ANSWERS, "--json"),
        tell(host, "call-test", "deaf", "--to", ANSWERS),
        tell(host, "call-test", "absent", "--to", ANSWERS, "--wait", "1"),
    )
    *steps, outcome = (json.loads(line) for line in connected.lines)
    assert (connected.code, outcome["outcome"]) == (0, "connected")
    assert [step["step"] for step in steps if step["step"] in {"agent_answered", "bridged", "ended"}] == [
        "agent_answered",
        "bridged",
        "ended",
    ]
    assert (refused.code, refused.lines[-1]) == (1, "agent_no_answer")
    assert re.match(r"\S+Z  intent", refused.lines[0])
    assert (silent.code, silent.lines) == (1, [])
    assert silent.errors.startswith("dialer: absent: no agent was free within 1 s; the test is called off (see dialer")
    busy = await tell(host, "call-test", "sales", "--to", BUSY)
    assert (busy.code, busy.lines[-1]) == (1, "customer_busy: sip_486")
    listed = await tell(host, "callbacks", "list", "--status", "scheduled", "--status", "in_progress")
    assert listed.lines == []


async def test_a_test_call_is_refused_while_closed_or_paused(daemon: Daemon) -> None:
    host = Host(daemon.house.folder)
    await tell(host, "pause")
    paused, closed = await asyncio.gather(
        tell(host, "call-test", "sales", "--to", ANSWERS), tell(host, "call-test", "closed", "--to", ANSWERS)
    )
    assert paused.errors.startswith("dialer: everything is paused by ")
    assert closed.errors.startswith("dialer: closed: the department is closed until ")
    assert (paused.code, closed.code) == (1, 1)
    assert (await tell(host, "callbacks", "list")).lines == []


async def test_the_daemon_ends_with_two_for_a_secret_that_is_refused(lab: Lab, tmp_path: Path) -> None:
    wrong = edited(house(lab, tmp_path), lab.ami.secret, "not-the-secret")
    done = await tell(wrong, "run")
    assert done.code == 2
    last = done.errors.splitlines()[-1]
    assert last.startswith("dialer: PBX main at 127.0.0.1:")
    assert "not-the-secret" not in done.errors


async def test_the_daemon_ends_with_zero_when_told_to_stop(daemon: Daemon) -> None:
    daemon.signal(signal.SIGTERM)
    assert await asyncio.to_thread(daemon.wait) == 0
