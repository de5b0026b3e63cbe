"""`[page]`: where visitors see it, and the secrets that sign its links."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.domain.errors import ConfigurationError
from dialer.domain.ids import CallbackId
from dialer.settings import Settings
from tests.unit.settings.least import LEAST, loaded, refused_at

ID = CallbackId("01JV3KQ8ZC4W9E5R7T2Y6M1N0P")
OLD, NEW = "o" * 32, "n" * 32


def now() -> datetime:
    return datetime(2030, 5, 13, 10, 0, tzinfo=UTC)


def with_page(lines: str = 'secrets_file = "links"', base: str = "https://callback.example.com") -> str:
    return f'{LEAST}[api]\n[page]\nbase_url = "{base}"\n{lines}\n'


def settings_with(file: Path, secrets: bytes) -> Settings:
    (file.parent / "links").write_bytes(secrets)
    return loaded(file, with_page())


def test_without_the_table_there_are_no_links(file: Path) -> None:
    assert loaded(file).links(now) is None


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_first_secret_signs_and_the_others_are_known(file: Path, end: str) -> None:
    before = settings_with(file, f"{OLD}{end}".encode()).links(now)
    after = settings_with(file, f"{NEW}\r\n{OLD}{end}".encode()).links(now)
    assert before is not None
    assert after is not None
    assert after.read(before.token(ID)) is not None
    assert before.read(after.token(ID)) is None
    assert after.page_of(ID).startswith("https://callback.example.com/c/")


def test_secrets_among_systemds_credentials(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, with_page('secrets_credential = "page-links"'))
    with pytest.raises(ConfigurationError, match="credential page-links is not there"):
        settings.links(now)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    (file.parent / "page-links").write_text(OLD)
    assert settings.links(now) is not None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (OLD.encode() + b"\n\n" + NEW.encode(), "empty"),
        (OLD.encode()[1:], "shorter than 32"),
        (OLD.encode() + b"\nshort\n", "shorter than 32"),
        (OLD.encode() + b"\x00", "control character"),
        (b"\xff" * 40, "not UTF-8"),
    ],
)
def test_secrets_that_cannot_be_used(file: Path, content: bytes, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        settings_with(file, content).links(now)
    assert caught.value.where == f"{file}: page.secrets_file"
    assert caught.value.remedy
    assert OLD[1:] not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("http://callback.example.com", "not served over https"),
        ("ftp://callback.example.com", "not a web address"),
        ("callback.example.com", "not a web address"),
        ("https://user@callback.example.com", "holds a user name"),
        ("https://callback.example.com/?a=b", "more than a host and a path"),
        ("https://callback.example.com/#a", "more than a host and a path"),
        ("https://callback.example.com:0", "not a web address"),
        ("https://callback.example.com/a b", "not a web address"),
    ],
)
def test_an_address_that_visitors_could_not_use(file: Path, base: str, says: str) -> None:
    refused_at(file, with_page(base=base), "page.base_url", says)


@pytest.mark.parametrize("base", ["https://example.com/mi/", "http://127.0.0.1:8080", "http://[::1]:80", "https://x/"])
def test_an_address_that_they_can(file: Path, base: str) -> None:
    page = loaded(file, with_page(base=base)).page
    assert page is not None
    assert page.base_url == base.rstrip("/")
    assert page.link_days == 14


@pytest.mark.parametrize(
    ("lines", "key", "says"),
    [
        ("", "page", "no secrets"),
        ('secrets_file = "a"\nsecrets_credential = "b"', "page", "two places"),
        ('secrets_file = "a"\nlink_days = 0', "page.link_days", "greater than"),
    ],
)
def test_a_table_that_is_not_whole(file: Path, lines: str, key: str, says: str) -> None:
    refused_at(file, with_page(lines), key, says)


def test_a_page_that_nothing_serves(file: Path) -> None:
    file.write_text(with_page().replace("[api]\n", ""))
    with pytest.raises(ConfigurationError, match="nothing serves the visitor's page") as caught:
        loaded(file, with_page().replace("[api]\n", ""))
    assert caught.value.where == str(file)
