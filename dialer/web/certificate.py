"""The certificate and the key by which the server speaks TLS."""

import ssl
from pathlib import Path

from dialer.domain.errors import ConfigurationError, MayNotRead

_WHERE = "api.tls_certificate"


def check_certificate(certificate: Path, key: Path) -> None:
    """Raises `ConfigurationError` for files that the server could not use, `MayNotRead` for such as it may not."""
    try:
        # Without a password OpenSSL would ask the terminal for one, which a service does not have.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except PermissionError as error:
        what = f"the certificate or its key cannot be read: {error.strerror}"
        remedy = "give them to the service's user, and run this as that user"
        raise MayNotRead(what, where=_WHERE, remedy=remedy) from None
    except OSError as error:
        what = f"the certificate or its key cannot be used: {error.strerror or type(error).__name__}"
        raise ConfigurationError(
            what, where=_WHERE, remedy="name two readable PEM files that belong together"
        ) from None
