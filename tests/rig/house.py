"""The configuration of a small telephony host, written as `dialer.toml` for a lab."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.lab.lab import AmiAccess

ALWAYS = 'hours = { "mon-sun" = ["00:00-24:00"] }'
MAIN = "main"
"""The PBX of a house that has only one."""

Table = Mapping[str, object]

API: Table = {"listen": "127.0.0.1:0", "per_key": "1000/1s", "per_address": "1000/1s"}
"""The table of an API on any port that may be asked as fast as it answers."""

_AT_ANY_TIME = {"call_between": "00:00-24:00"}
_UNHURRIED: Table = {"patience": "never", "max_missed_rings": 0, "order": "round_robin"}
_UNSPACED: Table = {"least_gap": "0s", "jitter": 0}
_UNPACED: Table = {"calls_per_second": 1000}


class Manager(Protocol):
    """What is written down of a PBX: a `Lab`'s, or one's that is not there."""

    @property
    def ami(self) -> AmiAccess: ...

    @property
    def trunk(self) -> str: ...


@dataclass(frozen=True)
class Department:
    """One department; `more` is TOML of its own, such as `accept = "answer"`. Without `trunks` it has the carrier of
    each PBX that its agents are on. Its callbacks never expire, its agents ring as they are listed,
    and none of them is paused, unless `more` says so."""

    id: str
    agents: Sequence[str]
    name: str = ""
    caller_id: str = "+442079460100"
    hours: str = ALWAYS
    more: Sequence[str] = ()
    retry: Table = field(default_factory=dict)
    site: str = "shop"
    trunks: Sequence[str] = ()
    overflow: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """Everything that `dialer.toml` needs. `devices`: agents whose state is read off another device; `port`: another
    way to the AMI; `pbx`: more of `[pbx.main]`.

    `more_labs` are further PBXs by id, each with a trunk `<id>-carrier` beside the `carrier` of `lab`; `agent_pbx`:
    agents who are not on `lab`. `trunks` are further trunks, or more of those. Nothing is paced, nobody is too early or
    too late to be called, and nobody asks too often, unless the tables say so. `tables` are further tables, or more of
    any, by their full names: `{"desk": {…}, "pbx.second": {…}}`.
    """

    lab: Manager
    folder: Path
    departments: Sequence[Department]
    devices: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    secret: str = ""
    port: int = 0
    daemon: Table = field(default_factory=dict)
    pbx: Table = field(default_factory=dict)
    log_level: str = "debug"
    more_labs: Mapping[str, Manager] = field(default_factory=dict)
    agent_pbx: Mapping[str, str] = field(default_factory=dict)
    trunks: Mapping[str, Table] = field(default_factory=dict)
    accounts: Mapping[str, Table] = field(default_factory=dict)
    sites: Mapping[str, Table] = field(default_factory=lambda: {"shop": {}})
    tables: Mapping[str, Table] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The file."""
        return self.folder / "dialer.toml"

    @property
    def state(self) -> Path:
        """Where the daemon keeps its store and its socket."""
        return Path(str(self.daemon.get("state_dir", self.folder)))

    def write(self) -> Path:
        """Write the file and return its path."""
        for folder in (self.folder, self.state):
            folder.mkdir(parents=True, exist_ok=True)
        tables = self._own_tables()
        for name, table in self.tables.items():
            tables[name] = {**tables.get(name, {}), **table}
        text = "".join(_written(name, table) for name, table in tables.items())
        tomllib.loads(text)
        self.config.write_text(text)
        return self.config

    def _own_tables(self) -> dict[str, Table]:
        tables: dict[str, Table] = {
            "daemon": {"state_dir": str(self.folder), "agent_rest_seconds": 1, **self.daemon},
            "log": {"level": self.log_level, "format": "json"},
            "limits": {"per_number": [], "per_visitor": []},
            **self._pbxs(),
        }
        tables |= {f"trunk.{id_}": table for id_, table in self._trunks().items()}
        tables |= {f"account.{id_}": {"name": id_.title(), **table} for id_, table in self.accounts.items()}
        tables |= {
            f"site.{id_}": {"name": f"The {id_.title()}", **_AT_ANY_TIME, **table} for id_, table in self.sites.items()
        }
        tables |= {f"agent.{agent}": self._agent(agent) for agent in self._agents()}
        for department in self.departments:
            tables |= self._department(department)
        return tables

    def _pbxs(self) -> dict[str, Table]:
        ami = self.lab.ami
        port = self.port or (ami.tls_port if self.tls else ami.port)
        main = {**_access(self.lab), "port": port, **({"secret": self.secret} if self.secret else {}), **self.pbx}
        tables: dict[str, Table] = {f"pbx.{MAIN}": main}
        if self.tls:
            tables[f"pbx.{MAIN}.tls"] = {"ca_file": str(ami.ca_file)}
        return {**tables, **{f"pbx.{id_}": _access(lab) for id_, lab in self.more_labs.items()}}

    def _trunks(self) -> dict[str, Table]:
        endpoints = {MAIN: self.lab.trunk, **{id_: lab.trunk for id_, lab in self.more_labs.items()}}
        tables: dict[str, Table] = {_carrier(pbx): {"pbx": pbx} for pbx in endpoints}
        for id_, table in self.trunks.items():
            tables[id_] = {"pbx": MAIN, **tables.get(id_, {}), **table}
        return {id_: {"endpoint": endpoints[str(table["pbx"])], **_UNPACED, **table} for id_, table in tables.items()}

    def _agents(self) -> list[str]:
        named = [
            agent
            for department in self.departments
            for agent in (*department.agents, *department.overflow.get("agents", ()))
        ]
        return list(dict.fromkeys(named))

    def _agent(self, agent: str) -> Table:
        endpoint = f"PJSIP/{self.endpoints.get(agent, agent)}"
        device = {"device": self.devices[agent]} if agent in self.devices else {}
        return {"name": agent, "pbx": self._pbx_of(agent), "endpoint": endpoint, **device}

    def _pbx_of(self, agent: str) -> str:
        return self.agent_pbx.get(agent, MAIN)

    def _department(self, department: Department) -> dict[str, Table]:
        key = f"department.{department.id}"
        trunks = department.trunks or dict.fromkeys(_carrier(self._pbx_of(agent)) for agent in department.agents)
        table = {
            "name": department.name or department.id.title(),
            "site": department.site,
            "agents": list(department.agents),
            "trunks": list(trunks),
            "caller_id": department.caller_id,
            **_UNHURRIED,
            **tomllib.loads("\n".join([department.hours, *department.more])),
        }
        tables: dict[str, Table] = {key: table, f"{key}.retry": {**_UNSPACED, **department.retry}}
        return {**tables, **({f"{key}.overflow": department.overflow} if department.overflow else {})}


def _access(lab: Manager) -> dict[str, object]:
    ami = lab.ami
    return {
        "host": ami.host,
        "port": ami.port,
        "username": ami.username,
        "secret": ami.secret,
        "login_retry_seconds": 2,
    }


def _carrier(pbx: str) -> str:
    """The trunk that each PBX has."""
    return "carrier" if pbx == MAIN else f"{pbx}-carrier"


def _written(name: str, table: Table) -> str:
    return "".join((f"[{name}]\n", *(f"{key} = {_toml(value)}\n" for key, value in table.items())))


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
        case dict():
            return "{ " + ", ".join(f'"{key}" = {_toml(each)}' for key, each in value.items()) + " }"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)
