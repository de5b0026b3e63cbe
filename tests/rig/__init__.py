"""A real daemon, as its own process, beside a lab: configured, fed and watched as its users would."""

from tests.rig.daemon import Daemon
from tests.rig.house import Department, House

__all__ = ["Daemon", "Department", "House"]
