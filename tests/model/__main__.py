"""`python -m tests.model [--small]`: progress and counter-examples on stderr, one JSON object last on stdout."""

import argparse
import gc
import json
import sys
import time

from tests.model.properties import PROPERTIES
from tests.model.rules import Rules
from tests.model.safeguards import REMOVALS, Removal, in_place, taken_away
from tests.model.search import Found, Result, explore

FULL, SMALL = 2, 1
"""How many faults of any kind may happen in one story."""


def main() -> int:
    """0 when every property holds and every safeguard's removal shows a counter-example, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Explore the once-only protocol.")
    parser.add_argument("--small", action="store_true", help=f"at most {SMALL} fault in a story instead of {FULL}")
    parser.add_argument("--faults", type=int, help="at most so many faults in a story")
    asked = parser.parse_args()
    faults = asked.faults if asked.faults is not None else SMALL if asked.small else FULL
    # Millions of tuples without a cycle among them: looking for cycles would take half of the time.
    gc.disable()
    begun = time.process_time()
    _say(f"everything, with at most {faults} faults")
    whole = explore(Rules(faults))
    violations = _violations("the protocol as it is", whole)
    safeguards = {}
    for removal in REMOVALS:
        found, wrong = _examine(removal, faults)
        violations += wrong
        safeguards[removal.guard.name.lower()] = {
            "counter_example_steps": len(found.steps) if found else None,
            "property": found.property if found else None,
        }
    report = {
        "faults": faults,
        "states": whole.states,
        "transitions": whole.transitions,
        "properties": PROPERTIES,
        "violations": violations,
        "safeguards": safeguards,
        "judged": sorted(whole.meanings),
        "seconds": round(time.process_time() - begun, 1),
    }
    print(json.dumps(report))
    return 1 if violations or any(each["property"] is None for each in safeguards.values()) else 0


def _examine(removal: Removal, faults: int) -> tuple[Found | None, list[str]]:
    """What the removal of a safeguard shows, and what is wrong although it is in place."""
    _say(f"without {removal.guard.name}: {removal.guard.value}")
    found = taken_away(removal).found
    _tell(found)
    if removal.is_usual and (faults < FULL or removal.faults <= faults):
        return found, []
    return found, _violations(f"with {removal.guard.name}", in_place(removal))


def _violations(where: str, result: Result) -> list[str]:
    _say(f"{where}: {result.states:,} states, {result.transitions:,} transitions, {result.seconds:.0f} s")
    if result.found is None:
        return []
    _tell(result.found)
    return [f"{where}: {result.found.property}"]


def _tell(found: Found | None) -> None:
    if found is None:
        _say("  nothing is found")
        return
    _say(f"  {found.property}: {PROPERTIES[found.property]}. Broken after {len(found.steps)} steps:")
    for number, step in enumerate(found.steps, 1):
        _say(f"  {number:3} {step}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
