"""What the page has to say, in whichever language. In it `{site}` stands for the site's name, `{digits}` for the last
of the number's."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Notice(StrEnum):
    """What became of what a visitor has just done."""

    MOVED = "moved"
    CANCELLED = "cancelled"
    OBJECTED = "objected"
    OBJECTED_LATE = "objected_late"
    TOO_LATE = "too_late"
    UNDECIDED = "undecided"
    CHANGED = "changed"
    GONE = "gone"
    NONE_CHOSEN = "none_chosen"
    TOO_OLD = "too_old"


class Stands(StrEnum):
    """How a callback stands, as far as its visitor is told."""

    PLANNED = "planned"
    AGAIN = "again"
    SOON = "soon"
    CALLING = "calling"
    STOPPING = "stopping"
    MOVING = "moving"
    LATE = "late"
    REVIEWED = "reviewed"
    CALLED = "called"
    NOT_REACHED = "not_reached"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OBJECTED = "objected"
    REJECTED = "rejected"


class Trouble(StrEnum):
    """Why a request is not answered with the page."""

    NO_LINK = "no_link"
    FOREIGN_FORM = "foreign_form"
    TOO_OFTEN = "too_often"
    NOT_NOW = "not_now"


@dataclass(frozen=True, slots=True)
class Texts:
    """One language. `stands` and `troubles` are a heading and a text each; days begin with Monday."""

    code: str
    name: str
    days: tuple[str, ...]
    months: tuple[str, ...]
    uk_time: str
    labels: Mapping[str, str]
    stands: Mapping[Stands, tuple[str, str]]
    notices: Mapping[Notice, str]
    troubles: Mapping[Trouble, tuple[str, str]]
