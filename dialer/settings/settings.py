"""The whole configuration as one model, and what is derived from it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PrivateAttr, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dialer.domain.directory import Directory
from dialer.intake.limits import Limits
from dialer.notify.links import Links
from dialer.settings.directory import Parts, build
from dialer.settings.feeds import FeedSettings
from dialer.settings.models import (
    AccountSettings,
    AgentSettings,
    AlertsSettings,
    DaemonSettings,
    DepartmentSettings,
    DeskSettings,
    LimitsSettings,
    LogSettings,
    PbxSettings,
    SiteSettings,
    StoreSettings,
    TrunkSettings,
)
from dialer.settings.outward import MailSettings, SmsSettings, WebhookSettings, check_senders
from dialer.settings.problems import Invalid, configuration_error
from dialer.settings.references import References
from dialer.settings.secrets import read_link_secrets, read_secret, read_signing_secrets, read_token
from dialer.settings.values import Id
from dialer.settings.web import ApiSettings, PageSettings

ENV_PREFIX = "DIALER_"


class Settings(BaseSettings):
    """Everything that `dialer.toml` says; `DIALER_<SECTION>__<KEY>` in the environment wins over the file.

    Made by `dialer.settings.load`. Tables of the same kind are mappings by id.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_prefix_target="all",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    daemon: DaemonSettings = DaemonSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    alerts: AlertsSettings = AlertsSettings()
    desk: DeskSettings = DeskSettings()
    # The name in the file is that of the method below.
    request_limits: LimitsSettings = Field(default=LimitsSettings(), alias="limits")
    api: ApiSettings | None = None
    page: PageSettings | None = None
    mail: MailSettings | None = None
    sms: SmsSettings | None = None
    webhook: dict[Id, WebhookSettings] = Field(default_factory=dict)
    feed: dict[Id, FeedSettings] = Field(default_factory=dict)
    account: dict[Id, AccountSettings] = Field(default_factory=dict)
    pbx: Annotated[dict[Id, PbxSettings], Field(min_length=1)]
    trunk: Annotated[dict[Id, TrunkSettings], Field(min_length=1)]
    agent: Annotated[dict[Id, AgentSettings], Field(min_length=1)]
    site: Annotated[dict[Id, SiteSettings], Field(min_length=1)]
    department: Annotated[dict[Id, DepartmentSettings], Field(min_length=1)]

    _file: Path = PrivateAttr(Path("dialer.toml"))

    @model_validator(mode="after")
    def _served(self) -> Self:
        if self.page is not None and self.api is None:
            raise Invalid("nothing serves the visitor's page", "add [api], or take [page] out")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file's content, and nothing else."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def file(self) -> Path:
        """The file that was read."""
        return self._file

    @property
    def state_dir(self) -> Path:
        """The folder for all that the daemon keeps."""
        return self.resolve(self.daemon.state_dir)

    @property
    def database(self) -> Path:
        """The store's SQLite file."""
        return self.resolve(self.store.path) if self.store.path else self.state_dir / "dialer.db"

    @property
    def socket(self) -> Path:
        """The Unix socket on which a running daemon is poked."""
        return self.resolve(self.daemon.socket) if self.daemon.socket else self.state_dir / "dialer.sock"

    @property
    def metrics_file(self) -> Path | None:
        """The text file of the alerts, where there is to be one."""
        return self.resolve(self.daemon.metrics_file) if self.daemon.metrics_file else None

    def resolve(self, path: Path) -> Path:
        """A path of the configuration as an absolute one: relative paths start at the configuration file's folder."""
        return self._file.absolute().parent / path

    def secret(self, pbx: str) -> SecretStr:
        """A PBX's secret, read now: only who logs in needs it. Raises `ConfigurationError`."""
        return read_secret(self.pbx[pbx], self._file.absolute().parent, f"{self._file}: pbx.{pbx}")

    def webhook_secrets(self, webhook: str) -> tuple[SecretStr, ...]:
        """A webhook's secrets, as `secret`."""
        where = f"{self._file}: webhook.{webhook}"
        return read_signing_secrets(self.webhook[webhook], self._file.absolute().parent, where)

    def feed_token(self, feed: str) -> SecretStr:
        """A feed's token, as `secret`."""
        return read_token(self.feed[feed], self._file.absolute().parent, f"{self._file}: feed.{feed}")

    def mail_secret(self) -> SecretStr | None:
        """The mail server's secret, as `secret`; None where we do not log in."""
        if self.mail is None or self.mail.username is None:
            return None
        return read_secret(self.mail, self._file.absolute().parent, f"{self._file}: mail")

    def sms_token(self) -> SecretStr | None:
        """The text gateway's token, as `secret`; None where it has none."""
        given = self.sms
        if given is None or (given.secret, given.secret_file, given.secret_credential) == (None, None, None):
            return None
        return read_secret(given, self._file.absolute().parent, f"{self._file}: sms")

    def links(self, clock: Callable[[], datetime]) -> Links | None:
        """The links to visitors' own pages, by their secrets as read now; None where there is no such page. Raises
        `ConfigurationError`."""
        if self.page is None:
            return None
        secrets = read_link_secrets(self.page, self._file.absolute().parent, f"{self._file}: page")
        return Links(self.page.base_url, secrets, timedelta(days=self.page.link_days), clock)

    def limits(self) -> Limits:
        """How often a number, and a visitor, may ask."""
        return Limits(self.request_limits.per_number, self.request_limits.per_visitor)

    def directory(self) -> Directory:
        """The domain's directory. Raises `ConfigurationError` when a reference between its parts does not hold."""
        parts = Parts(self.account, self.pbx, self.trunk, self.agent, self.site, self.department, self.desk)
        directory, problems = build(parts)
        sites = References(problems)
        for id_, webhook in self.webhook.items():
            sites.known("site", (webhook.site,) if webhook.site else (), self.site, f"webhook.{id_}.site")
        for id_, feed in self.feed.items():
            sites.known("site", (feed.site,) if feed.site else (), self.site, f"feed.{id_}.site")
        check_senders(self.mail, self.site, sites)
        if problems:
            raise configuration_error(self._file, problems)
        return directory


TABLES = tuple(field.alias or name for name, field in Settings.model_fields.items())
"""The tables of the file, by their names."""
