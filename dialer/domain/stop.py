"""What can be paused: nothing new is begun there until it is resumed."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What kind of thing is paused."""

    EVERYTHING = "everything"
    ACCOUNT = "account"
    DEPARTMENT = "department"
    TRUNK = "trunk"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing that is paused; `key` is its id ('' for everything)."""

    scope: Scope
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scope} {self.key}" if self.key else self.scope.value


EVERYTHING = Stop(Scope.EVERYTHING)
