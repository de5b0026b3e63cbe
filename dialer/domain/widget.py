"""What the widget tells of its visitors: anonymous events."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """How far a visit came, in the order of the funnel."""

    IMPRESSION = "impression"
    OPEN = "open"
    SUBMIT = "submit"


@dataclass(frozen=True, slots=True)
class WidgetEvent:
    """One event of a session on a page of a site; the page is without query and fragment."""

    site: str
    kind: EventKind
    session: str
    page: str
