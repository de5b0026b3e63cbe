"""What makes some of schemathesis's requests good: without it, hardly one would pass the door.

Loaded by schemathesis in its own process; `FUZZ_IDS` names callbacks that exist.
"""

import os
from collections.abc import Mapping
from typing import Any

import schemathesis

IDS = os.environ.get("FUZZ_IDS", "").split()
DEPARTMENTS = ("sales", "mornings")


@schemathesis.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Most objects get a number and a department that can be called, by what they hold."""
    if not isinstance(body, dict):
        return body
    drawn = _drawn(body)
    if "phone" in body and drawn % 4:
        body["phone"] = f"020 7946 {drawn % 1000:04}"
    if "department" in body and drawn % 5:
        body["department"] = DEPARTMENTS[drawn % 2]
    for name in ("email", "page", "at", "until", "address", "consent", "session"):
        if name in body and drawn // 7 % 3:
            del body[name]
    return body


@schemathesis.hook
def map_path_parameters(_: schemathesis.HookContext, parameters: Any) -> Any:
    """Half of the ids are ids."""
    if not isinstance(parameters, Mapping):
        return parameters
    drawn = _drawn(parameters)
    if "id" in parameters and drawn % 2:
        known = DEPARTMENTS if drawn % 3 == 0 else IDS or DEPARTMENTS
        return {**parameters, "id": known[drawn % len(known)]}
    if "number" in parameters and drawn % 2:
        return {**parameters, "number": f"+442079460{drawn % 1000:03}"}
    return parameters


def _drawn(value: object) -> int:
    return sum(repr(value).encode(errors="replace"))
