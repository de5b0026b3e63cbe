"""Two Asterisks on loopback: the PBX under test, and a far end that plays carrier, customers and agents' phones."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.lab.behaviour import Behaviour
from tests.lab.calls import FarCall, read_calls
from tests.lab.certificates import make_certificates
from tests.lab.config import LAB_USER, TRUNK, Secrets, Side, write_far_end, write_pbx
from tests.lab.control import Control
from tests.lab.ports import HOST, Ports
from tests.lab.process import Asterisk
from tests.lab.tree import ensure_tree

AGENTS = ("anna", "ben", "cleo", "dan", "eve", "finn", "gus", "hana")
UNREGISTERED = ("ursula",)
QUIET_POLL = 0.05  # seconds
LONGEST_ROOT = 80  # characters: Asterisk's control socket lies below, and Linux allows 107


@dataclass(frozen=True)
class AmiAccess:
    """How to reach an AMI."""

    host: str
    port: int
    tls_port: int
    username: str
    secret: str
    ca_file: Path


class Lab:
    """A running lab; a context manager. All calls block for milliseconds, start and restart for about 2 s."""

    trunk = TRUNK

    def __init__(self, root: Path | None, agents: Sequence[str], unregistered: Sequence[str]) -> None:
        tree = ensure_tree()
        self.root = Path(tempfile.mkdtemp(prefix="mi-lab-")) if root is None else root
        if len(str(self.root)) > LONGEST_ROOT:
            raise ValueError(f"{self.root}: too long for Asterisk's control socket, at most {LONGEST_ROOT} characters")
        self._temporary = root is None
        self._ports = Ports()
        self._certificates = make_certificates(self.root / "tls")
        self._secrets = Secrets(dialer=secrets.token_urlsafe(18), lab=secrets.token_urlsafe(18))
        self._pbx_side, self._far_side = self._side("pbx"), self._side("far")
        write_pbx(tree, self._pbx_side, self._far_side, self._secrets, self._certificates, agents, unregistered)
        write_far_end(tree, self._far_side, self._pbx_side, self._secrets, self._certificates)
        self.agents = tuple(agents)
        self.unregistered = tuple(unregistered)
        self.pbx = Asterisk(tree, self._pbx_side.home)
        self.far = Asterisk(tree, self._far_side.home)
        self._control: Control | None = None
        self._earlier = self._logged = 0

    @classmethod
    def create(
        cls,
        root: Path | None = None,
        agents: Sequence[str] = AGENTS,
        unregistered: Sequence[str] = UNREGISTERED,
    ) -> Self:
        """Build the tree if need be, configure and start both sides; ``root`` is a folder to keep afterwards.

        Raises TreeError or AsteriskError; nothing is left running then.
        """
        lab = cls(root, agents, unregistered)
        try:
            lab.pbx.launch()
            lab.far.launch()
            lab.pbx.wait_booted()
            lab.far.wait_booted()
        except BaseException:
            lab.close()
            raise
        return lab

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both processes, give the ports back and delete a folder of our own."""
        if self._control is not None:
            self._control.close()
            self._control = None
        self.pbx.kill()
        self.far.kill()
        self._ports.release()
        if self._temporary:
            shutil.rmtree(self.root, ignore_errors=True)

    @property
    def ami(self) -> AmiAccess:
        """The shipped, least-privileged account on the PBX."""
        return self._access(self._pbx_side, "mi-dialer", self._secrets.dialer)

    @property
    def ami_all(self) -> AmiAccess:
        """An account on the PBX that may do and see everything: for tests to look with, never for the daemon."""
        return self._access(self._pbx_side, LAB_USER, self._secrets.lab)

    def agent(self, name: str, behaviour: Behaviour) -> None:
        """Script an agent's phone, from its next call on."""
        self._script("agent", name, behaviour)

    def customer(self, number: str, behaviour: Behaviour) -> None:
        """Script a customer's phone (or the carrier's answer for that number), from its next call on."""
        self._script("customer", number, behaviour)

    def call_in(self, number: str, extension: str, *, patience: float = 20.0, talk: float = 1.0) -> None:
        """Have somebody with that number call one of the PBX's extensions by the trunk: ``voice``, ``menu`` or an agent
        answers, ``nobody`` does not. The caller gives up after ``patience`` seconds, or stays for ``talk``."""
        self._far_end().action(
            "Originate",
            Channel=f"PJSIP/{extension}@pbx",
            CallerID=f"<{number}>",
            Application="Wait",
            Data=str(talk),
            Timeout=str(int(patience * 1000)),
            Async="true",
            Variable=f"CDR(who)=caller,CDR(dialled)={extension},CDR(cid_num)={number}",
        )

    def far_end_calls(self) -> list[FarCall]:
        """Every call that the far end has seen to its end, since the chapter began."""
        return read_calls(self._far_side.home / "calls.csv")[self._earlier :]

    def rung(self, number: str) -> int:
        """How often the far end saw a call to this customer."""
        return sum(call.who == "customer" and call.dialled == number for call in self.far_end_calls())

    def pbx_log(self) -> str:
        """What the PBX logged since the chapter began."""
        return self.pbx.log.read_text()[self._logged :]

    def begin_chapter(self) -> None:
        """Leave the calls and the log so far out of what is told from now on: they are somebody else's story."""
        self._earlier = len(read_calls(self._far_side.home / "calls.csv"))
        self._logged = len(self.pbx.log.read_text())

    def channels(self) -> Mapping[str, int]:
        """How many channels each side has."""
        return {side.home.name: _count_channels(side) for side in (self.pbx, self.far)}

    def wait_quiet(self, timeout: float = 10.0) -> None:
        """Wait until neither side has a channel; raises TimeoutError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while any(self.channels().values()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"channels still up after {timeout} s: {self.pbx.cli('core show channels concise')}")
            time.sleep(QUIET_POLL)

    def logs(self) -> str:
        """The ends of both logs, to print when a test has failed."""
        return "".join(f"--- {side.home.name}\n{side.tail()}\n" for side in (self.pbx, self.far))

    def _side(self, name: str) -> Side:
        return Side(self.root / name, self._ports.take(), self._ports.take(), self._ports.take())

    def _access(self, side: Side, username: str, secret: str) -> AmiAccess:
        return AmiAccess(HOST, side.ami_port, side.ami_tls_port, username, secret, self._certificates.ca)

    def _script(self, family: str, key: str, behaviour: Behaviour) -> None:
        self._far_end().action("DBPut", Family=family, Key=key, Val=behaviour.encode())

    def _far_end(self) -> Control:
        if self._control is None:
            self._control = Control(HOST, self._far_side.ami_port, LAB_USER, self._secrets.lab)
        return self._control


def _count_channels(side: Asterisk) -> int:
    return int(side.cli("core show channels count").split()[0]) if side.running else 0
