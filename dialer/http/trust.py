"""Whom we trust where we send something."""

import ssl
from pathlib import Path

from dialer.domain.errors import ConfigurationError


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """A TLS context that verifies the chain and the host's name, by this host's authorities or those of a PEM file.
    Raises `ConfigurationError` for a file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        what = f"the CA file cannot be used: {why}"
        raise ConfigurationError(what, where=str(ca_file), remedy="name a PEM file of authorities") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
