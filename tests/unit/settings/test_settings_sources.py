"""Where the configuration comes from: the file, the environment, the secrets; and how all that is wrong is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from dialer.domain.errors import ConfigurationError
from dialer.intake.limits import Limit
from dialer.settings import find, load
from tests.unit.settings.least import LEAST, loaded, refused, refused_at

# --- how it is told --------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_guessed_at(file: Path) -> None:
    error = refused_at(file, LEAST.replace("caller_id =", "callerid ="), "department.sales.callerid", "unknown key")
    assert error.remedy == "did you mean caller_id?"
    text = LEAST.replace("hours =", 'trunk = "carrier"\nhours =')
    assert refused_at(file, text, "department.sales.trunk", "unknown key").remedy == "did you mean trunks?"


def test_a_missing_key_is_to_be_added(file: Path) -> None:
    error = refused_at(file, LEAST.replace('name = "Sales"\n', ""), "department.sales.name", "is missing")
    assert error.remedy == "add it"


def test_several_things_wrong_are_counted(file: Path) -> None:
    error = refused(file, "[demon]\n" + LEAST.replace("PJSIP/anna", "anna").replace("17:30", "8"))
    assert error.where == f"{file}: demon"
    assert error.what == "unknown key; and 2 more"
    error = refused(file, LEAST.replace("020 7946 0123", "1").replace('agents = ["anna"]', 'agents = ["bob"]'))
    assert error.what == "there is no agent bob; and 2 more"


def test_an_empty_file_lacks_all_its_tables(file: Path) -> None:
    error = refused(file, "")
    assert (error.where, error.what) == (f"{file}: pbx", "is missing; and 4 more")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[pbx\n", "not TOML"),
        (b"a = 1\na = 2\n", "not TOML"),
        (b"# caf\xe9\n", "not UTF-8 at byte 6"),
        (b"a = " + b"9" * 5000, "too many digits"),
    ],
)
def test_a_file_that_is_no_toml(file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says) as caught:
        load(file)
    assert caught.value.where == str(file)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load(file)
    file.mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load(file)


# --- where it comes from ---------------------------------------------------------------------------------------------


def test_the_file_is_found_in_its_places(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with pytest.raises(ConfigurationError, match=r"no configuration found.*DIALER_CONFIG"):
        find()
    local = Path("config/dialer.toml")
    local.parent.mkdir()
    local.write_text(LEAST)
    assert find() == local
    monkeypatch.setenv("DIALER_CONFIG", "elsewhere.toml")
    assert find() == Path("elsewhere.toml")
    assert find(Path("given.toml")) == Path("given.toml")


def test_a_place_that_cannot_be_looked_at_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    unlookable = Path("x" * 300)
    monkeypatch.setattr("dialer.settings.loading._USUAL_PLACES", (unlookable,))
    with pytest.raises(ConfigurationError, match="cannot be read: File name too long"):
        load()


def test_the_environment_wins(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_LOG__LEVEL", "debug")
    monkeypatch.setenv("DIALER_PBX__MAIN__PORT", "15038")
    monkeypatch.setenv("DIALER_LIMITS__PER_NUMBER", '["2/1m"]')
    settings = loaded(file, LEAST + "[log]\nlevel = 'info'\nformat = 'json'\n")
    assert (settings.log.level, settings.log.format) == ("debug", "json")
    assert settings.pbx["main"].port == 15038
    assert settings.limits().per_number == (Limit(2, timedelta(minutes=1)),)
    assert settings.pbx["main"].username == "mi-dialer"


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("DIALER_LOGG__LEVEL", "debug", "$DIALER_LOGG__LEVEL"),
        ("DIALER_LOG__LEVEL", "sesame", "log.level"),
        ("DIALER_LOG__LEVLE", "debug", "log.levle"),
        ("DIALER_LOG", "sesame", "environment"),
        ("DIALER_REQUEST_LIMITS__PER_NUMBER", "[]", "$DIALER_REQUEST_LIMITS__PER_NUMBER"),
        ("DIALER_LIMITS__PER_NUMBER", '["sesame"]', "limits.per_number.0"),
    ],
)
def test_a_wrong_variable(file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, key: str) -> None:
    monkeypatch.setenv(name, value)
    assert refused(file, LEAST).where == f"{file}: {key}"


# --- secrets ---------------------------------------------------------------------------------------------------------


def with_secret(line: str) -> str:
    return LEAST.replace('secret = "open sesame"', line)


def test_a_secret_in_the_file_never_shows(file: Path) -> None:
    settings = loaded(file)
    assert settings.secret("main").get_secret_value() == "open sesame"
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize("content", ["open sesame", "open sesame\n", "open sesame\r\n"])
def test_a_secret_in_a_file_of_its_own(file: Path, content: str) -> None:
    settings = loaded(file, with_secret('secret_file = "ami.secret"'))
    (file.parent / "ami.secret").write_bytes(content.encode())
    assert settings.secret("main").get_secret_value() == "open sesame"


def test_a_secret_among_systemds_credentials(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(file, with_secret('secret_credential = "pbx-main"'))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    (file.parent / "pbx-main").write_text("open sesame\n")
    assert settings.secret("main").get_secret_value() == "open sesame"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"open\nsesame\n", "line break"),
        (b"open\x00sesame", "control character"),
        (b"\xffsesame", "not UTF-8"),
    ],
)
def test_an_unusable_secret(file: Path, content: bytes | None, says: str) -> None:
    settings = loaded(file, with_secret('secret_file = "ami.secret"'))
    if content is not None:
        (file.parent / "ami.secret").write_bytes(content)
    with pytest.raises(ConfigurationError, match=says) as caught:
        settings.secret("main")
    assert caught.value.where == f"{file}: pbx.main.secret_file"
    assert caught.value.remedy
    assert "sesame" not in str(caught.value)
