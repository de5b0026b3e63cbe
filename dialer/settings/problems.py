"""What is wrong with a configuration, collected whole and told as one error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dialer.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the key in dotted form, what, and the remedy. Never holds a secret."""

    key: str
    what: str
    remedy: str


def configuration_error(file: Path, problems: Sequence[Problem]) -> ConfigurationError:
    """One error for all `problems` (at least one): the first in full, the others counted."""
    first = problems[0]
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    where = f"{file}: {first.key}" if first.key else str(file)
    return ConfigurationError(f"{first.what}{more}", where=where, remedy=first.remedy)


class Invalid(ValueError):
    """What a validator raises: it reaches the reader as a `Problem` at the key in question."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what)


def problems_of(error: ValidationError, names: Sequence[str]) -> list[Problem]:
    """Pydantic's errors in our words. `names` are the known keys, for a guess at what an unknown one was to be."""
    details = error.errors(include_url=False, include_input=False)
    # A list is told to be too short, too, when all that it holds is at fault.
    holding = {detail["loc"][:-1] for detail in details}
    wrong = (detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in holding)
    return [_problem(detail, names) for detail in wrong]


def _problem(detail: Mapping[str, Any], names: Sequence[str]) -> Problem:
    # "[key]" stands in the location when a table's own name is at fault.
    path = [str(part) for part in detail["loc"] if part != "[key]"]
    key = ".".join(path)
    match detail["type"]:
        case "value_error" if isinstance(error := detail["ctx"]["error"], Invalid):
            return Problem(key, error.what, error.remedy)
        case "missing":
            return Problem(key, "is missing", "add it")
        case "extra_forbidden":
            close = get_close_matches(path[-1], names, n=1)
            return Problem(key, "unknown key", f"did you mean {close[0]}?" if close else "remove it")
        case "model_type" | "dict_type":
            return Problem(key, "is not a table", f"write it as [{key}]")
        case _:
            return Problem(key, detail["msg"][:1].lower() + detail["msg"][1:], "correct the value")
