"""`[feed.<id>]`: what it needs, what it refuses, and where its token comes from."""

from pathlib import Path

import pytest

from dialer.domain.errors import ConfigurationError
from tests.unit.settings.least import LEAST, loaded, refused, refused_at

FEED = LEAST + '[feed.mi]\nurl = "https://feed.example.com/v1/callbacks"\n'
TOKEN = 'token = "t0ken"\n'


def test_the_least_feed(file: Path) -> None:
    settings = loaded(file, FEED + TOKEN)
    feed = settings.feed["mi"]
    assert (feed.poll_seconds, feed.wait_seconds, feed.page_size, feed.site) == (15.0, 30, 100, None)
    assert settings.feed_token("mi").get_secret_value() == "t0ken"
    assert "t0ken" not in repr(settings)
    assert "feed.example.com" not in repr(feed)


@pytest.mark.parametrize(
    ("more", "key", "says"),
    [
        ("", "feed.mi", "no token"),
        (TOKEN + 'token_file = "x"\n', "feed.mi", "more than one token"),
        (TOKEN + "wait_seconds = 301\n", "feed.mi.wait_seconds", "less than or equal to 300"),
        (TOKEN + "poll_seconds = 0\n", "feed.mi.poll_seconds", "greater than or equal to 0.1"),
        (TOKEN + "page_size = 1001\n", "feed.mi.page_size", "less than or equal to 1000"),
        (TOKEN + 'site = "none"\n', "feed.mi.site", "there is no site none"),
        (TOKEN + 'outcomes_url = "http://feed.example.com/"\n', "feed.mi", "not https"),
        (TOKEN + 'outcomes_url = "https://feed.example.com/#a"\n', "feed.mi", "fragment"),
        (TOKEN + 'outcomes_url = "https://me@feed.example.com/"\n', "feed.mi.outcomes_url", "user name"),
        (TOKEN + 'allow_private = ["10.0.0.1/8"]\n', "feed.mi.allow_private.0", "not a network"),
        (TOKEN + 'interval = "5m"\n', "feed.mi.interval", "unknown key"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(file: Path, more: str, key: str, says: str) -> None:
    refused_at(file, FEED + more, key, says)


def test_without_https_only_to_a_network_that_is_allowed(file: Path) -> None:
    plain = FEED.replace("https:", "http:") + TOKEN
    assert "not https" in refused(file, plain).what
    assert loaded(file, plain + 'allow_private = ["10.0.0.0/8"]\n').feed["mi"].allow_private


def test_the_token_from_a_file_and_from_a_credential(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "feed.token").write_text("from-a-file\n")
    settings = loaded(file, FEED + 'token_file = "feed.token"\n')
    assert settings.feed_token("mi").get_secret_value() == "from-a-file"
    (tmp_path / "feed-mi").write_text("from-systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = loaded(file, FEED + 'token_credential = "feed-mi"\n')
    assert settings.feed_token("mi").get_secret_value() == "from-systemd"
    (tmp_path / "feed-mi").unlink()
    with pytest.raises(ConfigurationError, match=r"feed\.mi\.token_credential: cannot read"):
        settings.feed_token("mi")


@pytest.mark.parametrize("token", ["two words", "tök", "", "a\nb", "a\tb", "a\x7fb"])
def test_a_token_that_no_header_carries(file: Path, token: str) -> None:
    (file.parent / "feed.token").write_text(token)
    settings = loaded(file, FEED + 'token_file = "feed.token"\n')
    with pytest.raises(ConfigurationError, match=r"feed\.mi\.token_file") as caught:
        settings.feed_token("mi")
    assert not token or token not in str(caught.value)
