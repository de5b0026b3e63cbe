"""A real daemon, as its own process, beside a lab or none: configured, fed and watched as its users would."""

from tests.rig.daemon import Daemon, request
from tests.rig.detached import detached
from tests.rig.house import API, Department, House
from tests.rig.piped import Piped

__all__ = ["API", "Daemon", "Department", "House", "Piped", "detached", "request"]
