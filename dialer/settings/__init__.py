"""The configuration: TOML and environment → frozen models, read once and checked whole."""

from dialer.settings.loading import find, load
from dialer.settings.models import (
    AccountSettings,
    AgentSettings,
    AlertsSettings,
    DaemonSettings,
    DepartmentSettings,
    DeskSettings,
    LimitsSettings,
    LogSettings,
    OverflowSettings,
    PbxSettings,
    RetrySettings,
    SiteSettings,
    StoreSettings,
    TlsSettings,
    TrunkSettings,
)
from dialer.settings.settings import Settings
from dialer.settings.web import ApiSettings, PageSettings

__all__ = [
    "AccountSettings",
    "AgentSettings",
    "AlertsSettings",
    "ApiSettings",
    "DaemonSettings",
    "DepartmentSettings",
    "DeskSettings",
    "LimitsSettings",
    "LogSettings",
    "OverflowSettings",
    "PageSettings",
    "PbxSettings",
    "RetrySettings",
    "Settings",
    "SiteSettings",
    "StoreSettings",
    "TlsSettings",
    "TrunkSettings",
    "find",
    "load",
]
