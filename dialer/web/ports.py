"""What the API needs of the outside, as protocols: the store's parts and the engine implement them."""

from collections.abc import Iterable
from typing import Protocol

from dialer.intake.keys import KeyHolder


class KeyStore(Protocol):
    """The part of the store that knows keys. Raises `StoreError`."""

    async def find(self, hash_: str) -> KeyHolder | None:
        """Who holds the key of this hash; None when it is unknown or revoked."""

    async def used(self, ids: Iterable[int]) -> None:
        """Note that these keys were used just now."""


class Health(Protocol):
    """Whether callbacks can be taken in and dialled."""

    def pbx_ready(self) -> bool:
        """Whether at least one PBX can be dialled through."""

    async def store_ready(self) -> bool:
        """Whether the store can be written."""
