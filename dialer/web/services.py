"""What the routes are given: found at `request.app.state.services`, made once in the daemon's composition."""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.domain.directory import Directory
from dialer.engine.ports import Clock
from dialer.web.doorkeeper import Doorkeeper
from dialer.web.ports import Health


@dataclass(frozen=True, slots=True)
class Services:
    """`origins`: of each site, where its pages come from."""

    directory: Directory
    clock: Clock
    doorkeeper: Doorkeeper
    health: Health
    origins: Mapping[str, frozenset[str]]
