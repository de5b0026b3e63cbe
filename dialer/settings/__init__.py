"""The configuration: TOML and environment → frozen models, read once and checked whole."""

from dialer.settings.loading import find, load
from dialer.settings.models import (
    AgentSettings,
    DaemonSettings,
    DepartmentSettings,
    LogSettings,
    PbxSettings,
    RetrySettings,
    SiteSettings,
    StoreSettings,
    TlsSettings,
    TrunkSettings,
)
from dialer.settings.settings import Settings

__all__ = [
    "AgentSettings",
    "DaemonSettings",
    "DepartmentSettings",
    "LogSettings",
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
