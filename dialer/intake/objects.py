"""One JSON object from bytes that anybody may have written: no doubled key, no NaN, no depth that breaks a program."""

import json

from dialer.domain.errors import RequestRefused


def read_object(raw: bytes, remedy: str) -> dict[str, object]:
    """The object that `raw` holds. Raises `RequestRefused` (field ''): `not_utf8`, `not_json`, `not_object` or
    `duplicate_key`; its text repeats nothing of what was there."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _refused("not_utf8", f"not UTF-8 at byte {error.start + 1}", "encode it as UTF-8") from None
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise _refused("not_json", f"not JSON at {line}column {error.colno}: {error.msg}", remedy) from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or brackets nested thousands deep.
        raise _refused("not_json", "JSON beyond any sensible size or depth", remedy) from None
    if not isinstance(value, dict):
        raise _refused("not_object", "not a JSON object", remedy)
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose keys are all different: of two, a person and a program could each mean another."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _refused("duplicate_key", "a key appears twice", "give each field once")
    return made


def _no_constant(_: str) -> object:
    raise _refused("not_json", "NaN and Infinity are not JSON", "send numbers")


def _refused(code: str, what: str, remedy: str) -> RequestRefused:
    return RequestRefused(code, "", what, remedy=remedy)
