"""What the API needs of the outside, as protocols: the store's parts and the engine implement them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId
from dialer.domain.widget import WidgetEvent
from dialer.intake.keys import KeyHolder
from dialer.intake.listing import Known, Some, Wanted, WantedCalls


class KeyStore(Protocol):
    """The part of the store that knows keys. Raises `StoreError`."""

    async def find(self, hash_: str) -> KeyHolder | None:
        """Who holds the key of this hash; None when it is unknown or revoked."""

    async def used(self, ids: Iterable[int]) -> None:
        """Note that these keys were used just now."""


class Objection(Protocol):
    """A number (E.164) that is never called."""

    @property
    def number(self) -> str: ...

    @property
    def why(self) -> str: ...

    @property
    def since(self) -> datetime: ...


class SiteStore(Protocol):
    """What a site may see of the store. Every method raises `StoreError`; those with a cursor `IllegalState`, when it
    was never handed out."""

    async def callback(self, site: str, id_: CallbackId) -> Known | None:
        """One callback of the site's."""

    async def callbacks(self, site: str, which: Wanted, limit: int, cursor: str | None) -> Some[Known]:
        """The site's callbacks by due time, earliest first; `limit` is at least 1."""

    async def attempts(self, id_: CallbackId) -> list[Attempt]:
        """A callback's attempts, first to last."""

    async def calls(self, site: str, which: WantedCalls, limit: int, cursor: str | None) -> Some[Attempt]:
        """The call log of the site's callbacks, newest end first, of departments that are gone as well."""

    async def objections(self, who: str, limit: int, cursor: str | None) -> Some[Objection]:
        """What `who` put on the do-not-call list, first to last."""

    async def withdraw(self, number: str, who: str) -> bool:
        """Take a number (E.164) off the list that `who` put there; False when they had not."""


class EventStore(Protocol):
    """The part of the store that takes the widget's events. Raises `StoreError`: then none was kept."""

    async def tell(self, events: Sequence[WidgetEvent], since: datetime) -> None:
        """Keep events, unless the session told the same since then; durable on return."""


class Daemon(Protocol):
    """What the running daemon is told, and asked."""

    def pbx_ready(self) -> bool:
        """Whether at least one PBX can be dialled through."""

    async def store_ready(self) -> bool:
        """Whether the store can be written."""

    def taken_in(self, new: Callback) -> None:
        """A callback was stored: it may be due."""

    def wake(self) -> None:
        """Something else was changed in the store: look again."""
