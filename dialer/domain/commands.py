"""What an attempt wants done after an event: orders to the engine, never carried out here."""

from dataclasses import dataclass

from dialer.domain.outcome import Verdict


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the PBX what it knows of this attempt: living channels first, then the journal."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the end and the callback's next step durably: the attempt's second barrier."""

    verdict: Verdict


Command = Look | Finish
