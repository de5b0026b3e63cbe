"""One request of a program that may send it again: the same answer again, and never a second callback."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.errors import RequestRefused
from dialer.intake.admission import AdmissionRule
from dialer.intake.allowance import Allowance, UsageStore
from dialer.intake.submission import accept


@dataclass(frozen=True, slots=True)
class Once:
    """By what a repeated request is known again: who sent it, the key that they gave it, and what it held."""

    holder: int
    key: str = field(repr=False)
    fingerprint: str = field(repr=False)


class Wording(Protocol):
    """How a callback is told to whoever asked for it: the answer's status and its text, which holds no person. It is
    kept for the next time."""

    def __call__(self, callback: Callback, external_id: str | None, *, double: bool) -> tuple[int, str]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A callback that can be stored, with all that decides whether it is. `source` and `external_id` name what it is
    to whoever asked (None: nothing)."""

    callback: Callback
    source: str
    external_id: str | None
    once: Once | None
    rule: AdmissionRule
    wording: Wording


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is kept; `new` is the callback that was stored for it just now."""

    status: int
    body: str
    new: Callback | None = None


class TakingStore(UsageStore, Protocol):
    """The part of the store that takes one request in at most once. Raises `StoreError` when nothing was stored."""

    async def given(self, once: Once) -> Given | RequestRefused | None:
        """The answer that was given to this request before; a refusal where its key belongs to another request."""

    async def known(self, source: str, external_id: str) -> Callback | None:
        """The callback that came from there by this id."""

    async def take_in(self, asked: Asked) -> Given | RequestRefused:
        """Store the callback and its answer in one transaction, unless it is there already, or the rule refuses it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who hands requests in: `departments` is the directory as far as it is theirs, `source` where their callbacks come
    from, `wording` how they are answered."""

    departments: Directory
    source: str
    wording: Wording


async def take_in(
    store: TakingStore,
    directory: Directory,
    sender: Sender,
    request: Mapping[str, object],
    external_id: str | None,
    once: Once | None,
    now: datetime,
    rule: AdmissionRule,
) -> Given:
    """The answer to a request; see `accept` for what it holds. Raises `RequestRefused`, `StoreError`.

    What would be refused now may have been answered before: a time that lay ahead then is past. So a refusal is only
    told once the store was asked; for all else the transaction itself knows what came before.
    """
    try:
        new = accept(request, sender.departments, now)
        allowed = await Allowance(store, directory, now).check(new)
        answer = allowed if isinstance(allowed, RequestRefused) else None
    except RequestRefused as refusal:
        answer = refusal
    if answer is not None:
        return _unless_refused(await _before(store, sender, external_id, once) or answer)
    return _unless_refused(await store.take_in(Asked(new, sender.source, external_id, once, rule, sender.wording)))


async def _before(
    store: TakingStore, sender: Sender, external_id: str | None, once: Once | None
) -> Given | RequestRefused | None:
    """The answer that this request, or another for the same, was given before."""
    if once is not None and (given := await store.given(once)) is not None:
        return given
    if external_id is not None and (existing := await store.known(sender.source, external_id)) is not None:
        return Given(*sender.wording(existing, external_id, double=True))
    return None


def fingerprint(raw: bytes) -> str:
    """The same for a request that is sent again as it was."""
    return sha256(raw).hexdigest()


def reused() -> RequestRefused:
    """Of a key that another request had."""
    what = "this key was used for another request"
    return RequestRefused("idempotency_key_reused", "Idempotency-Key", what, remedy="give each request its own")


def _unless_refused(answer: Given | RequestRefused) -> Given:
    if isinstance(answer, RequestRefused):
        raise answer
    return answer
