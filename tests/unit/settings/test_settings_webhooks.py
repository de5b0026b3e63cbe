"""`[webhook.<id>]`: where changes are told, by which secrets, and what is no such thing."""

import base64
from ipaddress import ip_network
from pathlib import Path

import pytest

from dialer.domain.errors import ConfigurationError
from tests.unit.settings.least import LEAST, loaded, refused_at


def signing(length: int = 32, fill: bytes = b"x") -> str:
    return "whsec_" + base64.b64encode(fill * length).decode()


URL = 'url = "https://hooks.example.com/callbacks"\n'
SECRETS = f'secrets = ["{signing()}"]\n'


def webhook(*lines: str) -> str:
    return f"{LEAST}[webhook.crm]\n" + "".join(lines)


def test_the_least_webhook_and_its_defaults(file: Path) -> None:
    settings = loaded(file, webhook(URL, SECRETS))
    crm = settings.webhook["crm"]
    assert (crm.site, crm.allow_private, crm.ca_file) == (None, (), None)
    assert [each.get_secret_value() for each in settings.webhook_secrets("crm")] == [signing()]
    assert signing() not in repr(settings)
    assert "hooks.example.com" not in repr(settings)


def test_all_of_it(file: Path) -> None:
    more = 'site = "shop"\nallow_private = ["10.1.0.0/16", "fd00::/8"]\nca_file = "ca.pem"\n'
    crm = loaded(file, webhook('url = "http://10.1.2.3:8080/x"\n', SECRETS, more)).webhook["crm"]
    assert crm.allow_private == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert (crm.site, crm.ca_file) == ("shop", Path("ca.pem"))


@pytest.mark.parametrize(
    ("lines", "key", "says"),
    [
        ((SECRETS,), ".url", "is missing"),
        ((URL,), "", "no secrets"),
        ((URL, SECRETS, 'secrets_file = "x"\n'), "", "more than one source of secrets"),
        (('url = "http://hooks.example.com/"\n', SECRETS), "", "the address is not https"),
        (('url = "https://ann:pw@hooks.example.com/"\n', SECRETS), ".url", "the address holds a user name"),
        (('url = "ftp://hooks.example.com/"\n', SECRETS), ".url", "not a web address"),
        ((URL, SECRETS, 'site = "nowhere"\n'), ".site", "there is no site nowhere"),
        ((URL, SECRETS, 'allow_private = ["10.0.0.1/8"]\n'), ".allow_private.0", "not a network"),
        ((URL, SECRETS, "allow_private = [10]\n"), ".allow_private.0", "not a network"),
        ((URL, SECRETS, 'allow_private = ["internal"]\n'), ".allow_private.0", "not a network"),
        ((URL, "secrets = []\n"), ".secrets", "at least 1 item"),
        ((URL, f"secrets = {[signing()] * 6}\n"), ".secrets", "at most 5 items"),
        ((URL, f'secrets = ["{signing(23)}"]\n'), ".secrets.0", "not a webhook secret"),
        ((URL, f'secrets = ["{signing(65)}"]\n'), ".secrets.0", "not a webhook secret"),
        ((URL, f'secrets = ["{signing()[6:]}"]\n'), ".secrets.0", "not a webhook secret"),
        ((URL, 'secrets = ["whsec_*** not base64 *** not base64 ***"]\n'), ".secrets.0", "not a webhook secret"),
        ((URL, 'secrets = ["whsec_☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎☎"]\n'), ".secrets.0", "not a webhook secret"),
    ],
)
def test_what_is_no_webhook(file: Path, lines: tuple[str, ...], key: str, says: str) -> None:
    error = refused_at(file, webhook(*lines), f"webhook.crm{key}", says)
    assert "whsec_e" not in str(error)


@pytest.mark.parametrize("length", [24, 64])
def test_secrets_may_be_as_long_as_the_standard_says(file: Path, length: int) -> None:
    assert loaded(file, webhook(URL, f'secrets = ["{signing(length)}"]\n')).webhook_secrets("crm")


def test_secrets_from_a_file_one_a_line_in_their_order(file: Path) -> None:
    settings = loaded(file, webhook(URL, 'secrets_file = "crm.secrets"\n'))
    new, old = signing(fill=b"n"), signing(fill=b"o")
    file.with_name("crm.secrets").write_text(f"{new}\r\n\n  {old}\n")
    assert [each.get_secret_value() for each in settings.webhook_secrets("crm")] == [new, old]


def test_secrets_from_a_credential(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, webhook(URL, 'secrets_credential = "webhook-crm"\n'))
    with pytest.raises(ConfigurationError, match="credential webhook-crm is not there"):
        settings.webhook_secrets("crm")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    file.with_name("webhook-crm").write_text(signing())
    assert [each.get_secret_value() for each in settings.webhook_secrets("crm")] == [signing()]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"s3cret\n", signing().encode() + b"\nhello\n", b"\xff\xfe"])
def test_a_file_without_usable_secrets_is_told_by_its_key_and_not_its_content(file: Path, content: bytes) -> None:
    settings = loaded(file, webhook(URL, 'secrets_file = "crm.secrets"\n'))
    file.with_name("crm.secrets").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        settings.webhook_secrets("crm")
    assert caught.value.where == f"{file}: webhook.crm.secrets_file"
    assert "s3cret" not in str(caught.value)
    assert "hello" not in str(caught.value)
    assert caught.value.remedy
