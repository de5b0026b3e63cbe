"""The API's keys: made from randomness, kept only as their hash, each of one site and for named purposes."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

_PREFIX = "mi_"
_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 43
"""Digits to base 62 of 32 bytes."""
_SHOWN = 8
"""Characters by which a key is known again: too few to help anybody who guesses."""


class Scope(StrEnum):
    """What a key is for: to hand in callbacks, to read them with their visitors' data, to change them and to keep the
    do-not-call list."""

    SUBMIT = "submit"
    READ = "read"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who asks: the key's number, its site, and what it may do."""

    id: int
    site: str
    scopes: frozenset[Scope]

    @property
    def publishable(self) -> bool:
        """Whether the key may stand in a web page: it opens nothing that is anybody's secret."""
        return self.scopes == {Scope.SUBMIT}


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept. `prefix` is its beginning; `last_used_at` is exact to about a minute (None: never)."""

    id: int
    site: str
    scopes: frozenset[Scope]
    prefix: str
    note: str
    made_by: str
    made_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


def new_token() -> str:
    """A new key in full: it cannot be read anywhere again."""
    number = int.from_bytes(secrets.token_bytes(_BYTES))
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return _PREFIX + "".join(digits)


def is_token(text: str) -> bool:
    """Whether a text has the form of a key."""
    digits = text.removeprefix(_PREFIX)
    return len(text) - len(digits) == len(_PREFIX) and len(digits) == _LENGTH and set(digits) <= set(_ALPHABET)


def hash_of(token: str) -> str:
    """What is kept of a key, and looked up. No salt: nobody tries through 256 bits of randomness."""
    return sha256(token.encode()).hexdigest()


def prefix_of(token: str) -> str:
    """A key's beginning, to be shown."""
    return token[: len(_PREFIX) + _SHOWN]
