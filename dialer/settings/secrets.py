"""Secrets: from the configuration itself, a file of their own, or systemd's credentials. Never in an error's text."""

import os
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr, TypeAdapter, ValidationError

from dialer.domain.errors import ConfigurationError, MayNotRead
from dialer.notify.links import MIN_SECRET
from dialer.settings.feeds import FeedSettings
from dialer.settings.outward import SigningSecrets, WebhookSettings
from dialer.settings.problems import Problem, problems_of
from dialer.settings.web import PageSettings

_NO_SECRET = Problem("", "it holds no secret", "store one on each line")
_SIGNING: TypeAdapter[tuple[SecretStr, ...]] = TypeAdapter(SigningSecrets)


class HasSecret(Protocol):
    """A section with a secret in one of three ways."""

    @property
    def secret(self) -> SecretStr | None: ...

    @property
    def secret_file(self) -> Path | None: ...

    @property
    def secret_credential(self) -> str | None: ...


def read_secret(section: HasSecret, folder: Path, where: str) -> SecretStr:
    """A section's secret. `folder` is where relative paths start, `where` names the section in errors.

    Raises `ConfigurationError` when the file or credential is not there or holds no usable secret; `MayNotRead` when
    it is kept from this process.
    """
    if section.secret is not None:
        return _usable(section.secret.get_secret_value(), f"{where}.secret")
    if section.secret_file is not None:
        key = f"{where}.secret_file"
        return _usable(_read(folder / section.secret_file, key), key)
    key = f"{where}.secret_credential"
    return _usable(_read(_credential(str(section.secret_credential), key), key), key)


def read_signing_secrets(webhook: WebhookSettings, folder: Path, where: str) -> tuple[SecretStr, ...]:
    """The webhook's secrets, in their order; as `read_secret`."""
    if webhook.secrets is not None:
        return webhook.secrets
    if webhook.secrets_file is not None:
        key = f"{where}.secrets_file"
        text = _read(folder / webhook.secrets_file, key)
    else:
        key = f"{where}.secrets_credential"
        text = _read(_credential(str(webhook.secrets_credential), key), key)
    try:
        return _SIGNING.validate_python([line.strip() for line in text.splitlines() if line.strip()])
    except ValidationError as error:
        problem = next(iter(problems_of(error, ())), _NO_SECRET)
        raise ConfigurationError(problem.what, where=key, remedy=problem.remedy) from None


def read_token(feed: FeedSettings, folder: Path, where: str) -> SecretStr:
    """The feed's token; as `read_secret`."""
    if feed.token is not None:
        return _bearable(feed.token.get_secret_value(), f"{where}.token")
    if feed.token_file is not None:
        key = f"{where}.token_file"
        return _bearable(_read(folder / feed.token_file, key), key)
    key = f"{where}.token_credential"
    return _bearable(_read(_credential(str(feed.token_credential), key), key), key)


def _bearable(token: str, key: str) -> SecretStr:
    """A token that a header can carry."""
    if not token.isascii() or " " in token:
        what = "the token holds a space, or a letter that is not ASCII"
        raise ConfigurationError(what, where=key, remedy="store it as the feed's owner gave it")
    return _usable(token, key)


def read_link_secrets(page: PageSettings, folder: Path, where: str) -> tuple[str, ...]:
    """The secrets that sign links, one a line of their file, the one that signs first. Otherwise as `read_secret`."""
    if page.secrets_file is not None:
        key = f"{where}.secrets_file"
        text = _read(folder / page.secrets_file, key)
    else:
        key = f"{where}.secrets_credential"
        text = _read(_credential(str(page.secrets_credential), key), key)
    secrets = tuple(_usable(line.removesuffix("\r"), key).get_secret_value() for line in text.split("\n"))
    if min(map(len, secrets)) < MIN_SECRET:
        what = f"a secret is shorter than {MIN_SECRET} characters: links could be forged"
        raise ConfigurationError(what, where=key, remedy="make each with: openssl rand -hex 32")
    return secrets


def _credential(name: str, key: str) -> Path:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if not credentials:
        raise MayNotRead(
            f"credential {name} is not there: this process was given none",
            where=key,
            remedy="start the service by systemd with LoadCredential=, or set CREDENTIALS_DIRECTORY",
        )
    return Path(credentials, name)


def _read(file: Path, key: str) -> str:
    try:
        return file.read_bytes().decode().removesuffix("\n").removesuffix("\r")
    except PermissionError as error:
        remedy = "give it to the service's user, and run this as that user"
        raise MayNotRead(f"cannot read {file}: {error.strerror}", where=key, remedy=remedy) from None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {file}: {error.strerror}", where=key, remedy="create it, readable by the service alone"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8", where=key, remedy="store the secret as plain text") from None


def _usable(secret: str, key: str) -> SecretStr:
    if not secret or not secret.isprintable():
        raise ConfigurationError(
            "the secret is empty or holds a line break or control character", where=key, remedy="store one line of text"
        )
    return SecretStr(secret)
