"""The configuration: what ships loads; what is wrong is told in one line with file, key and remedy."""

import os
import re
from datetime import time, timedelta
from pathlib import Path

import pytest

from dialer.domain.directory import Interval
from dialer.domain.errors import ConfigurationError
from dialer.domain.outcome import Outcome
from dialer.settings import RetrySettings, Settings, find, load, models

SHIPPED = Path(__file__).parents[2] / "config" / "dialer.toml"

LEAST = """
[pbx.main]
username = "mi-dialer"
secret = "open sesame"
[trunk.carrier]
endpoint = "mi-trunk"
[site.shop]
name = "Shop"
[agent.anna]
name = "Anna"
endpoint = "PJSIP/anna"
[department.sales]
name = "Sales"
agents = ["anna"]
caller_id = "020 7946 0123"
hours = { mon-fri = ["09:00-17:30"] }
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("DIALER_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "dialer.toml"


def loaded(file: Path, text: str = LEAST) -> Settings:
    file.write_text(text)
    return load(file)


def refused(file: Path, text: str) -> ConfigurationError:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    error = caught.value
    assert str(file) in error.where
    assert error.what
    assert error.remedy
    assert "\n" not in str(error)
    assert "sesame" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return error


# --- what ships ------------------------------------------------------------------------------------------------------


def test_the_shipped_configuration_loads_and_lacks_only_its_credential() -> None:
    settings = load(SHIPPED)
    directory = settings.directory()
    assert set(directory.departments) == {"sales", "support"}
    with pytest.raises(ConfigurationError, match="credential pbx-main is not there"):
        settings.secret("main")


OWN_DEFAULT = ("secret", "secret_file", "ca_file", "socket", "path", "whisper")
"""Keys whose comment shows an example, because without them something else applies."""


def test_what_the_shipped_configuration_shows_as_defaults_are_the_defaults(file: Path) -> None:
    shown = re.sub(rf"^# (?!(?:{'|'.join(OWN_DEFAULT)}) )([a-z_]+ = )", r"\1", SHIPPED.read_text(), flags=re.MULTILINE)
    assert len(re.findall(r"^[a-z_]+ = ", shown, re.MULTILINE)) > 50
    uncommented, shipped = loaded(file, shown), load(SHIPPED)
    assert uncommented.directory() == shipped.directory()
    for section in ("daemon", "store", "log", "pbx", "trunk", "site", "department"):
        assert getattr(uncommented, section) == getattr(shipped, section)


def test_the_shipped_configuration_shows_every_key() -> None:
    text = SHIPPED.read_text()
    sections = [made for made in vars(models).values() if isinstance(made, type) and issubclass(made, models.Section)]
    for key in {key for section in sections for key in section.model_fields}:
        assert re.search(rf"^(# )?(\[.*\.)?{key}(\]| =)", text, re.MULTILINE), key


# --- values ----------------------------------------------------------------------------------------------------------


def test_the_least_configuration_and_its_defaults(file: Path) -> None:
    settings = loaded(file)
    directory = settings.directory()
    agent, sales = directory.agents["anna"], directory.departments["sales"]
    assert (agent.pbx, agent.device) == ("main", "PJSIP/anna")
    assert (sales.site, sales.trunk, sales.caller_id) == ("shop", "carrier", "+442079460123")
    assert (sales.agent_ring, sales.customer_ring, sales.max_call) == (20, 25, 7200)
    assert (sales.press_to_accept, sales.whisper) == (True, "")
    assert sales.hours.zone.key == "Europe/London"
    assert sales.hours.week == ((Interval(time(9), time(17, 30)),),) * 5 + ((), ())
    assert sales.retry.max_customer_attempts == 3
    assert sales.retry.delays[Outcome.CUSTOMER_BUSY] == (
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=1),
    )
    assert Outcome.CUSTOMER_DECLINED not in sales.retry.delays
    assert settings.pbx["main"].port == 5038
    assert settings.file == file
    assert settings.state_dir == Path("/var/lib/dialer")
    assert settings.database == Path("/var/lib/dialer/dialer.db")
    assert settings.socket == Path("/var/lib/dialer/dialer.sock")


def test_relative_paths_start_at_the_files_folder(file: Path) -> None:
    paths = '[daemon]\nstate_dir = "state"\nsocket = "/run/d.sock"\n[store]\npath = "d.db"\n'
    settings = loaded(file, paths + LEAST)
    assert settings.state_dir == file.parent / "state"
    assert settings.database == file.parent / "d.db"
    assert settings.socket == Path("/run/d.sock")


def test_every_outcome_that_can_be_tried_again_has_a_ladder() -> None:
    caps = {"max_customer_attempts", "max_agent_rings"}
    final = {Outcome.CONNECTED.value, Outcome.IN_DOUBT.value}
    assert set(RetrySettings.model_fields) == {outcome.value for outcome in Outcome} - final | caps


def test_a_retry_rule_of_its_own(file: Path) -> None:
    text = LEAST + '[department.sales.retry]\ncustomer_busy = []\nagent_busy = ["0s", "90s", "2h", "1d"]\n'
    delays = loaded(file, text).directory().departments["sales"].retry.delays
    assert Outcome.CUSTOMER_BUSY not in delays
    assert delays[Outcome.AGENT_BUSY] == (
        timedelta(0),
        timedelta(seconds=90),
        timedelta(hours=2),
        timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("hours", "open_days"),
    [
        ('{ mon = ["09:00-10:00"] }', [0]),
        ('{ sat-mon = ["09:00-10:00"] }', [0, 5, 6]),
        ('{ mon-sun = ["00:00-24:00"] }', [0, 1, 2, 3, 4, 5, 6]),
        ('{ mon-fri = ["09:00-10:00"], sat = [] }', [0, 1, 2, 3, 4]),
        ('{ wed-wed = ["09:00-10:00"] }', [2]),
    ],
)
def test_days_and_ranges_of_days(file: Path, hours: str, open_days: list[int]) -> None:
    text = LEAST.replace('{ mon-fri = ["09:00-17:30"] }', hours)
    week = loaded(file, text).directory().departments["sales"].hours.week
    assert [day for day in range(7) if week[day]] == open_days


def test_spans_of_a_day_come_in_order_and_may_touch_and_end_at_midnight(file: Path) -> None:
    text = LEAST.replace('"09:00-17:30"', '"18:00-24:00", "09:00-12:00", "12:00-13:00"')
    week = loaded(file, text).directory().departments["sales"].hours.week
    assert week[0] == (
        Interval(time(9), time(12)),
        Interval(time(12), time(13)),
        Interval(time(18), None),
    )


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("[pbx.main]", "[pbx.main]\nhots = 1", "pbx.main.hots", "unknown key"),
        ("[pbx.main]", "[demon]\n[pbx.main]", "demon", "unknown key"),
        ("[pbx.main]", "_env_file = 'x'\n[pbx.main]", "_env_file", "unknown key"),
        ("[pbx.main]", "log = 3\n[pbx.main]", "log", "not a table"),
        ("[pbx.main]", "[log]\nlevel = 'loud'\n[pbx.main]", "log.level", "input should be"),
        ("[pbx.main]", "[pbx.main]\nport = 70000", "pbx.main.port", "less than"),
        ("[pbx.main]", '[pbx."Main 1"]', "pbx.Main 1", "not an id"),
        ("[pbx.main]", "[pbx.main]\nhost = 'a b'", "pbx.main.host", "not a host"),
        ('"mi-dialer"', '"mi\\r\\nAction: Ping"', "pbx.main.username", "not a user name"),
        ('username = "mi-dialer"\n', "", "pbx.main.username", "is missing"),
        ('secret = "open sesame"\n', "", "pbx.main", "no secret"),
        ("[trunk.carrier]", 'secret_file = "s"\n[trunk.carrier]', "pbx.main", "more than one secret"),
        ("[trunk.carrier]", 'secret_credential = "../s"\n[trunk.carrier]', "pbx.main.secret_credential", "not a cred"),
        ('"mi-trunk"', '"mi-trunk,15"', "trunk.carrier.endpoint", "not an endpoint"),
        ('"PJSIP/anna"', '"anna"', "agent.anna.endpoint", "not a phone"),
        ('"PJSIP/anna"', '"PJSIP/anna&PJSIP/ben"', "agent.anna.endpoint", "not a phone"),
        ('"PJSIP/anna"', '"Local/anna@other"', "agent.anna.endpoint", "not a phone"),
        ('"PJSIP/anna"', '"PJSIP/anna"\ndevice = "x"', "agent.anna.device", "not a device"),
        ('"PJSIP/anna"', '"PJSIP/anna"\npbx = "other"', "agent.anna.pbx", "there is no pbx other"),
        ('name = "Shop"', 'name = "Shop\\u0007"', "site.shop.name", "not a name"),
        ('name = "Shop"', 'name = "Shop"\nzone = "Europe/Londn"', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nzone = "Europe"', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nzone = "/etc/localtime"', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nzone = 1', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nregion = "UK"', "site.shop.region", "no such region"),
        ('agents = ["anna"]', "agents = []", "department.sales.agents", "at least 1"),
        ('agents = ["anna"]', 'agents = ["anna", "anna"]', "department.sales.agents", "lists an agent twice"),
        ('agents = ["anna"]', 'agents = ["anna", "bob"]', "department.sales.agents", "there is no agent bob"),
        ('agents = ["anna"]', 'agents = ["anna"]\ntrunk = "b"', "department.sales.trunk", "there is no trunk b"),
        ('agents = ["anna"]', 'agents = ["anna"]\nsite = "b"', "department.sales.site", "there is no site b"),
        (
            "[department.sales]",
            '[agent.ben]\nname="Ben"\nendpoint="PJSIP/ben"\n[department.sales]',
            "agent.ben",
            "in no",
        ),
        ("020 7946 0123", "020 79", "department.sales.caller_id", "too short"),
        ("020 7946 0123", "0901 234 5678", "department.sales.caller_id", "premium"),
        ("020 7946 0123", "07700 900123", "department.sales.caller_id", "not a number in use"),
        ("mon-fri =", "mon-fry =", "department.sales.hours", '"mon-fry" is not a day'),
        ("mon-fri =", "Mon =", "department.sales.hours", '"Mon" is not a day'),
        ("mon-fri =", 'tue = ["10:00-11:00"], mon-fri =', "department.sales.hours", "tue is given twice"),
        ('["09:00-17:30"]', '"09:00-17:30"', "department.sales.hours", "not a list"),
        ('["09:00-17:30"]', "[]", "department.sales.hours", "never opens"),
        ('{ mon-fri = ["09:00-17:30"] }', "9", "department.sales.hours", "not opening hours"),
        ('"09:00-17:30"', '"09:00-17:30", "17:00-18:00"', "department.sales.hours", "overlap"),
        ('"09:00-17:30"', '"09:00-24:00", "20:00-21:00"', "department.sales.hours", "overlap"),
        ('"09:00-17:30"', '"17:30-09:00"', "department.sales.hours", "bad time"),
        ('"09:00-17:30"', '"09:00-09:00"', "department.sales.hours", "bad time"),
        ('"09:00-17:30"', '"9:00-17:30"', "department.sales.hours", "bad time"),
        ('"09:00-17:30"', '"09:00-25:00"', "department.sales.hours", "bad time"),
        ('"09:00-17:30"', '"24:00-24:00"', "department.sales.hours", "bad time"),
        ('"09:00-17:30"', "9", "department.sales.hours", "bad time"),
        ("hours =", "customer_ring = 14\nhours =", "department.sales.customer_ring", "greater than or equal to 15"),
        ("hours =", 'accept = "1"\nhours =', "department.sales.accept", "input should be"),
        ("hours =", 'whisper = "beep,1"\nhours =', "department.sales.whisper", "not sounds"),
        ("hours =", "retry = { connected = [] }\nhours =", "department.sales.retry.connected", "unknown key"),
        ("hours =", 'retry = { cancelled = ["5"] }\nhours =', "department.sales.retry.cancelled.0", "not a duration"),
        ("hours =", 'retry = { cancelled = ["31d"] }\nhours =', "department.sales.retry.cancelled.0", "not a duration"),
        ("hours =", "retry = { cancelled = [5] }\nhours =", "department.sales.retry.cancelled.0", "not a duration"),
    ],
)
def test_one_thing_wrong(file: Path, old: str, new: str, key: str, says: str) -> None:
    assert old in LEAST
    error = refused(file, LEAST.replace(old, new))
    assert error.where == f"{file}: {key}"
    assert says in error.what
    assert "more" not in error.what or says == "more than one secret"


def test_an_unknown_key_is_guessed_at(file: Path) -> None:
    error = refused(file, LEAST.replace("caller_id =", "callerid ="))
    assert (error.where, error.remedy) == (f"{file}: department.sales.caller_id", "add it")
    error = refused(file, LEAST.replace("hours =", "custmer_ring = 20\nhours ="))
    assert error.remedy == "did you mean customer_ring?"


def test_several_things_wrong_are_counted(file: Path) -> None:
    error = refused(file, "[demon]\n" + LEAST.replace("PJSIP/anna", "anna").replace("17:30", "8"))
    assert error.where == f"{file}: demon"
    assert error.what == "unknown key; and 2 more"
    error = refused(file, LEAST.replace("020 7946 0123", "1").replace('agents = ["anna"]', 'agents = ["bob"]'))
    assert error.what == "there is no agent bob; and 2 more"


def test_an_empty_file_lacks_all_its_tables(file: Path) -> None:
    error = refused(file, "")
    assert (error.where, error.what) == (f"{file}: pbx", "is missing; and 4 more")


TWO_PBXS = (
    LEAST
    + """
[pbx.second]
username = "mi-dialer"
secret = "open sesame"
"""
)


def test_with_two_pbxs_each_is_named(file: Path) -> None:
    error = refused(file, TWO_PBXS)
    assert (error.where, error.what) == (f"{file}: trunk.carrier.pbx", "is missing; and 1 more")
    assert error.remedy == "there are several: name one of main, second"


def test_a_departments_agents_and_trunk_are_on_one_pbx(file: Path) -> None:
    text = TWO_PBXS.replace('"PJSIP/anna"', '"PJSIP/anna"\npbx = "second"').replace('trunk"', 'trunk"\npbx = "main"')
    error = refused(file, text)
    assert error.where == f"{file}: department.sales.agents"
    assert error.what == "anna is on PBX second, trunk carrier on main"


def test_no_two_agents_share_a_phone(file: Path) -> None:
    ben = '[agent.ben]\nname = "Ben"\nendpoint = "PJSIP/anna"\n'
    error = refused(file, LEAST.replace('["anna"]', '["anna", "ben"]') + ben)
    assert (error.where, error.what) == (f"{file}: agent.ben.endpoint", "is the phone of anna too")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[pbx\n", "not TOML"),
        (b"a = 1\na = 2\n", "not TOML"),
        (b"# caf\xe9\n", "not UTF-8 at byte 6"),
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
    settings = loaded(file, LEAST + "[log]\nlevel = 'info'\nformat = 'json'\n")
    assert (settings.log.level, settings.log.format) == ("debug", "json")
    assert settings.pbx["main"].port == 15038
    assert settings.pbx["main"].username == "mi-dialer"


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("DIALER_LOGG__LEVEL", "debug", "$DIALER_LOGG__LEVEL"),
        ("DIALER_LOG__LEVEL", "sesame", "log.level"),
        ("DIALER_LOG__LEVLE", "debug", "log.levle"),
        ("DIALER_LOG", "sesame", "environment"),
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
