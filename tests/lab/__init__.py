"""The lab: two real Asterisks on loopback. Start with ``Lab.create()``."""

from tests.lab.behaviour import NEVER, Agent, Behaviour, Customer
from tests.lab.calls import FarCall
from tests.lab.lab import AmiAccess, Lab
from tests.lab.process import Asterisk, AsteriskError
from tests.lab.tree import Tree, TreeError, ensure_tree

__all__ = [
    "NEVER",
    "Agent",
    "AmiAccess",
    "Asterisk",
    "AsteriskError",
    "Behaviour",
    "Customer",
    "FarCall",
    "Lab",
    "Tree",
    "TreeError",
    "ensure_tree",
]
