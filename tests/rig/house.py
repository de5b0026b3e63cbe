"""The configuration of a small telephony host, written as `dialer.toml` for a lab."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import Lab

ALWAYS = 'hours = { "mon-sun" = ["00:00-24:00"] }'


@dataclass(frozen=True)
class Department:
    """One department; `more` is TOML of its own, such as `accept = "answer"`."""

    id: str
    agents: Sequence[str]
    name: str = ""
    caller_id: str = "+442079460100"
    hours: str = ALWAYS
    more: Sequence[str] = ()
    retry: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """Everything that `dialer.toml` needs. `devices`: agents whose state is read off another device; `port`: another
    way to the AMI; `pbx`: more of `[pbx.main]`."""

    lab: Lab
    folder: Path
    departments: Sequence[Department]
    devices: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    secret: str = ""
    port: int = 0
    daemon: Mapping[str, object] = field(default_factory=dict)
    pbx: Mapping[str, object] = field(default_factory=dict)
    log_level: str = "debug"

    @property
    def config(self) -> Path:
        """The file."""
        return self.folder / "dialer.toml"

    def write(self) -> Path:
        """Write the file and return its path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join(self._lines()) + "\n"
        tomllib.loads(text)
        self.config.write_text(text)
        return self.config

    def _lines(self) -> list[str]:
        ami = self.lab.ami
        daemon = {"state_dir": str(self.folder), "agent_rest_seconds": 1, **self.daemon}
        lines = ["[daemon]", *(f"{key} = {_toml(value)}" for key, value in daemon.items())]
        lines += ["[log]", f'level = "{self.log_level}"', 'format = "json"']
        lines += [
            "[pbx.main]",
            f'host = "{ami.host}"',
            f"port = {self.port or (ami.tls_port if self.tls else ami.port)}",
        ]
        lines += [f'username = "{ami.username}"', f'secret = "{self.secret or ami.secret}"']
        lines += [f"{key} = {_toml(value)}" for key, value in {"login_retry_seconds": 2, **self.pbx}.items()]
        if self.tls:
            lines += ["[pbx.main.tls]", f'ca_file = "{ami.ca_file}"']
        lines += ["[trunk.carrier]", f'endpoint = "{self.lab.trunk}"']
        lines += ["[site.shop]", 'name = "The Shop"']
        for agent in dict.fromkeys(agent for department in self.departments for agent in department.agents):
            lines += [f"[agent.{agent}]", f'name = "{agent}"']
            lines += [f'endpoint = "PJSIP/{self.endpoints.get(agent, agent)}"']
            if agent in self.devices:
                lines += [f'device = "{self.devices[agent]}"']
        for department in self.departments:
            lines += _department(department)
        return lines


def _department(department: Department) -> list[str]:
    lines = [f"[department.{department.id}]", f'name = "{department.name or department.id.title()}"']
    lines += [f"agents = {_toml(list(department.agents))}", f'caller_id = "{department.caller_id}"', department.hours]
    lines += department.more
    if department.retry:
        lines += [f"[department.{department.id}.retry]"]
        lines += [f"{key} = {_toml(value)}" for key, value in department.retry.items()]
    return lines


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)
