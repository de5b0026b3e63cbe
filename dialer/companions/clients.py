"""A client for each address in the configuration that the daemon sends to."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from dialer.http.addresses import Address, Network
from dialer.http.client import HttpClient
from dialer.http.network import TargetRefused, resolve
from dialer.settings import Settings


class Reach(Protocol):
    """The part of a section that says what may be reached, and who is trusted there."""

    @property
    def allow_private(self) -> Sequence[Network]: ...

    @property
    def ca_file(self) -> Path | None: ...


def client_for(settings: Settings, url: str, reach: Reach) -> HttpClient:
    """A client for `url`. Raises `ConfigurationError` for a CA file that cannot be used."""
    plain = urlsplit(url).scheme == "http"
    return HttpClient(
        allow_private=reach.allow_private,
        ca_file=settings.resolve(reach.ca_file) if reach.ca_file else None,
        resolve=partial(_private_only, reach.allow_private) if plain else resolve,
    )


async def _private_only(networks: Sequence[Network], host: str) -> Sequence[Address]:
    """Without TLS nothing is told to anybody but those in the networks that are allowed for it."""
    found = [each for each in await resolve(host) if any(each in network for network in networks)]
    if not found:
        what = "without https only addresses in allow_private are told"
        raise TargetRefused(what, remedy="give an https address, or allow its network")
    return found
