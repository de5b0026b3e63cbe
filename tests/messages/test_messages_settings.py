"""[mail], [sms] and a site's keys for messages: what is wrong is said in one line, with its place."""

from pathlib import Path

import pytest

from dialer.cli.app import main
from dialer.domain.errors import ConfigurationError
from dialer.notify.messages import Channel
from dialer.notify.sending import Security
from tests.unit.settings.least import LEAST, loaded, refused, refused_at

MAIL = '[mail]\nhost = "smtp.example.com"\n'
SMS = '[sms]\nurl = "https://sms.example.com/"\nbody = { to = "{number}", text = "{text}" }\n'
SENDER = LEAST.replace("[site.shop]\n", '[site.shop]\nmail_from = "calls@example.com"\n')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dialer.toml"


def test_without_the_tables_there_is_no_way(file: Path) -> None:
    settings = loaded(file)
    assert settings.mail is settings.sms is None
    assert settings.mail_secret() is settings.sms_token() is None
    assert settings.site["shop"].messages == tuple(Channel)


def test_the_least_that_can_send(file: Path) -> None:
    settings = loaded(file, SENDER + MAIL + SMS)
    assert settings.mail is not None
    assert (settings.mail.port, settings.mail.security) == (587, Security.STARTTLS)
    assert settings.mail_secret() is settings.sms_token() is None


def test_secrets_come_as_a_pbx_s_do(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "mail.secret").write_text("sesame one\n")
    (file.parent / "sms").write_text("sesame two\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    mail, sms = 'username = "u"\nsecret_file = "mail.secret"\n', 'secret_credential = "sms"\n'
    settings = loaded(file, SENDER + MAIL + mail + SMS + sms)
    secret, token = settings.mail_secret(), settings.sms_token()
    assert secret is not None
    assert token is not None
    assert (secret.get_secret_value(), token.get_secret_value()) == ("sesame one", "sesame two")
    assert "sesame" not in repr(settings)
    (file.parent / "mail.secret").unlink()
    with pytest.raises(ConfigurationError, match=r"mail\.secret_file"):
        settings.mail_secret()


BAD = [
    (MAIL + 'security = "none"\n', "mail", "mail would go unencrypted"),
    (MAIL + 'security = "none"\nplaintext_allowed = true\n', "mail", "mail would go unencrypted"),
    (MAIL + 'security = "ssl"\n', "mail.security", ""),
    (MAIL + 'username = "u"\n', "mail", "a user name without a secret"),
    (MAIL + 'secret = "sesame"\n', "mail", "a user name without a secret"),
    (MAIL + 'username = "u"\nsecret = "sesame"\nsecret_file = "x"\n', "mail", "more than one secret"),
    (MAIL + "port = 0\n", "mail.port", ""),
    ('[mail]\nhost = "smtp example"\n', "mail.host", "not a host"),
    (SMS.replace("https", "http"), "sms", "the address is not https"),
    (SMS.replace("{text}", "hello"), "sms", "the body lacks"),
    (SMS + 'secret = "sesame"\nsecret_credential = "sms"\n', "sms", "more than one secret"),
    (SMS + 'token_header = "X-A: b"\n', "sms.token_header", "not a header's name"),
    (SMS + 'token_scheme = "a\\r\\nb"\n', "sms.token_scheme", ""),
    (SMS + "success = []\n", "sms.success", ""),
    (SMS + "success = [302]\n", "sms.success.0", ""),
]


@pytest.mark.parametrize(("tables", "key", "says"), BAD)
def test_what_is_wrong_is_said(file: Path, tables: str, key: str, says: str) -> None:
    refused_at(file, SENDER + tables, key, says)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('mail_from = "Shop <calls@example.com>"', "mail_from"),
        ('mail_from = "calls@example.com\\r\\nBcc: x@example.com"', "mail_from"),
        ('mail_name = "a\\nb"', "mail_name"),
        ('sms_from = "A name that is long"', "sms_from"),
        ('language = "fr"', "language"),
        ('messages = ["fax"]', "messages.0"),
        ('reminder_before = "soon"', "reminder_before"),
    ],
)
def test_a_site_s_keys_are_checked(file: Path, line: str, key: str) -> None:
    refused_at(file, LEAST.replace("[site.shop]\n", f"[site.shop]\n{line}\n"), f"site.shop.{key}", "")


def test_a_site_that_writes_mail_needs_an_address(file: Path) -> None:
    error = refused(file, LEAST + MAIL)
    assert (error.where, error.what) == (f"{file}: site.shop.mail_from", "is missing")
    loaded(file, LEAST.replace("[site.shop]\n", '[site.shop]\nmessages = ["sms"]\n') + MAIL + SMS)


def test_check_renders_the_templates(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = file.parent / "own"
    own.mkdir()
    (own / "moved.html.j2").write_text("<p>\n{{ wen }}</p>")
    file.write_text(LEAST.replace("[site.shop]\n", '[site.shop]\ntemplates = "own"\n'))
    assert main(["--config", str(file), "check"]) == 2
    assert capsys.readouterr().err == (
        f"dialer: {own / 'moved.html.j2'}: line 2: 'wen' is undefined (correct the template)\n"
    )
