"""`[webhook.<id>]`, `[mail]` and `[sms]`: whom the daemon tells, and how."""

import base64
import binascii
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, SecretStr, model_validator

from dialer.notify.messages import Channel
from dialer.notify.sending import Security
from dialer.settings.addresses import Private, WebAddress
from dialer.settings.models import Section, SiteSettings
from dialer.settings.problems import Invalid
from dialer.settings.references import References
from dialer.settings.values import Credential, HeaderName, Host, Id, Place, UserName

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
    secrets_file: Place | None = None
    secrets_credential: Credential | None = None
    allow_private: tuple[Private, ...] = ()
    ca_file: Place | None = None

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
    """`[mail]`: the SMTP server for messages to visitors; without the table none are sent by e-mail. `security` `none`
    is for a server on this host alone, and only where `plaintext_allowed` says so. `hello`: the name that we give to
    the server (default: this host's). Times are seconds."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = Security.STARTTLS
    plaintext_allowed: bool = False
    username: UserName | None = None
    secret: SecretStr | None = None
    secret_file: Place | None = None
    secret_credential: Credential | None = None
    ca_file: Place | None = None
    hello: Host | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0

    @model_validator(mode="after")
    def _login(self) -> Self:
        given = _given(self.secret, self.secret_file, self.secret_credential)
        if given > 1:
            raise Invalid("more than one secret", "give one of secret, secret_file and secret_credential")
        if given != (self.username is not None):
            raise Invalid("a user name without a secret, or the other way round", "give both, or neither")
        return self

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.security is Security.NONE and not (self.plaintext_allowed and _is_here(self.host)):
            remedy = "use starttls or tls; a server on this host itself may do without where plaintext_allowed is true"
            raise Invalid("mail would go unencrypted", remedy)
        return self


class SmsSettings(Section):
    """`[sms]`: the HTTP gateway for text messages to visitors; without the table none are sent. `body` is posted as
    JSON with `{number}`, `{text}`, `{sender}` and `{id}` filled in; the token goes into `token_header`, behind
    `token_scheme`. `success`: the statuses that mean "taken"."""

    url: Annotated[WebAddress, Field(repr=False)]
    body: dict[str, JsonValue]
    secret: SecretStr | None = None
    secret_file: Place | None = None
    secret_credential: Credential | None = None
    token_header: HeaderName = "Authorization"  # noqa: S105  # a header's name
    token_scheme: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")] = "Bearer"  # noqa: S105  # the scheme's name
    success: Annotated[tuple[Annotated[int, Field(ge=200, le=299)], ...], Field(min_length=1)] = (200, 201, 202)
    allow_private: tuple[Private, ...] = ()
    ca_file: Place | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if _given(self.secret, self.secret_file, self.secret_credential) > 1:
            raise Invalid("more than one secret", "give one of secret, secret_file and secret_credential")
        text = repr(self.body)
        if "{number}" not in text or "{text}" not in text:
            raise Invalid("the body lacks {number} or {text}", 'write it like { to = "{number}", text = "{text}" }')
        return self

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if not self.url.startswith("https:") and not self.allow_private:
            raise Invalid("the address is not https", "give an https address, or name its network in allow_private")
        return self


def check_senders(mail: MailSettings | None, sites: Mapping[str, SiteSettings], references: References) -> None:
    """Each site that writes e-mail has an address in whose name it does."""
    for id_, site in sites.items():
        if mail is not None and Channel.EMAIL in site.messages and site.mail_from is None:
            remedy = 'give an address that [mail] may send in the name of, or leave "email" out of messages'
            references.problem(f"site.{id_}.mail_from", "is missing", remedy)


def _given(*ways: object) -> int:
    return sum(way is not None for way in ways)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
