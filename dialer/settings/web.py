"""`[api]` and `[page]`: what the daemon serves over HTTP."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from dialer.intake.limits import Limit
from dialer.settings.addresses import BaseAddress
from dialer.settings.durations import Bound
from dialer.settings.models import Section
from dialer.settings.problems import Invalid
from dialer.settings.values import Credential, Place

_HIGHEST_PORT = 65535


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    good = bool(colon) and port.isascii() and port.isdecimal() and int(port) <= _HIGHEST_PORT
    try:
        ip_address(host.removeprefix("[").removesuffix("]") if good else "")
    except ValueError:
        raise Invalid("not an address to listen on", 'write it like "127.0.0.1:8080" or "[::1]:8080"') from None
    return text


Listen = Annotated[str, AfterValidator(_listen)]
"""An IP address and a port."""


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise Invalid("not a network", 'write it like "10.0.0.5" or "10.0.0.0/24"') from None


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]


class ApiSettings(Section):
    """`[api]`: the HTTP API; without the table there is none. `trusted_proxies`: whose X-Forwarded-For and -Proto are
    believed; `max_body` is bytes; `per_key` bounds the requests of one key, `per_address` those of one network address
    that need no key, or bring a wrong or a publishable one. The widget's events are counted apart, so that they cost no
    callback: `events_per_key`, and `events_per_address` for one visitor."""

    listen: Listen = "127.0.0.1:8080"
    tls_certificate: Place | None = None
    tls_key: Place | None = None
    trusted_proxies: tuple[Network, ...] = ()
    max_body: Annotated[int, Field(ge=1024, le=1024 * 1024)] = 64 * 1024
    per_key: Bound = Limit(600, timedelta(seconds=60))
    per_address: Bound = Limit(120, timedelta(seconds=60))
    events_per_key: Bound = Limit(1000, timedelta(seconds=10))
    events_per_address: Bound = Limit(120, timedelta(seconds=60))

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise Invalid("half of what TLS needs", "give tls_certificate and tls_key, or neither")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: IP address and port (0: any)."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)


class PageSettings(Section):
    """`[page]`: the visitor's own page; without the table there is none. `base_url`: where visitors see it; the secrets
    sign its links, one a line, of which the first signs; `link_days`: how long after the callback's time a link is
    good."""

    base_url: BaseAddress
    secrets_file: Place | None = None
    secrets_credential: Credential | None = None
    link_days: Annotated[int, Field(ge=1, le=365)] = 14

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [way for way in (self.secrets_file, self.secrets_credential) if way is not None]
        if len(given) != 1:
            found = "no secrets" if not given else "two places for the secrets"
            raise Invalid(found, "give one of secrets_file and secrets_credential")
        return self
