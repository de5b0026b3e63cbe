"""What the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one place (`PBX main`, `store`): what was found, and what to do unless it is good."""

    place: str
    check: str
    good: bool
    found: str
    remedy: str = ""


def good(place: str, check: str, found: str) -> Finding:
    """A check that passed."""
    return Finding(place, check, True, found)


def bad(place: str, check: str, found: str, remedy: str) -> Finding:
    """A check that failed, with its remedy."""
    return Finding(place, check, False, found, remedy)
