"""What ships loads, shows every key, and says what the defaults are."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import SecretStr

from dialer.cli import app
from dialer.domain.errors import ConfigurationError
from dialer.settings import PageSettings, feeds, load, models, outward, web
from dialer.settings.feeds import FeedSettings
from tests.unit.settings.least import SHIPPED, loaded

OWN_DEFAULT = (
    *("secret", "secret_file", "ca_file", "socket", "path", "metrics_file", "webhook", "callback_page", "whisper"),
    *("tls_certificate", "tls_key"),
    *("caller_id", "calls_at_once", "max_attempts_a_day", "max_minutes_a_day", "max_customer_attempts_a_day"),
    *("host", "port", "security", "plaintext_allowed", "username", "secret_credential", "hello", "timeout_seconds"),
    *("body", "token_header", "token_scheme", "success", "mail_from", "mail_name", "sms_from", "templates"),
    *("url", "site", "secrets", "secrets_file", "secrets_credential", "allow_private"),
    *("outcomes_url", "token", "token_file", "token_credential", "wait_seconds", "poll_seconds", "page_size"),
    *("base_url", "link_days"),
)
"""Keys whose comment shows an example, because without them, or without their table, something else applies."""

ONE_OF_SEVERAL = {"secret", "secret_file", "secrets", "secrets_file", "token", "token_file"}
"""Keys that stand beside another one for the same thing."""


def test_the_shipped_configuration_loads_and_lacks_only_its_credential() -> None:
    settings = load(SHIPPED)
    directory = settings.directory()
    assert set(directory.departments) == {"sales", "support"}
    with pytest.raises(ConfigurationError, match="credential pbx-main is not there"):
        settings.secret("main")


def test_what_the_shipped_configuration_shows_as_defaults_are_the_defaults(file: Path) -> None:
    shown = re.sub(rf"^# (?!(?:{'|'.join(OWN_DEFAULT)}) )([a-z_]+ = )", r"\1", SHIPPED.read_text(), flags=re.MULTILINE)
    assert len(re.findall(r"^[a-z_]+ = ", shown, re.MULTILINE)) > 85
    uncommented, shipped = loaded(file, shown), load(SHIPPED)
    assert asdict(uncommented.directory()) == asdict(shipped.directory())
    assert uncommented.limits() == shipped.limits()
    # An agent's device is shown as what it becomes without one.
    for section in set(type(shipped).model_fields) - {"agent"}:
        assert getattr(uncommented, section) == getattr(shipped, section)


def test_what_the_shipped_configuration_shows_as_examples_can_be_used(file: Path) -> None:
    examples = "|".join(set(OWN_DEFAULT) - ONE_OF_SEVERAL)
    shown = re.sub(rf"^# ((?:{examples}) = |\[)", r"\1", SHIPPED.read_text(), flags=re.MULTILINE)
    settings = loaded(file, shown)
    directory = settings.directory()
    assert settings.alerts.webhook == "https://hooks.example.com/dialer"
    assert directory.callback_page == "https://desk.example.com/callbacks/{id}"
    assert directory.accounts["example"].max_attempts_a_day == 500
    assert directory.trunks["carrier"].pace.at_once == 30
    assert settings.webhook["crm"].site == "shop"
    assert settings.feed["mi"].site == "shop"
    feed = FeedSettings(url="https://feed.example.com/", token=SecretStr("x"))
    for key in ("wait_seconds", "poll_seconds", "page_size"):
        assert getattr(settings.feed["mi"], key) == getattr(feed, key), key
    assert settings.mail is not None
    assert settings.sms is not None
    assert settings.page == PageSettings(base_url="https://callback.example.com", secrets_credential="page-links")


def test_the_unit_and_the_configuration_mean_the_same_files_and_exit_codes() -> None:
    unit = (SHIPPED.parents[1] / "systemd" / "dialer.service").read_text()
    credentials = re.findall("^LoadCredential=.*", unit, re.MULTILINE)
    assert credentials == ["LoadCredential=pbx-main:/etc/dialer/pbx-main"]
    assert all(credential in SHIPPED.read_text() for credential in credentials)
    assert f"RestartPreventExitStatus={app.MISUSED}\n" in unit
    # With the usual limit, five failures within ten seconds would end it for good.
    assert "StartLimitIntervalSec=0\n" in unit.partition("[Service]")[0]


def test_the_shipped_configuration_shows_every_key() -> None:
    text = SHIPPED.read_text()
    made = [each for module in (models, outward, feeds, web) for each in vars(module).values()]
    sections = [each for each in made if isinstance(each, type) and issubclass(each, models.Section)]
    for key in {key for section in sections for key in section.model_fields}:
        assert re.search(rf"^(# )?(\[.*\.)?{key}(\]| =)", text, re.MULTILINE), key
