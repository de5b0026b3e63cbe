"""From the settings of a PBX to its access."""

from dialer.ami.config import AmiConfig, TlsConfig
from dialer.domain.errors import ConfigurationError
from dialer.settings.settings import Settings


def ami_config(settings: Settings, name: str) -> AmiConfig:
    """How to log in to the PBX `name`. Raises `ConfigurationError` where it or its secret is not there."""
    pbx = settings.pbx.get(name)
    if pbx is None:
        what = "it is no longer in the configuration"
        raise ConfigurationError(what, where=f"PBX {name}", remedy="add it again")
    ca_file = settings.resolve(pbx.tls.ca_file) if pbx.tls and pbx.tls.ca_file else None
    return AmiConfig(
        name=name,
        host=pbx.host,
        port=pbx.port,
        username=pbx.username,
        secret=settings.secret(name).get_secret_value(),
        tls=TlsConfig(ca_file) if pbx.tls else None,
        connect_timeout=pbx.connect_timeout_seconds,
        action_timeout=pbx.action_timeout_seconds,
        ping_interval=pbx.ping_seconds,
        slow_retry=pbx.login_retry_seconds,
    )
