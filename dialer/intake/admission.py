"""Whether a callback that could be stored is stored: asked inside the transaction that would store it, so that of two
requests at the same moment the second one knows the first."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from dialer.domain.callback import Callback
from dialer.domain.errors import RequestRefused


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store holds that bears on a new callback, as far back as the rule's `horizon`.

    `number_times`: when callbacks to the same number were requested; `visitor_numbers`: when, and for which number,
    callbacks were requested in the same session or from the same address. Both oldest first, UTC. `objected`: the
    number is on the do-not-call list.
    """

    number_times: tuple[datetime, ...] = ()
    visitor_numbers: tuple[tuple[datetime, str], ...] = field(default=(), repr=False)
    objected: bool = False


class AdmissionRule(Protocol):
    """Decides on one new callback; `horizon` is how far back it looks."""

    @property
    def horizon(self) -> timedelta: ...

    def __call__(self, new: Callback, seen: Seen) -> RequestRefused | None:
        """Why the callback is refused, or None."""


@dataclass(frozen=True, slots=True)
class Double:
    """The request asked for what an open callback already promises: the same number, site and department."""

    existing: Callback
