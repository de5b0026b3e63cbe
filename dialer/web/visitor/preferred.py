"""The language of an answer that no site decides: the one that the browser asks for (RFC 9110, 12.5.4)."""

import re
from collections.abc import Sequence

_LONGEST = 1024
"""Characters of a header that is read: no browser sends as much."""

_EACH = re.compile(
    r"(?:(?P<language>[a-z]{1,8})(?:-[a-z0-9]{1,8})*|\*)"
    r"(?:[ \t]*;[ \t]*q=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)


def preferred(header: str, languages: Sequence[str]) -> str:
    """Which of these languages an `Accept-Language` gives the greatest weight, that of any dialect of it included; the
    first where several have it, or none. What is not of the header's grammar is left out."""
    weights: dict[str, float] = {}
    asked = header.lower().split(",") if header.isascii() and len(header) <= _LONGEST else ()
    for each in asked:
        if found := _EACH.fullmatch(each.strip(" \t")):
            language = found["language"] or "*"
            weights[language] = max(weights.get(language, 0.0), float(found["weight"] or 1))
    return max(languages, key=lambda language: weights.get(language, weights.get("*", 0.0)))
