"""How to reach one Asterisk, and how patient to be with it."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """TLS with verification. `ca_file` (PEM) replaces the system's authorities; the name checked is the host's."""

    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class AmiConfig:
    """One manager account. Durations are seconds.

    `slow_retry` is the pause after a refusal that only a person can mend; every other pause grows from
    `backoff_first` to `backoff_cap`.
    """

    name: str
    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    tls: TlsConfig | None = None
    connect_timeout: float = 5.0
    action_timeout: float = 5.0
    boot_timeout: float = 60.0
    ping_interval: float = 10.0
    backoff_first: float = 0.5
    backoff_cap: float = 30.0
    slow_retry: float = 60.0
