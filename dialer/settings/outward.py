"""`[webhook.<id>]`, `[mail]` and `[sms]`: whom the daemon tells, and how."""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from dialer.settings.addresses import Private, WebAddress
from dialer.settings.models import Section
from dialer.settings.problems import Invalid
from dialer.settings.values import Credential, Id

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64
_MOST_SECRETS = 5


def _check_signing(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not _LEAST <= len(key) <= _MOST:
        what = f"not a webhook secret: {_PREFIX} and the base64 of {_LEAST} to {_MOST} bytes"
        raise Invalid(what, f'make one with: echo "{_PREFIX}$(openssl rand -base64 32)"')
    return secret


SigningSecret = Annotated[SecretStr, AfterValidator(_check_signing)]
SigningSecrets = Annotated[tuple[SigningSecret, ...], Field(min_length=1, max_length=_MOST_SECRETS)]


class WebhookSettings(Section):
    """`[webhook.<id>]`: where changes of callbacks are told, of one `site` or of all. The secrets sign, all of them:
    given here, or one a line in a file or a credential. `allow_private`: networks that are not public and may be told;
    without https only they."""

    url: Annotated[WebAddress, Field(repr=False)]
    site: Id | None = None
    secrets: SigningSecrets | None = None
    secrets_file: Path | None = None
    secrets_credential: Credential | None = None
    allow_private: tuple[Private, ...] = ()
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [way for way in (self.secrets, self.secrets_file, self.secrets_credential) if way is not None]
        if len(given) != 1:
            found = "no secrets" if not given else "more than one source of secrets"
            raise Invalid(found, "give one of secrets, secrets_file and secrets_credential")
        return self

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if urlsplit(self.url).scheme != "https" and not self.allow_private:
            raise Invalid("the address is not https", "give an https address, or name its network in allow_private")
        return self


class MailSettings(Section):
    """`[mail]`: the SMTP server for messages to visitors; without the table none are sent by e-mail."""


class SmsSettings(Section):
    """`[sms]`: the HTTP gateway for text messages to visitors; without the table none are sent."""
