"""The links to the visitor's own page, and its forms: signed, dated, and with nothing of the visitor in them.

A link is the callback's id, the time of its making and a signature, some 60 characters. Who has it may do what the page
offers; who has none cannot make one. Until when it is good goes by the callback itself, so that a visitor who moved
theirs by months is not left with a link that ends before it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

from itsdangerous import BadSignature, TimestampSigner

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId

FORM_LIFE = timedelta(hours=12)
"""For how long a page that was opened may be sent back."""

MIN_SECRET = 32
"""Characters that a secret has at least."""

_EVER = timedelta(days=36525) // timedelta(seconds=1)
"""Only with an age at all does the library refuse what was made later than now."""

# The library's own reading of Base64 is lenient: what is not written exactly so is no link of ours.
_LINK = re.compile(r"([0-9A-HJKMNP-TV-Z]{26})\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{24}")
_FORM = re.compile(r"([0-9A-HJKMNP-TV-Z]{26})\.([0-9]{1,18})\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{24}")

# 18 bytes are 24 characters of Base64 without a bit to spare: a signature can be written in one way only.
_digest = partial(blake2b, digest_size=18)


@dataclass(frozen=True, slots=True)
class Link:
    """A link that we made: to whose page, and when (UTC)."""

    callback: CallbackId
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Form:
    """A form that we handed out: of which callback, as of which of its versions."""

    callback: CallbackId
    version: int


class _Signer(TimestampSigner):
    """The library's signer by a clock that is passed in, one purpose each."""

    def __init__(self, secrets: Sequence[str], purpose: str, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        # The library signs with the last one.
        oldest_first = [secret.encode() for secret in reversed(secrets)]
        salt = f"mi-dialer.{purpose}".encode()
        # The library's type asks for one of hashlib's own functions, and uses no more of it than this has.
        digest: Any = _digest
        super().__init__(oldest_first, salt, key_derivation="hmac", digest_method=digest)

    def get_timestamp(self) -> int:
        return int(self._clock().timestamp())


class Links:
    """Makes links and forms, and knows its own again.

    `base_url` is where the page is seen from outside; of `secrets`, at least one and each at least 32 characters, the
    first signs and all are known; `life` is how long after the callback's time a link is good. ValueError for secrets
    that are too few or too short.
    """

    def __init__(self, base_url: str, secrets: Sequence[str], life: timedelta, clock: Callable[[], datetime]) -> None:
        if not secrets or min(map(len, secrets)) < MIN_SECRET:
            raise ValueError(f"links need secrets of at least {MIN_SECRET} characters")
        self._pages = base_url.rstrip("/") + "/c/"
        self._life = life
        self._links = _Signer(secrets, "visitor-page", clock)
        self._forms = _Signer(secrets, "visitor-form", clock)

    def page_of(self, callback: CallbackId) -> str:
        """The address of a callback's page: a new link at each moment, all of them good."""
        return self._pages + self.token(callback)

    def token(self, callback: CallbackId) -> str:
        """What stands behind `/c/` in the address of a callback's page."""
        return self._links.sign(callback).decode()

    def read(self, token: str) -> Link | None:
        """The link that a token is of; None where we did not make it, or make it only later than now."""
        if not (parts := _LINK.fullmatch(token)):
            return None
        try:
            _, made_at = self._links.unsign(token, max_age=_EVER, return_timestamp=True)
        except BadSignature:
            return None
        return Link(CallbackId(parts[1]), made_at)

    def is_good(self, link: Link, callback: Callback, now: datetime) -> bool:
        """Whether a link is still good for its callback, as that stands at `now` (UTC)."""
        latest = max(link.made_at, callback.due_at, callback.wanted_at or callback.due_at)
        return now < latest + self._life

    def form(self, callback: Callback) -> str:
        """A token for the forms of a callback's page, as the page shows it."""
        return self._forms.sign(f"{callback.id}.{callback.version}").decode()

    def read_form(self, token: str) -> Form | None:
        """The form that a token is of; None where we did not make it, or too long ago."""
        if not (parts := _FORM.fullmatch(token)):
            return None
        try:
            self._forms.unsign(token, max_age=FORM_LIFE // timedelta(seconds=1))
        except BadSignature:
            return None
        return Form(CallbackId(parts[1]), int(parts[2]))
